/** Which model serves, and what becomes of a choice that cannot be read, used or reached. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "@atelier/base/system-random";
import type { ModelOverrideContext } from "@atelier/contract/http/chat-models";
import type { ChatProviderCatalog } from "@atelier/contract/rpc/chat-ports";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { insertModelConfig, updateDefaultModelConfig } from "./model-config-store.ts";
import { upsertOverride, upsertUserOverride } from "./model-override-store.ts";
import {
  ADVISOR_MODES,
  COMPACTION_MODES,
  SUBAGENT_MODES,
  TITLE_MODES,
  type OverrideModes,
} from "./model-router.ts";
import {
  chooseLightModel,
  chooseModelForNewChat,
  chooseModelOfChat,
  chooseOverride,
} from "./model-selection-actions.ts";
import { authSource, catalog, provider } from "./models-testkit.ts";
import { storedModelsOfTurn, TURN_MODELS_TEXT } from "./stored-models-store.ts";
import type { StoredModels } from "./stored-models.ts";

const AWAY = new Error("the database is away");

async function makeWorld() {
  const database = await testDatabase();
  const { rows } = await database.pool.query("select id from organizations");
  const [organizationId, ownerId, providerId] = [
    rows[0].id as string,
    systemRandom.uuid(),
    systemRandom.uuid(),
  ];
  const now = new Date();
  await database.pool.query(
    `insert into users (id, email, username, password_hash, status, roles, created_at, updated_at)
     values ($1, 'a@example.com', 'ann', 'x', 'active', '{}', $2, $2)`,
    [ownerId, now],
  );
  await database.pool.query(
    `insert into ai_providers (id, type, name, display_name, enabled, base_url, created_at, updated_at)
     values ($1, 'openai', 'openai', '', true, 'http://x.test', $2, $2)`,
    [providerId, now],
  );
  const add = async (model: string, fields: { enabled?: boolean } = {}): Promise<string> => {
    const id = systemRandom.uuid();
    const config = {
      ...{
        id,
        organizationId,
        aiProviderId: providerId,
        provider: "openai",
        model,
        displayName: "",
      },
      ...{ enabled: true, contextLimit: 1_000, compressionThreshold: 70, options: {} },
      ...{ createdAt: now, updatedAt: now, ...fields },
    };
    await insertModelConfig(database.sql, config, ownerId);
    return id;
  };
  const usual = await add("usual");
  await updateDefaultModelConfig(database.sql, organizationId, usual);
  const row = provider({ id: providerId });
  return { database, organizationId, ownerId, row, add, user: { ownerId, organizationId } };
}

type World = Awaited<ReturnType<typeof makeWorld>>;

function depsOf(
  world: World,
  fields: Partial<ChatProviderCatalog> = {},
  database: TestDatabase = world.database,
) {
  const providers = { ...catalog([world.row]), ...fields };
  return {
    database,
    catalog: providers,
    providerAuth: authSource(),
    isGatewayRoutingEnabled: true,
    arePersonalModelsAllowed: async () => true,
  };
}

/** As the statement that reads a chat of this model reads it. */
async function readWithChat(world: World, modelConfigId: string): Promise<StoredModels> {
  const { rows } = await world.database.pool.query<{ readonly read: unknown }>(
    `select ${TURN_MODELS_TEXT} as read
     from (select $1::uuid as organization_id, $2::uuid as last_model_config_id) as chats`,
    [world.organizationId, modelConfigId],
  );
  return storedModelsOfTurn(rows[0]?.read);
}

async function outcomeOf(
  world: World,
  asked: { readonly context: ModelOverrideContext; readonly modes: OverrideModes },
  deps = depsOf(world),
): Promise<string> {
  let chosen;
  try {
    chosen = await chooseOverride(deps, world.user, asked);
  } catch (error) {
    return `throws ${error instanceof Error ? error.message : "something"}`;
  }
  if (!chosen.ok) return `fails ${chosen.failure.message}`;
  const { value } = chosen;
  if (value.kind === "model") return value.model.config.model;
  return value.kind === "unset" ? "unset" : `unusable ${value.failure.message}`;
}

