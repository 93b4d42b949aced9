import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import * as contract from "@atelier/contract/http/ai-providers";
import { sql as text } from "kysely";
import { rotateEncryption } from "../vault/encryption-key-actions.ts";
import { createVault } from "../vault/vault.ts";
import {
  loadProviderRows,
  readProviderChanges,
  SEALED_PROVIDER_KEYS,
  SEALED_PROVIDER_SETTINGS,
} from "./model-provider-store.ts";
import { addModelProvider } from "./model-provider-actions.ts";
import { startApi } from "./model-provider-testkit.ts";
import { openSettings } from "./provider-settings.ts";
import { keySealedAt } from "./provider-snapshot.ts";

const CANARY = "sk-canary-0123456789-abcdefghij";
const CANARY_MASKED = "sk-c...ghij";
const AZURE = { type: "azure", name: "azure", base_url: "https://ours.openai.azure.com/openai/v1" };
const COPILOT = { type: "copilot", name: "copilot", base_url: "https://api.githubcopilot.com" };
const OPENAI = { type: "openai", name: "openai", base_url: "https://api.openai.com/v1" };

test("a created provider is read back by id and by name, with masked keys only", async () => {
  await using api = await startApi();
  const body = { ...OPENAI, display_name: "Open AI", api_keys: [CANARY, "sk-second-key-value"] };
  const created = await api.create(body);
  assert.deepEqual(
    { ...created, id: "", api_keys: created.api_keys.map((key) => key.masked) },
    {
      id: "",
      type: "openai",
      name: "openai",
      display_name: "Open AI",
      enabled: true,
      base_url: OPENAI.base_url,
      api_keys: [CANARY_MASKED, "sk...ue"],
      max_concurrency_per_key: null,
      central_api_key_enabled: true,
      allow_user_api_key: true,
      allow_central_api_key_fallback: true,
      settings: {},
      settings_masked: {},
      status: { state: "enabled", warnings: [], breakers: [], waiting: 0 },
      created_at: created.created_at,
      updated_at: created.created_at,
    },
  );
  assert.deepEqual((await api.get(created.id)).provider, created);
  assert.deepEqual((await api.get("openai")).provider, created);
  const list = await api.send(contract.listModelProviders);
  assert.deepEqual(list.body, { providers: [created], count: 1 });
  assert.equal(api.refreshes(), 1);
});

test("the keys are tried in the order given, and new ones come last", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, api_keys: ["key-one", "key-two"] });
  const [one, two] = created.api_keys;
  const wanted = [{ api_key: "key-three" }, { id: two?.id }, { id: one?.id }];
  await api.patch("openai", { api_keys: wanted });
  const [row] = await loadProviderRows(api.database.sql);
  const opened = row?.keys.map((key) => api.vault.open(key.sealed, keySealedAt(key.id)).reveal());
  assert.deepEqual(opened, ["key-one", "key-two", "key-three"]);
});

