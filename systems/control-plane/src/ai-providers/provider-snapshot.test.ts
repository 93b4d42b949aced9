import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { createVault, type Vault } from "../vault/vault.ts";
import { sealSettings } from "./provider-settings.ts";
import {
  buildProviders,
  haveAllFailed,
  keySealedAt,
  NO_PROVIDERS,
  type ProviderRow,
} from "./provider-snapshot.ts";

const vault = newVault();

function newVault(): Vault {
  const created = createVault([new Secret(randomBytes(32).toString("base64"))]);
  assert(created.ok);
  return created.value;
}

function row(changes: Partial<ProviderRow> = {}): ProviderRow {
  const sealed = vault.seal("sk-one", keySealedAt("k1"));
  return {
    id: "p1",
    type: "openai",
    name: "openai",
    enabled: true,
    baseUrl: "https://api.openai.com/v1",
    keyConcurrencyMax: null,
    sealedSettings: null,
    keys: [{ id: "k1", sealed, masked: "s...e" }],
    ...changes,
  };
}

function build(rows: ProviderRow[], options: { isByokAllowed?: boolean } = {}) {
  return buildProviders(rows, {
    vault,
    isByokAllowed: options.isByokAllowed ?? true,
    previous: NO_PROVIDERS,
  });
}

test("a row becomes a provider with its keys open and in order", () => {
  const second = { id: "k2", sealed: vault.seal("sk-two", keySealedAt("k2")), masked: "m2" };
  const built = build([row({ keys: [...row().keys, second] })]);
  const provider = built.providers.get("openai");
  assert.deepEqual(
    provider?.keys.map((key) => [key.id, key.secret.reveal(), key.hint]),
    [
      ["k1", "sk-one", "s...e"],
      ["k2", "sk-two", "m2"],
    ],
  );
  assert.deepEqual(built.errors, []);
});

const ERRORS: [name: string, changes: Partial<ProviderRow>, byok: boolean, error: RegExp][] = [
  [
    "a type of a later version",
    { type: "later" as never },
    true,
    /^unsupported provider type: "later"$/,
  ],
  ["a broken base URL", { baseUrl: "not a url" }, true, /^base URL: /],
  ["a file as base URL", { baseUrl: "file:///etc/passwd" }, true, /^base URL: /],
  ["no key where each caller may not bring one", { keys: [] }, false, /no api keys configured/],
  [
    "a key sealed elsewhere",
    { keys: [{ id: "k9", sealed: vault.seal("x", keySealedAt("k1")), masked: "" }] },
    true,
    /^openai key pool: the value at ai_provider_keys\/sealed_key\/k9 does not open/,
  ],
  [
    "settings under an unknown encryption key",
    { type: "azure", sealedSettings: sealSettings(newVault(), "p2", { api_version: "v1" }) },
    true,
    /^azure settings: the value at ai_providers\/sealed_settings\/p2 /,
  ],
  [
    "a key under an unknown encryption key",
    { keys: [{ id: "k1", sealed: newVault().seal("x", keySealedAt("k1")), masked: "" }] },
    true,
    /which this server does not have$/,
  ],
];
for (const [name, changes, isByokAllowed, error] of ERRORS) {
  test(`${name} leaves the row out and the others serve`, () => {
    const bad = row({ id: "p2", name: "bad", ...changes });
    const built = build([bad, row()], { isByokAllowed });
    assert.deepEqual([...built.providers.keys()], ["openai"]);
    assert.equal(built.errors.length, 1);
    assert.equal(built.errors[0]?.row, bad);
    assert.match(built.errors[0]?.error ?? "", error);
    assert.equal(haveAllFailed([bad, row()], built), false);
    assert.equal(haveAllFailed([bad], build([bad], { isByokAllowed })), true);
  });
}

for (const [name, changes, error] of [
  ["without settings", {}, /^bedrock needs at least a region/],
  ["with models only", { model: "m", small_fast_model: "s" }, /^bedrock needs at least a region/],
  ["without a model", { region: "r", small_fast_model: "s" }, /^bedrock: model required$/],
  ["with half a key", { model: "m", small_fast_model: "s", access_key: "a" }, /^bedrock: both access key and access key secret/],
] as const) {
  test(`a row of Bedrock ${name} is left out`, () => {
    const sealedSettings = sealSettings(vault, "p1", changes);
    const bad = row({ type: "bedrock", keys: [], sealedSettings });
    assert.match(build([bad]).errors[0]?.error ?? "", error);
  });
} // prettier-ignore