test("a chat's own model serves, or the default where it cannot, or none", async () => {
  const world = await makeWorld();
  await using _ = world.database;
  const [own, off] = [await world.add("own"), await world.add("off", { enabled: false })];
  const nameOf = async (modelConfigId: string, deps = depsOf(world)) => {
    const chosen = await chooseModelOfChat(deps, world.user, { modelConfigId, effort: "low" });
    return chosen.ok
      ? [chosen.value.config.model, chosen.value.effort, chosen.value.route.kind]
      : chosen.failure.kind;
  };
  assert.deepEqual(await nameOf(own), ["own", "low", "ai_gateway"]);
  assert.deepEqual(await nameOf(off), ["usual", "low", "ai_gateway"]);
  assert.deepEqual(await nameOf(systemRandom.uuid()), ["usual", "low", "ai_gateway"]);
  const disabled = depsOf(world, catalog([{ ...world.row, enabled: false }]));
  assert.equal(await nameOf(own, disabled), "config");
});

test("what was read with a chat chooses as the database does", async () => {
  const world = await makeWorld();
  await using _ = world.database;
  const [own, off] = [await world.add("own"), await world.add("off", { enabled: false })];
  const summing = await world.add("summing");
  const override = { context: "compaction" as const, modelConfigId: summing, effort: null };
  await upsertOverride(world.database.sql, world.organizationId, override);
  for (const modelConfigId of [own, off, systemRandom.uuid()]) {
    const stored = await readWithChat(world, modelConfigId);
    // Nothing more is read.
    const deps = depsOf(world, {}, {} as TestDatabase);
    const chosen = { modelConfigId, effort: null };
    assert.deepEqual(
      await chooseModelOfChat(deps, world.user, chosen, stored),
      await chooseModelOfChat(depsOf(world), world.user, chosen),
    );
    const asked = { context: "compaction" as const, modes: COMPACTION_MODES };
    assert.deepEqual(
      await chooseOverride(deps, world.user, asked, stored),
      await chooseOverride(depsOf(world), world.user, asked),
    );
  }
});

test("a choice that cannot be used: subagents and titles hear of it, compaction goes on without", async () => {
  const world = await makeWorld();
  await using _ = world.database;
  const own = await world.add("own");
  const all = [
    ["general", SUBAGENT_MODES],
    ["title_generation", TITLE_MODES],
    ["advisor", ADVISOR_MODES],
    ["compaction", COMPACTION_MODES],
  ] as const;
  for (const [context, modes] of all) {
    assert.equal(await outcomeOf(world, { context, modes }), "unset");
    await upsertOverride(world.database.sql, world.organizationId, {
      context,
      modelConfigId: own,
      effort: null,
    });
    assert.equal(await outcomeOf(world, { context, modes }), "own");
    const keyless = depsOf(world, catalog([{ ...world.row, hasCentralCredentials: false }]));
    assert.equal(
      await outcomeOf(world, { context, modes }, keyless),
      "unusable There is no key for the chosen model.",
    );
    const off = depsOf(world, catalog([{ ...world.row, enabled: false }]));
    assert.equal(
      await outcomeOf(world, { context, modes }, off),
      "unusable The chosen model's provider is disabled.",
    );
  }
  await world.database.pool.query(
    "update chat_model_configs set deleted_at = now() where id = $1",
    [own],
  );
  for (const [context, modes] of all) {
    assert.equal(
      await outcomeOf(world, { context, modes }),
      "unusable The chosen model does not exist any more.",
    );
  }
  assert.equal(
    await outcomeOf(world, { context: "general", modes: { ...SUBAGENT_MODES, config: "hard" } }),
    "fails The chosen model does not exist any more.",
  );
});

