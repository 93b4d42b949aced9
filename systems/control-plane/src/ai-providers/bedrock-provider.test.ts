/** Providers of Amazon Bedrock, administered: what is refused, what is shown, what is stored and audited. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { BEDROCK_DEFAULT_MODELS } from "@atelier/contract/bedrock-settings";
import * as contract from "@atelier/contract/http/ai-providers";
import { sql as text } from "kysely";
import { rotateEncryption } from "../vault/encryption-key-actions.ts";
import { createVault } from "../vault/vault.ts";
import { loadProviderRows, SEALED_PROVIDER_SETTINGS } from "./model-provider-store.ts";
import { startApi } from "./model-provider-testkit.ts";
import { openSettings } from "./provider-settings.ts";

const CANARY = "canary-0123456789-abcdefghij";
const ROLE = "arn:aws:iam::123456789012:role/atelier";
const BEDROCK = {
  type: "bedrock",
  name: "bedrock",
  base_url: "https://bedrock-runtime.eu-west-1.amazonaws.com",
};
const STATIC = { access_key: "AKIA0123456789EXAMPLE", access_key_secret: CANARY };

type Api = Awaited<ReturnType<typeof startApi>>;

async function stored(api: Api) {
  const [row] = await loadProviderRows(api.database.sql);
  assert(row !== undefined);
  return openSettings(api.vault, row);
}

test("secrets are shown masked, never again in clear, and the models have defaults", async () => {
  await using api = await startApi();
  const settings = { region: "eu-west-1", ...STATIC, session_token: CANARY };
  const created = await api.create({ ...BEDROCK, settings });
  assert.deepEqual(created.settings, { region: "eu-west-1", ...BEDROCK_DEFAULT_MODELS });
  assert.deepEqual(created.settings_masked, {
    access_key: "AKIA...MPLE",
    access_key_secret: "cana...ghij",
    session_token: "cana...ghij",
  });
  assert.deepEqual((await api.get("bedrock")).provider, created);
  assert.deepEqual(await stored(api), { ...settings, ...BEDROCK_DEFAULT_MODELS });
  const { rows } = await text`select to_jsonb(p) as row from ai_providers p`.execute(
    api.database.sql,
  );
  assert.doesNotMatch(JSON.stringify(rows), /canary|AKIA/);
});

const BOTH_KEYS = "both access key and access key secret must be provided together";
const REFUSALS: [name: string, body: object, want: readonly [field: string, detail: RegExp]][] = [
  ["no settings", BEDROCK, ["settings", /needs at least a region/]],
  ["models only", { ...BEDROCK, settings: { model: "m" } }, ["settings", /needs at least a region/]],
  ["an empty model", { ...BEDROCK, settings: { region: "r", model: "" } }, ["settings.model", /^model required$/]],
  ["an empty small model", { ...BEDROCK, settings: { region: "r", small_fast_model: "" } }, ["settings.small_fast_model", /^small fast model required$/]],
  ["half a key", { ...BEDROCK, settings: { access_key: "AKIA" } }, ["settings.access_key_secret", new RegExp(BOTH_KEYS)]],
  ["the other half", { ...BEDROCK, settings: { access_key_secret: "s" } }, ["settings.access_key", new RegExp(BOTH_KEYS)]],
  ["provider keys", { ...BEDROCK, settings: { region: "r" }, api_keys: ["k"] }, ["api_keys", /take no keys/]],
  ["half a key, of Anthropic", { ...BEDROCK, type: "anthropic", settings: { access_key: "AKIA" } }, ["settings.access_key_secret", new RegExp(BOTH_KEYS)]],
  ["settings of Bedrock for OpenAI", { ...BEDROCK, type: "openai", settings: { region: "r" } }, ["settings.region", /no such setting/]],
  ["an API version", { ...BEDROCK, settings: { region: "r", api_version: "v1" } }, ["settings.api_version", /no such setting/]],
]; // prettier-ignore

for (const [name, body, [field, detail]] of REFUSALS) {
  test(`creating one with ${name} is refused, at ${field}`, async () => {
    await using api = await startApi();
    const { status, failure } = await api.send(contract.createModelProvider, { body });
    assert.equal(status, 400);
    const [mistake] = failure?.validations ?? [];
    assert.equal(mistake?.field, field);
    assert.match(mistake?.detail ?? "", detail);
  });
}

for (const [name, settings] of [
  ["a region in capitals", { region: "EU" }],
  ["an external id of one's own", { region: "r", external_id: "x" }],
  ["a role that is no ARN", { role_arn: "role" }],
  ["a key with a line break", { ...STATIC, access_key_secret: "a\nb" }],
  ["a token service without an address", { region: "r", sts_endpoint: "sts" }],
] as const) {
  test(`creating one with ${name} is refused`, async () => {
    await using api = await startApi();
    const body = { ...BEDROCK, settings };
    assert.equal((await api.send(contract.createModelProvider, { body })).status, 400);
  });
}

test("a patch keeps secrets that it does not name, and takes away those that are null", async () => {
  await using api = await startApi();
  await api.create({ ...BEDROCK, settings: { region: "eu-west-1", ...STATIC } });
  await api.patch("bedrock", { settings: { model: "other" } });
  assert.equal((await stored(api)).access_key_secret, CANARY);
  const half = await api.patch("bedrock", { settings: { access_key: null } });
  assert.equal(half.failure?.validations?.[0]?.detail, BOTH_KEYS);
  const none = await api.patch("bedrock", { settings: { model: null } });
  assert.equal(none.failure?.validations?.[0]?.detail, "model required");
  const chain = await api.patch("bedrock", { settings: { access_key: null, access_key_secret: "" } }); // prettier-ignore
  assert.equal(chain.status, 200);
  assert.deepEqual(chain.provider.settings_masked, {});
  assert.equal(chain.provider.settings.model, "other");
  const keys = await api.patch("bedrock", { api_keys: [{ api_key: "k" }] });
  assert.equal(keys.failure?.validations?.[0]?.field, "api_keys");
});

test("a role has an external id of the server's making for as long as there is one", async () => {
  await using api = await startApi();
  const created = await api.create({ ...BEDROCK, settings: { region: "r", role_arn: ROLE } });
  const { external_id: first } = created.settings;
  assert.match(first ?? "", /^[0-9a-f-]{36}$/);
  const other = await api.patch("bedrock", { settings: { role_arn: `${ROLE}2` } });
  assert.equal(other.provider.settings.external_id, first);
  const chosen = await api.patch("bedrock", { settings: { external_id: "mine" } });
  assert.equal(chosen.status, 400);
  const without = await api.patch("bedrock", { settings: { role_arn: null } });
  assert.equal(without.provider.settings.external_id, undefined);
  const again = await api.patch("bedrock", { settings: { role_arn: ROLE } });
  assert.notEqual(again.provider.settings.external_id, first);
});

test("an anthropic provider becomes one of Bedrock by its settings", async () => {
  await using api = await startApi();
  await api.create({ ...BEDROCK, type: "anthropic", api_keys: ["sk-ant"] });
  const { provider } = await api.patch("bedrock", { settings: { region: "eu-west-1" } });
  assert.deepEqual(provider.settings, { region: "eu-west-1", ...BEDROCK_DEFAULT_MODELS });
});

test("of secret settings the audit says that they changed, of others how", async () => {
  await using api = await startApi();
  await api.create({ ...BEDROCK, settings: { region: "eu-west-1", ...STATIC } });
  const settings = { region: "us-east-1", access_key_secret: "another" };
  await api.patch("bedrock", { settings });
  const [created, changed] = api.entries;
  assert.deepEqual(created?.diff?.["access_key"], { secret: true });
  assert.deepEqual(changed?.diff, {
    region: { old: "eu-west-1", new: "us-east-1" },
    access_key_secret: { secret: true },
  });
  assert.doesNotMatch(JSON.stringify(api.entries), /canary|AKIA/);
});

test("secrets open after a rotation of the encryption key", async () => {
  await using api = await startApi();
  await api.create({ ...BEDROCK, settings: STATIC });
  const newKey = new Secret(randomBytes(32).toString("base64"));
  const deps = { database: api.database, clock: systemClock, columns: [SEALED_PROVIDER_SETTINGS] };
  const rotated = await rotateEncryption(deps, { newKey, oldKeys: [api.key] }, () => {});
  assert.equal(rotated.ok && rotated.value.rewrapped, 1);
  const vault = createVault([newKey]);
  const [row] = await loadProviderRows(api.database.sql);
  assert(vault.ok && row !== undefined);
  assert.equal(openSettings(vault.value, row).access_key_secret, CANARY);
});