const REFUSALS: [name: string, body: Record<string, unknown>, want: string][] = [
  ["a taken name", { ...OPENAI }, "409 ai_provider.name_taken"],
  ["an unknown type", { ...OPENAI, name: "b", type: "nope" }, "400 request.invalid"],
  ["a name in capitals", { ...OPENAI, name: "Open" }, "400 request.invalid"],
  ["a reserved name", { ...OPENAI, name: "sessions" }, "400 request.invalid"],
  ["no base URL", { type: "openai", name: "b" }, "400 request.invalid"],
  ["a relative base URL", { ...OPENAI, name: "b", base_url: "/v1" }, "400 request.invalid"],
  ["a key twice", { ...OPENAI, name: "b", api_keys: ["k", "k"] }, "400 request.invalid"],
  ["an empty key", { ...OPENAI, name: "b", api_keys: [""] }, "400 request.invalid"],
  ["a key with white space", { ...OPENAI, name: "b", api_keys: [" k"] }, "400 request.invalid"],
  ["six keys", { ...OPENAI, name: "b", api_keys: ["a", "b", "c", "d", "e", "f"] }, "400 request.invalid"],
  ["settings of Azure for another type", { ...OPENAI, name: "b", settings: { api_version: "v1" } }, "400 request.invalid"],
  ["an API version that is none", { ...AZURE, settings: { api_version: "a&b=c" } }, "400 request.invalid"],
  ["no API version", { ...AZURE, settings: { api_version: null } }, "400 request.invalid"],
  ["keys of ours for Copilot", { ...COPILOT, api_keys: ["k"] }, "400 request.invalid"],
  ["a limit of none at once", { ...OPENAI, name: "b", max_concurrency_per_key: 0 }, "400 request.invalid"],
  ["a limit of keys that there cannot be", { ...COPILOT, max_concurrency_per_key: 2 }, "400 request.invalid"],
  ["unknown settings", { ...OPENAI, name: "b", settings: { region: "x" } }, "400 request.invalid"],
]; // prettier-ignore
for (const [name, body, want] of REFUSALS) {
  test(`creating with ${name} answers ${want} and changes nothing`, async () => {
    await using api = await startApi();
    await api.create(OPENAI);
    const before = [api.entries.length, await readProviderChanges(api.database.sql)];
    const answer = await api.send(contract.createModelProvider, { body });
    assert.equal(`${answer.status} ${answer.code}`, want);
    assert.deepEqual([api.entries.length, await readProviderChanges(api.database.sql)], before);
    assert.equal(api.refreshes(), 1);
  });
}

test("a type that the contract lets in before the gateway can serve it is refused", async () => {
  await using api = await startApi();
  const type = "later" as contract.ModelProviderType;
  const wanted = { ...OPENAI, type, displayName: "", baseUrl: OPENAI.base_url, apiKeys: [], keyConcurrencyMax: null, settings: {}, enabled: true }; // prettier-ignore
  const added = await addModelProvider(api.deps, api.audit, wanted);
  assert(!added.ok);
  assert.equal(added.failure.code, "ai_provider.type_unsupported");
  assert.equal(api.refreshes(), 0);
});

test("a limit of concurrent requests is stored, loaded, audited, kept by other changes, and taken away", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, max_concurrency_per_key: 4 });
  assert.equal(created.max_concurrency_per_key, 4);
  const stored = async () => (await loadProviderRows(api.database.sql))[0]?.keyConcurrencyMax;
  await api.patch("openai", { display_name: "x" });
  assert.deepEqual(
    [await stored(), (await api.get("openai")).provider.max_concurrency_per_key],
    [4, 4],
  );
  await api.patch("openai", { max_concurrency_per_key: null });
  assert.equal(await stored(), null);
  const diffs = api.entries.map(({ diff }) => diff?.["max_concurrency_per_key"]);
  assert.deepEqual(diffs, [{ old: null, new: 4 }, undefined, { old: 4, new: null }]);
});

test("whose keys serve chats is stored, audited, and checked as a whole", async () => {
  await using api = await startApi();
  const policyOf = (provider: Awaited<ReturnType<typeof api.create>>) => [
    provider.central_api_key_enabled,
    provider.allow_user_api_key,
    provider.allow_central_api_key_fallback,
  ];
  assert.deepEqual(
    policyOf(await api.create({ ...OPENAI, allow_central_api_key_fallback: false })),
    [true, true, false],
  );
  const own = await api.patch("openai", { central_api_key_enabled: false });
  assert.deepEqual(policyOf(own.provider), [false, true, false]);
  assert.deepEqual(api.entries.at(-1)?.diff, {
    central_api_key_enabled: { old: true, new: false },
  });
  await api.patch("openai", { display_name: "x" });
  assert.deepEqual(policyOf((await api.get("openai")).provider), [false, true, false]);
  for (const wrong of [{ allow_user_api_key: false }, { allow_central_api_key_fallback: true }]) {
    const refused = await api.patch("openai", wrong);
    assert.deepEqual(
      [refused.status, refused.failure?.validations?.map(({ field }) => field)],
      [400, Object.keys(wrong)],
    );
  }
});