test("a choice that cannot be read, or credentials that cannot be loaded, stop what they should", async () => {
  const world = await makeWorld();
  await using _ = world.database;
  const own = await world.add("own");
  const contexts = ["general", "title_generation", "compaction"] as const;
  for (const context of contexts) {
    await upsertOverride(world.database.sql, world.organizationId, {
      context,
      modelConfigId: own,
      effort: null,
    });
  }
  const outcomes = (deps: ReturnType<typeof depsOf>) =>
    Promise.all([
      outcomeOf(world, { context: "general", modes: SUBAGENT_MODES }, deps),
      outcomeOf(world, { context: "title_generation", modes: TITLE_MODES }, deps),
      outcomeOf(world, { context: "compaction", modes: COMPACTION_MODES }, deps),
    ]);
  const broken = new Proxy(world.database, {
    get: (target, name) => {
      if (name === "sql") throw AWAY;
      return Reflect.get(target, name) as unknown;
    },
  });
  assert.deepEqual(await outcomes(depsOf(world, {}, broken)), [
    "throws the database is away",
    "unusable could not read the chosen model",
    "throws the database is away",
  ]);
  const keys = { providersWithOwnKey: () => Promise.reject(AWAY) };
  assert.deepEqual(await outcomes(depsOf(world, keys)), [
    "unusable could not read the model's provider",
    "unusable could not read the model's provider",
    "throws the database is away",
  ]);
  const deps = { ...depsOf(world), providerAuth: { authOf: () => Promise.reject(AWAY) } };
  const wrapped =
    "resolve AI Gateway provider auth: get user AI provider key: the database is away";
  assert.deepEqual(await outcomes(deps), [
    "unusable could not load the model's credentials",
    "unusable could not load the model's credentials",
    `throws ${wrapped}`,
  ]);
});

test("beside a chat's model a light one of the same provider serves, if one is configured and enabled", async () => {
  const world = await makeWorld();
  await using _ = world.database;
  const { database, row, user } = world;
  const elsewhere = systemRandom.uuid();
  await database.pool.query(
    `insert into ai_providers (id, type, name, display_name, enabled, base_url, created_at, updated_at)
     values ($1, 'openai', 'elsewhere', '', true, 'http://y.test', now(), now())`,
    [elsewhere],
  );
  const deps = depsOf(world, catalog([row, { ...row, id: elsewhere, name: "elsewhere" }]));
  const own = await world.add("gpt-own");
  const lightBeside = async (modelConfigId: string) => {
    const chosen = await chooseModelOfChat(deps, user, { modelConfigId, effort: "high" });
    assert.ok(chosen.ok);
    const light = await chooseLightModel(deps, chosen.value);
    if (light !== null) assert.equal(light.route, chosen.value.route);
    return light && [light.config.model, light.effort];
  };
  assert.equal(await lightBeside(own), null);
  await world.add("gpt-4o-mini", { enabled: false });
  const other = await world.add("gpt-4o-mini");
  await database.pool.query("update chat_model_configs set ai_provider_id = $2 where id = $1", [
    other,
    elsewhere,
  ]);
  assert.equal(await lightBeside(own), null, "another provider hears nothing of it");
  const dated = await world.add("gpt-4o-mini-2024-07-18");
  assert.deepEqual(await lightBeside(own), ["gpt-4o-mini-2024-07-18", null]);
  assert.equal(await lightBeside(dated), null, "it is light itself");
});

test("a person's own choice goes before the organization's, and may be the chat's own model", async () => {
  const world = await makeWorld();
  await using _ = world.database;
  const { sql } = world.database;
  const [theirs, own] = [await world.add("theirs"), await world.add("own")];
  const asked = { context: "explore", modes: SUBAGENT_MODES } as const;
  await upsertOverride(sql, world.organizationId, {
    context: "explore",
    modelConfigId: theirs,
    effort: "low",
  });
  const member = { userId: world.ownerId, organizationId: world.organizationId };
  const choose = (
    context: "root" | "explore",
    mode: "model" | "chat_default" | "deployment_default",
    modelConfigId: string | null,
  ) => upsertUserOverride(sql, member, { context, mode, modelConfigId, effort: null });
  await choose("explore", "model", own);
  assert.equal(await outcomeOf(world, asked), "own");
  await choose("explore", "deployment_default", null);
  assert.equal(await outcomeOf(world, asked), "theirs");
  await choose("explore", "chat_default", null);
  assert.equal(await outcomeOf(world, asked), "unset");
  const begin = async () => {
    const chosen = await chooseModelForNewChat(depsOf(world), world.user);
    return chosen.ok ? chosen.value.model : chosen.failure.message;
  };
  assert.equal(await begin(), "usual");
  await choose("root", "model", own);
  assert.equal(await begin(), "own");
});
