/** Which model a child works with, on a real database: who decides before whom, and what is passed over. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import { upsertOverride, upsertUserOverride } from "../models/model-override-store.ts";
import type { ModelRouter } from "../models/model-router.ts";
import { chooseOverride } from "../models/model-selection-actions.ts";
import { authSource, catalog, provider } from "../models/models-testkit.ts";
import { chatWorld } from "../state/chat-world-testkit.ts";
import type { SubagentType } from "../tools/subagent-port.ts";
import { childModels } from "./child-models-actions.ts";

const [KEYLESS, OFF] = [randomUUID(), randomUUID()];

async function childWorld() {
  const chats = await chatWorld();
  const { database, organizationId, ownerId, modelConfigId } = chats;
  const isAllowed = { personal: true };
  const selection = {
    database,
    catalog: catalog([
      provider({ id: KEYLESS, name: "keyless", hasCentralCredentials: false }),
      provider({ id: OFF, name: "off", enabled: false }),
    ]),
    providerAuth: authSource(),
    isGatewayRoutingEnabled: false,
    arePersonalModelsAllowed: async () => isAllowed.personal,
  };
  const override: ModelRouter["override"] = (user, context, modes) =>
    chooseOverride(selection, user, { context, modes });
  // Nothing else of it is asked.
  const models = childModels(selection, { override } as ModelRouter);
  const parent = {
    ...{ id: randomUUID(), ownerId, organizationId, workspaceId: null, parentChatId: null },
    ...{ rootChatId: null, mode: null, planMode: null, fence: 1 },
    ...{ lastModelConfigId: modelConfigId, lastReasoningEffort: "high" as const },
  };
  const member = { userId: ownerId, organizationId };
  return {
    ...{ chats, models, parent, isAllowed },
    childOf: async (
      type: SubagentType,
      named: { readonly id?: string; readonly effort?: ReasoningEffort } = {},
    ) => {
      const { id = null, effort = null } = named;
      const wanted = { type, modelConfigId: id, reasoningEffort: effort };
      const chosen = await models.childModel(parent, wanted);
      return chosen.ok
        ? [chosen.value.modelConfigId, chosen.value.reasoningEffort]
        : chosen.failure;
    },
    forAll: (context: SubagentType, id: string, effort: ReasoningEffort | null = null) =>
      upsertOverride(database.sql, organizationId, { context, modelConfigId: id, effort }),
    forAnn: (
      context: SubagentType,
      mode: "model" | "chat_default" | "deployment_default",
      id: string | null = null,
    ) =>
      upsertUserOverride(database.sql, member, { context, mode, modelConfigId: id, effort: null }),
    disable: (id: string) =>
      database.pool.query("update chat_model_configs set enabled = false where id = $1", [id]),
    [Symbol.asyncDispose]: () => chats[Symbol.asyncDispose](),
  };
}

test("a child's model is the one that is named, or the person's choice, or everybody's, or its parent's", async () => {
  await using world = await childWorld();
  const { chats, childOf } = world;
  const [everybodys, anns, named] = [
    await chats.addModel(),
    await chats.addModel(),
    await chats.addModel(),
  ];
  for (const type of ["general", "explore"] as const) {
    assert.deepEqual(await childOf(type), [chats.modelConfigId, "high"]);
    assert.deepEqual(await childOf(type, { effort: "low" }), [chats.modelConfigId, "low"]);
  }
  await world.forAll("explore", everybodys, "low");
  assert.deepEqual(await childOf("explore"), [everybodys, "low"]);
  assert.deepEqual(await childOf("explore", { effort: "minimal" }), [everybodys, "minimal"]);
  assert.deepEqual(await childOf("general"), [chats.modelConfigId, "high"], "it is not for these");
  await world.forAnn("explore", "model", anns);
  assert.deepEqual(await childOf("explore"), [anns, null]);
  assert.deepEqual(await childOf("explore", { id: named }), [named, null]);
  world.isAllowed.personal = false;
  assert.deepEqual(await childOf("explore"), [everybodys, "low"]);
  world.isAllowed.personal = true;
  await world.forAnn("explore", "chat_default");
  assert.deepEqual(await childOf("explore"), [chats.modelConfigId, "high"], "nobody else is asked");
  await world.forAnn("explore", "deployment_default");
  assert.deepEqual(await childOf("explore"), [everybodys, "low"]);
});

test("a choice that cannot be used any more is passed over, and one that cannot be read stops", async () => {
  await using world = await childWorld();
  const { chats, childOf } = world;
  const [everybodys, anns] = [await chats.addModel(), await chats.addModel()];
  await world.forAll("general", everybodys);
  await world.forAll("explore", everybodys);
  await world.forAnn("explore", "model", anns);
  await world.disable(anns);
  assert.deepEqual(await childOf("explore"), [chats.modelConfigId, "high"]);
  await world.disable(everybodys);
  assert.deepEqual(await childOf("general"), [chats.modelConfigId, "high"]);
  const away = { override: () => Promise.reject(new Error("the database is away")) };
  const models = childModels({} as never, away as unknown as ModelRouter);
  const wanted = { type: "general", modelConfigId: null, reasoningEffort: null } as const;
  await assert.rejects(models.childModel(world.parent, wanted), /the database is away/);
});

test("a model that is named has to be one that its owner can use, and those are listed", async () => {
  await using world = await childWorld();
  const { chats, childOf, models } = world;
  const { pool } = chats.database;
  const [usable, disabled, keyless, off] = [
    await chats.addModel(),
    await chats.addModel(),
    await chats.addModel(),
    await chats.addModel(),
  ];
  await world.disable(disabled);
  for (const [model, at] of [
    [keyless, KEYLESS],
    [off, OFF],
  ]) {
    await pool.query(
      `insert into ai_providers (id, type, name, display_name, enabled, base_url, created_at, updated_at)
       values ($1, 'openai', $2, '', true, 'http://x.test', now(), now())`,
      [at, `p-${at}`],
    );
    await pool.query("update chat_model_configs set ai_provider_id = $2 where id = $1", [
      model,
      at,
    ]);
  }
  for (const id of [disabled, keyless, off, randomUUID()]) {
    assert.match(String(await childOf("general", { id })), /list_subagent_models/);
  }
  assert.deepEqual(await childOf("general", { id: usable, effort: "low" }), [usable, "low"]);
  const listed = await models.usableModels(world.parent);
  assert.deepEqual(
    new Map(listed.map(({ modelConfigId, isDefault }) => [modelConfigId, isDefault])),
    new Map([
      [chats.modelConfigId, true],
      [usable, false],
    ]),
  );
});