test("a patch changes what it names and keeps the rest", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, api_keys: [CANARY] });
  const { provider } = await api.patch("openai", { enabled: false });
  const { updated_at: updatedAt } = provider;
  const status = { state: "disabled", warnings: [], breakers: [], waiting: 0 };
  assert.deepEqual(provider, { ...created, enabled: false, status, updated_at: updatedAt });
  const renamed = await api.patch(created.id, {
    base_url: "http://127.0.0.1:1",
    display_name: "x",
  });
  assert.equal(renamed.provider.base_url, "http://127.0.0.1:1");
  assert.equal(renamed.provider.api_keys.length, 1);
});

test("every supported type can be created, without any key", async () => {
  await using api = await startApi();
  for (const type of contract.SUPPORTED_MODEL_PROVIDER_TYPES) {
    const baseUrl = contract.MODEL_PROVIDER_DEFAULT_BASE_URLS[type] ?? AZURE.base_url;
    const settings = type === "bedrock" ? { region: "us-east-1", model: "m", small_fast_model: "s" } : {}; // prettier-ignore
    const created = await api.create({ type, name: type, base_url: baseUrl, settings });
    assert.deepEqual([created.type, created.base_url, created.settings], [type, baseUrl, settings]);
  }
});

test("settings are merged, kept by other changes, audited, and sealed where they are stored", async () => {
  await using api = await startApi();
  const created = await api.create({ ...AZURE, settings: { api_version: "2024-10-21" } });
  assert.deepEqual(created.settings, { api_version: "2024-10-21" });
  const settingsOf = async () => {
    const [row] = await loadProviderRows(api.database.sql);
    assert(row !== undefined);
    return openSettings(api.vault, row);
  };
  assert.deepEqual(await settingsOf(), { api_version: "2024-10-21" });
  const { rows } = await text`select sealed_settings from ai_providers`.execute(api.database.sql);
  assert.doesNotMatch(Buffer.from((rows[0] as { sealed_settings: Buffer }).sealed_settings).toString("latin1"), /2024/); // prettier-ignore
  await api.patch("azure", { display_name: "x" });
  await api.patch("azure", { settings: {} });
  assert.deepEqual(await settingsOf(), { api_version: "2024-10-21" });
  await api.patch("azure", { settings: { api_version: "preview" } });
  assert.deepEqual((await api.get("azure")).provider.settings, { api_version: "preview" });
  assert.deepEqual(await settingsOf(), { api_version: "preview" });
  await api.patch("azure", { settings: { api_version: null } });
  assert.deepEqual((await api.get("azure")).provider.settings, {});
  assert.deepEqual(await settingsOf(), {});
  assert.deepEqual(
    api.entries.flatMap(({ diff }) => (diff?.["api_version"] ? [diff["api_version"]] : [])),
    [
      { old: null, new: "2024-10-21" },
      { old: "2024-10-21", new: "preview" },
      { old: "preview", new: null },
    ],
  );
});

test("what a type does not take is refused of a patch too, with the field's name", async () => {
  await using api = await startApi();
  await api.create(OPENAI);
  await api.create(COPILOT);
  const before = await readProviderChanges(api.database.sql);
  const version = await api.patch("openai", { settings: { api_version: "v1" } });
  assert.deepEqual(version.failure, {
    code: "request.invalid",
    validations: [
      {
        field: "settings.api_version",
        detail: 'Providers of type "openai" have no such setting.',
      },
    ],
  });
  const key = await api.patch("copilot", { api_keys: [{ api_key: "k" }] });
  assert.equal(key.failure?.validations?.[0]?.field, "api_keys");
  assert.equal((await api.patch("copilot", { api_keys: [] })).status, 200);
  assert.equal(await readProviderChanges(api.database.sql), before + 1);
});

test("settings under a lost encryption key read as none, and can be entered again", async () => {
  await using api = await startApi();
  const { id } = await api.create({ ...AZURE, settings: { api_version: "v1" } });
  await text`update ai_providers set sealed_settings = ${Buffer.alloc(120, 1)}`.execute(api.database.sql); // prettier-ignore
  assert.deepEqual((await api.get(id)).provider.settings, {});
  const { provider } = await api.patch(id, { settings: { api_version: "v2" } });
  assert.deepEqual(provider.settings, { api_version: "v2" });
});

