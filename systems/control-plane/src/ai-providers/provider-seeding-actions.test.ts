import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { Logger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { testDatabase } from "@atelier/testkit/test-database";
import { registerEncryptionKeys } from "../vault/encryption-key-actions.ts";
import { createVault } from "../vault/vault.ts";
import { insertNewProvider } from "./model-provider-actions.ts";
import {
  deleteModelProvider,
  listModelProviders,
  loadProviderRows,
  readProviderChanges,
} from "./model-provider-store.ts";
import { isSupportedType } from "./model-provider.ts";
import type { ProviderSeed } from "./provider-seed.ts";
import { seedModelProviders } from "./provider-seeding-actions.ts";
import { openSettings } from "./provider-settings.ts";
import { buildProviders, NO_PROVIDERS } from "./provider-snapshot.ts";

const KEY = "sk-canary-0123456789-abcdefghij";
const OPENAI: ProviderSeed = {
  origin: "ai-gateway-openai-*",
  type: "openai",
  name: "openai",
  baseUrl: "https://api.openai.com/v1",
  keys: [new Secret(KEY)],
  keyConcurrencyMax: null,
  settings: {},
};
const AZURE: ProviderSeed = {
  origin: "ai-gateway-provider-0-*",
  type: "azure",
  name: "azure",
  baseUrl: "https://ours.openai.azure.com/openai/v1",
  keys: [new Secret("first-key"), new Secret("second-key")],
  keyConcurrencyMax: 4,
  settings: { api_version: "2024-10-21" },
};

async function start() {
  const database = await testDatabase();
  const created = createVault([new Secret(randomBytes(32).toString("base64"))]);
  assert(created.ok);
  const vault = created.value;
  await registerEncryptionKeys({ database, clock: systemClock }, vault);
  const lines: { readonly fields: Record<string, unknown>; readonly message: string }[] = [];
  const note = (fields: object, message: string) => {
    lines.push({ fields: { ...fields }, message });
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  const deps = { database, vault, clock: systemClock, random: systemRandom, log };
  return {
    ...deps,
    lines,
    seed: (...seeds: ProviderSeed[]) => seedModelProviders(deps, seeds),
    stored: () => listModelProviders(database.sql),
    insert: (seed: ProviderSeed) =>
      database.transaction((sql) =>
        insertNewProvider(
          deps,
          { sql, audit: { record: async () => {}, attempted: () => {} } },
          {
            type: seed.type,
            name: seed.name,
            displayName: "By hand",
            baseUrl: seed.baseUrl,
            apiKeys: seed.keys.map((key) => key.reveal()),
            keyConcurrencyMax: seed.keyConcurrencyMax,
            settings: {},
            enabled: false,
          },
        ),
      ),
    audited: async () => {
      const { rows } = await database.pool.query(
        "select action, resource_type, resource_target, user_id, diff, additional_fields from audit_events order by resource_type, resource_target",
      );
      return rows;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("what is missing is stored and could serve, is logged, announced and audited as the system's", async () => {
  await using world = await start();
  const changesBefore = await readProviderChanges(world.database.sql);
  assert.deepEqual(await world.seed(AZURE, OPENAI), { ok: true, value: undefined });
  const built = buildProviders(await loadProviderRows(world.database.sql), {
    vault: world.vault,
    isByokAllowed: false,
    previous: NO_PROVIDERS,
  });
  assert.deepEqual(built.errors, []);
  const azure = built.providers.get("azure");
  assert.deepEqual(
    [azure?.baseUrl, azure?.apiVersion, azure?.keys.map((key) => key.secret.reveal())],
    [AZURE.baseUrl, "2024-10-21", ["first-key", "second-key"]],
  );
  assert.equal(built.providers.get("openai")?.keys[0]?.secret.reveal(), KEY);
  assert.ok((await readProviderChanges(world.database.sql)) > changesBefore);

  assert.deepEqual(
    world.lines.map(({ message, fields }) => [message, fields["provider_name"], fields["key"]]),
    [
      ["env-seeded ai provider", "azure", undefined],
      ["env-seeded ai provider key", "azure", "f...y"],
      ["env-seeded ai provider key", "azure", "se...ey"],
      ["env-seeded ai provider", "openai", undefined],
      ["env-seeded ai provider key", "openai", "sk-c...ghij"],
    ],
  );
  const audited = await world.audited();
  assert.deepEqual(
    audited.map((row) => [row.action, row.resource_type, row.resource_target, row.user_id]),
    [
      ["create", "ai_provider", "azure", null],
      ["create", "ai_provider", "openai", null],
      ["create", "ai_provider_key", "f...y", null],
      ["create", "ai_provider_key", "se...ey", null],
      ["create", "ai_provider_key", "sk-c...ghij", null],
    ],
  );
  for (const row of audited) assert.equal(row.additional_fields.system, true);
  assert.doesNotMatch(JSON.stringify([audited, world.lines]), /canary-0123456789|first-key/);
});

test("what is stored already, in whatever order, is left alone", async () => {
  await using world = await start();
  await world.seed(AZURE, OPENAI);
  const before = [await world.stored(), await world.audited()];
  const turned = { ...AZURE, baseUrl: `${AZURE.baseUrl}/`, keys: AZURE.keys.toReversed() };
  assert.ok((await world.seed(OPENAI, turned)).ok);
  assert.deepEqual([await world.stored(), await world.audited()], before);
});

test("a limit that the options do not name is an operator's; one that they name is compared", async () => {
  await using world = await start();
  const limited = { ...OPENAI, keyConcurrencyMax: 8 };
  await world.seed(limited);
  assert.equal((await world.stored())[0]?.keyConcurrencyMax, 8);
  assert.ok((await world.seed(OPENAI)).ok);
  const other = await world.seed({ ...OPENAI, keyConcurrencyMax: 9 });
  assert.ok(!other.ok);
  assert.match(other.failure.join(), /in its limit of keys\. .*\(atelier providers edit openai\)/s);
});

test("who made the equal provider does not matter, nor that it is switched off", async () => {
  await using world = await start();
  await world.insert(OPENAI);
  assert.ok((await world.seed(OPENAI)).ok);
  const [provider] = await world.stored();
  assert.deepEqual([provider?.displayName, provider?.enabled], ["By hand", false]);
});

const EDIT = "atelier providers edit openai";
const KEYS = "atelier providers keys add openai, atelier providers keys remove openai <key>";
const ANEW = "atelier providers delete openai, atelier providers create openai";
for (const [part, changes, ways] of [
  ["type", { type: "openai-compat" }, ANEW],
  ["base URL", { baseUrl: "https://elsewhere.example/v1" }, EDIT],
  ["keys", { keys: [new Secret("sk-another-0123456789-abcdefgh")] }, KEYS],
  ["base URL, keys", { baseUrl: "https://elsewhere.example/v1", keys: [] }, `${EDIT}, ${KEYS}`],
] as const) {
  test(`a stored provider with another ${part} fails the start in words, and stores nothing`, async () => {
    await using world = await start();
    await world.seed(OPENAI);
    const seeded = await world.seed(AZURE, { ...OPENAI, ...changes });
    assert.deepEqual(seeded, {
      ok: false,
      failure: [
        'ai provider "openai": the stored provider differs from the current environment configuration ' +
          `(options ai-gateway-openai-*) in its ${part}. Decide which of them counts:\n` +
          "  - the stored one: take these options away, and start again;\n" +
          "  - the options: start without them, make the stored provider the same " +
          `(${ways}), and put them back.`,
      ],
    });
    assert.deepEqual((await world.stored()).map(({ name }) => name), ["openai"]); // prettier-ignore
  });
}

test("a provider that was deleted is not stored again, one that was made anew is compared", async () => {
  await using world = await start();
  await world.seed(OPENAI);
  const [provider] = await world.stored();
  await deleteModelProvider(world.database.sql, provider?.id ?? "", systemClock.now());
  assert.ok((await world.seed(OPENAI)).ok);
  assert.deepEqual(await world.stored(), []);
  assert.match(world.lines.at(-1)?.message ?? "", /was deleted, and is not stored again/);
  await world.insert({ ...OPENAI, baseUrl: "https://elsewhere.example/v1" });
  assert.equal((await world.seed(OPENAI)).ok, false);
});

test("of servers that start at once, one stores", async () => {
  await using world = await start();
  const orders = [1, 2, 3, 4].map((n) => (n % 2 === 0 ? [OPENAI, AZURE] : [AZURE, OPENAI]));
  const results = await Promise.all(orders.map((seeds) => world.seed(...seeds)));
  assert.deepEqual(results.map(({ ok }) => ok), [true, true, true, true]); // prettier-ignore
  assert.deepEqual((await world.stored()).map(({ name }) => name), ["azure", "openai"]); // prettier-ignore
  assert.equal((await world.audited()).length, 5);
});

test("of servers that start at once with different options, one starts", async () => {
  await using world = await start();
  const others = ["a", "b", "c"].map((name) => ({ ...OPENAI, keys: [new Secret(`sk-${name}`)] }));
  const results = await Promise.all([OPENAI, ...others].map((seed) => world.seed(seed)));
  assert.equal(results.filter(({ ok }) => ok).length, 1);
});

test("a stored key under an encryption key that is gone counts as another key", async () => {
  await using world = await start();
  await world.seed(OPENAI);
  await world.database.pool.query("update ai_provider_keys set sealed_key = '\\x00'");
  const seeded = await world.seed(OPENAI);
  assert.match(seeded.ok ? "" : String(seeded.failure[0]), /in its keys\. /);
});

for (const [name, changes, mistake] of [
  ["a reserved name", { name: "models" }, "name: This name is reserved."],
  ["a key with spaces", { keys: [new Secret("a b")] }, /^api_keys\.0: Printable ASCII/],
  ["two equal keys", { keys: [new Secret("a"), new Secret("a")] }, /twice/],
  [
    "a key where callers bring theirs",
    { type: "copilot" },
    /^api_keys: Providers of type "copilot"/,
  ],
  ["a setting of another type", { settings: { api_version: "v1" } }, /^settings\.api_version: /],
  ...MODEL_PROVIDER_TYPES.filter((type) => !isSupportedType(type)).map(
    (type) => [`type ${type}`, { type, keys: [] }, /the gateway cannot serve it yet/] as const,
  ),
] as const) {
  test(`what could not be created by hand is refused with its options: ${name}`, async () => {
    await using world = await start();
    const seeded = await world.seed({ ...OPENAI, ...changes });
    const [text = "", ...others] = seeded.ok ? [] : seeded.failure;
    const [origin, said = ""] = text.split(" describe a model provider that cannot be: ");
    assert.deepEqual([origin, others], [OPENAI.origin, []]);
    if (typeof mistake === "string") assert.equal(said, mistake);
    else assert.match(said, mistake);
    assert.deepEqual(await world.stored(), []);
  });
}

test(
  "Bedrock's settings are stored by the names that its type has",
  { skip: isSupportedType("bedrock") ? false : "the gateway does not serve type bedrock yet" },
  async () => {
    await using world = await start();
    const settings = {
      region: "eu-west-1",
      model: "big",
      small_fast_model: "small",
      access_key: new Secret("AKIAEXAMPLE"),
      access_key_secret: new Secret("example-secret"),
    };
    const baseUrl = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    const seed: ProviderSeed = { ...OPENAI, type: "bedrock", baseUrl, keys: [], settings };
    for (const each of [seed, seed]) assert.deepEqual(await world.seed(each), { ok: true, value: undefined }); // prettier-ignore
    const [stored] = await world.stored();
    assert(stored !== undefined);
    assert.deepEqual(openSettings(world.vault, stored), {
      ...settings,
      access_key: "AKIAEXAMPLE",
      access_key_secret: "example-secret",
    });
    const changed = { ...seed, settings: { ...settings, model: "another" } };
    assert.equal((await world.seed(changed)).ok, false);
  },
);