test("Bedrock is known by its settings, never by its address, and takes the address of the row", () => {
  const settings = { model: "m", small_fast_model: "s" };
  const build1 = (changes: object, baseUrl: string) => {
    const sealedSettings = sealSettings(vault, "p1", { ...settings, ...changes });
    const built = build([row({ type: "anthropic", name: "a", baseUrl, sealedSettings })]);
    return built.providers.get("a");
  };
  const runtime = "https://bedrock-runtime.us-east-1.amazonaws.com";
  assert.equal(build1({}, runtime)?.bedrock, null);
  const made = build1({ region: "eu-west-1", access_key: "AKIA", access_key_secret: "s" }, "https://proxy.example"); // prettier-ignore
  assert.equal(made?.baseUrl, "https://proxy.example");
  assert.deepEqual(made?.keys, []);
  assert.deepEqual(
    [made?.bedrock?.region, made?.bedrock?.accessKey?.reveal(), made?.bedrock?.model],
    ["eu-west-1", "AKIA", "m"],
  );
});

test("an anthropic row with neither keys nor Bedrock needs callers with their own", () => {
  const bare = row({ type: "anthropic", keys: [] });
  assert.deepEqual(
    build([bare], { isByokAllowed: false }).errors.map(({ error }) => error),
    ["anthropic provider has no api keys, no bedrock credentials, and BYOK is not enabled"],
  );
  const sealedSettings = sealSettings(vault, "p1", { region: "r", model: "m", small_fast_model: "s" }); // prettier-ignore
  assert.deepEqual(build([{ ...bare, sealedSettings }], { isByokAllowed: false }).errors, []);
});

test("the API version of the settings reaches the gateway, and a change of it makes a new object", () => {
  const { keys } = row();
  const azure = (version: string) =>
    row({ keys, sealedSettings: sealSettings(vault, "p1", { api_version: version }) });
  const first = build([azure("v1")]);
  assert.equal(first.providers.get("openai")?.apiVersion, "v1");
  const options = { vault, isByokAllowed: true, previous: first };
  const again = buildProviders([azure("v2")], options);
  assert.equal(again.providers.get("openai")?.apiVersion, "v2");
  const without = buildProviders([row({ keys })], { ...options, previous: again });
  assert.equal(without.providers.get("openai")?.apiVersion, null);
});

test("settings that this version does not know are passed over", () => {
  const stored = { api_version: "v1", region: "x" };
  const later = row({ sealedSettings: sealSettings(vault, "p1", stored) });
  assert.equal(build([later]).providers.get("openai")?.apiVersion, "v1");
});

test("a type that takes no keys is served without any, whatever the operator allows", () => {
  const copilot = row({ type: "copilot", keys: [] });
  assert.deepEqual(build([copilot], { isByokAllowed: false }).errors, []);
});

test("a provider without keys serves callers who bring their own", () => {
  assert.deepEqual(build([row({ keys: [] })]).providers.get("openai")?.keys, []);
});

test("a disabled row is known, without keys and without complaints", () => {
  const built = build([row({ enabled: false, keys: [], baseUrl: "?" })], { isByokAllowed: false });
  assert.equal(built.providers.get("openai")?.enabled, false);
  assert.deepEqual(built.errors, []);
  assert.equal(haveAllFailed([row({ enabled: false })], NO_PROVIDERS), false);
});

test("an unchanged row keeps its object, a changed one does not", () => {
  const rows = [row(), row({ id: "p2", name: "two" })];
  const first = build(rows);
  const options = { vault, isByokAllowed: true, previous: first };
  const again = buildProviders([row({ keys: rows[0]?.keys ?? [] }), row({ id: "p2", name: "two", baseUrl: "https://x.example" })], options); // prettier-ignore
  assert.equal(again.providers.get("openai"), first.providers.get("openai"));
  assert.notEqual(again.providers.get("two"), first.providers.get("two"));
  assert.equal(again.providers.get("two")?.baseUrl, "https://x.example");
});