test("an empty patch says that a field is needed; bad key lists say which entry", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, api_keys: [CANARY] });
  const id = created.api_keys[0]?.id;
  const empty = await api.patch("openai", {});
  assert.deepEqual(empty.failure, {
    code: "request.invalid",
    detail: "At least one field must be provided.",
  });
  for (const [apiKeys, field] of [
    [[{ id: randomUUID() }], "api_keys.0"],
    [[{ id }, { id }], "api_keys.1"],
    [[{ api_key: "n" }, { api_key: "n" }], "api_keys.1"],
    [[{ id }, { api_key: CANARY }], "api_keys.1"],
  ] as const) {
    const answer = await api.patch("openai", { api_keys: apiKeys });
    assert.equal(answer.failure?.code, "request.invalid");
    assert.equal(answer.failure?.validations?.[0]?.field, field);
  }
  assert.deepEqual((await api.get("openai")).provider, created);
  assert.equal((await api.patch("openai", { api_keys: [{}] })).code, "request.invalid");
  assert.equal((await api.patch("openai", { api_keys: [{ id, api_key: "x" }] })).code, "request.invalid"); // prettier-ignore
  assert.equal((await api.patch("openai", { name: "other" })).code, "request.invalid");
});

test("a list of keys that was made before somebody else's change is refused, and nothing is lost", async () => {
  await using api = await startApi();
  const read = await api.create({ ...OPENAI, api_keys: ["key-one"] });
  const [one] = read.api_keys;
  const first = { api_keys: [{ id: one?.id }, { api_key: "key-two" }] };
  const guarded = (body: object) => ({
    params: { provider: "openai" },
    body: { ...body, if_updated_at: read.updated_at },
  });
  assert.equal((await api.send(contract.updateModelProvider, guarded(first))).status, 200);
  const second = { api_keys: [{ id: one?.id }, { api_key: "key-three" }] };
  const late = await api.send(contract.updateModelProvider, guarded(second));
  assert.equal(`${late.status} ${late.code}`, "409 ai_provider.changed_meanwhile");
  const { provider } = await api.get("openai");
  assert.deepEqual(
    provider?.api_keys.map(({ masked }) => masked),
    ["k...e", "k...o"],
  );
  const alone = await api.send(contract.updateModelProvider, guarded({}));
  assert.equal(`${alone.status} ${alone.code}`, "400 request.invalid");
});

test("an empty list of keys clears them", async () => {
  await using api = await startApi();
  await api.create({ ...OPENAI, api_keys: [CANARY] });
  assert.deepEqual((await api.patch("openai", { api_keys: [] })).provider.api_keys, []);
});

test("a deleted provider is gone, its keys too, and its name is free", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, api_keys: [CANARY] });
  const params = { provider: "openai" };
  assert.equal((await api.send(contract.deleteModelProvider, { params })).status, 204);
  assert.equal((await api.send(contract.deleteModelProvider, { params })).status, 404);
  assert.equal((await api.get(created.id)).code, "resource.not_found");
  assert.deepEqual(await loadProviderRows(api.database.sql), []);
  const { rows } = await text`select id from ai_provider_keys`.execute(api.database.sql);
  assert.deepEqual(rows, []);
  assert.notEqual((await api.create(OPENAI)).id, created.id);
});

test("a malformed name is 400, an unknown one is 404", async () => {
  await using api = await startApi();
  assert.equal((await api.get("No_Such!")).code, "request.invalid");
  assert.equal((await api.get("no-such")).code, "resource.not_found");
  assert.equal((await api.patch("no-such", { enabled: true })).code, "resource.not_found");
});

test("what the latest snapshot could not use is reported", async () => {
  await using api = await startApi();
  const created = await api.create(OPENAI);
  api.errors.set(created.id, "base URL: wrong");
  const { provider } = await api.get("openai");
  const warnings = ["base URL: wrong"];
  assert.deepEqual(provider.status, { state: "error", warnings, breakers: [], waiting: 0 });
});

test("each change is audited with its keys, masked, and counted for the other servers", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, api_keys: [CANARY] });
  const first = created.api_keys[0]?.id ?? "";
  const patched = await api.patch("openai", {
    enabled: false,
    api_keys: [{ api_key: "key-new-1" }],
  });
  const second = patched.provider.api_keys[0]?.id ?? "";
  await api.send(contract.deleteModelProvider, { params: { provider: "openai" } });
  const about = { provider_id: created.id, provider_name: "openai" };
  const secret = { api_key: { secret: true } };
  const provider = { resourceId: created.id, target: "openai" };
  const key = (id: string, masked: string, action: string) =>
    ({ resource: "ai_provider_key", resourceId: id, target: masked, additionalFields: about, diff: secret, action }); // prettier-ignore
  assert.deepEqual(api.entries, [
    {
      ...provider,
      diff: {
        type: { old: null, new: "openai" },
        name: { old: null, new: "openai" },
        display_name: { old: null, new: "" },
        enabled: { old: null, new: true },
        base_url: { old: null, new: OPENAI.base_url },
        api_keys: { secret: true },
      },
      additionalFields: { added: [first], removed: [], kept: [] },
    },
    key(first, CANARY_MASKED, "create"),
    {
      ...provider,
      diff: { enabled: { old: true, new: false }, api_keys: { secret: true } },
      additionalFields: { added: [second], removed: [first], kept: [] },
    },
    key(second, "k...1", "create"),
    key(first, CANARY_MASKED, "delete"),
    {
      ...provider,
      diff: {
        type: { old: "openai", new: null },
        name: { old: "openai", new: null },
        display_name: { old: "", new: null },
        enabled: { old: false, new: null },
        base_url: { old: OPENAI.base_url, new: null },
        api_keys: { secret: true },
      },
      additionalFields: { added: [], removed: [second], kept: [] },
    },
    key(second, "k...1", "delete"),
  ]);
  assert.equal(await readProviderChanges(api.database.sql), 4);
});

test("no table holds a key in clear", async () => {
  await using api = await startApi();
  await api.create({ ...OPENAI, api_keys: [CANARY] });
  const { rows: tables } = await text<{ name: string }>`
    select relname as name from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(api.database.sql);
  assert(tables.length > 10);
  for (const { name } of tables) {
    const { rows } = await text<{ found: boolean }>`
      select t::text like ${`%${CANARY.slice(3, 20)}%`}
        or t::text like ${`%${Buffer.from(CANARY).toString("hex").slice(6, 40)}%`} as found
      from ${text.table(name)} t`.execute(api.database.sql);
    assert(!rows.some((row) => row.found), `${name} holds the key`);
  }
});

test("keys and settings open after a rotation of the encryption key", async () => {
  await using api = await startApi();
  await api.create({ ...OPENAI, api_keys: [CANARY] });
  await api.create({ ...AZURE, settings: { api_version: "v1" } });
  const newKey = new Secret(randomBytes(32).toString("base64"));
  const deps = {
    database: api.database,
    clock: systemClock,
    columns: [SEALED_PROVIDER_KEYS, SEALED_PROVIDER_SETTINGS],
  };
  const rotated = await rotateEncryption(deps, { newKey, oldKeys: [api.key] }, () => {});
  assert.equal(rotated.ok && rotated.value.rewrapped, 2);
  const vault = createVault([newKey]);
  const [azure, row] = await loadProviderRows(api.database.sql);
  assert(vault.ok && azure !== undefined && row?.keys[0] !== undefined);
  const { id, sealed } = row.keys[0];
  assert.equal(vault.value.open(sealed, keySealedAt(id)).reveal(), CANARY);
  assert.deepEqual(openSettings(vault.value, azure), { api_version: "v1" });
});

test("concurrent changes of one provider never make more than five keys", async () => {
  await using api = await startApi();
  const created = await api.create({ ...OPENAI, api_keys: ["a", "b", "c"] });
  const kept = created.api_keys.map(({ id }) => ({ id }));
  const changes = ["d", "e", "f"].map((letter) =>
    api.patch("openai", { api_keys: [...kept, { api_key: letter }, { api_key: `${letter}2` }] }),
  );
  const answers = await Promise.all(changes);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]); // prettier-ignore
  assert.equal((await api.get("openai")).provider.api_keys.length, 5);
});
