/**
 * Models for chats with both systems behind a real control plane: who sees and changes what, which model
 * is the default, what the audit log says, and how the port of providers and keys answers.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startChatWorld, type ChatWorld } from "./chat-world-on-postgres.ts";

const MODELS = "/api/v2/organizations/default/chats/models";
const OVERRIDES = "/api/v2/organizations/default/chats/model-overrides";

async function addModel(world: ChatWorld, fields: Record<string, unknown> = {}) {
  const body = {
    ai_provider_id: world.providerId("openai"),
    model: "gpt-x",
    context_limit: 200_000,
    ...fields,
  };
  await world.api.clock.advance(1_000); // Lists are in the order of creation.
  const made = await world.api.call("POST", MODELS, { token: world.owner.token, body });
  assert.equal(made.status, 201, made.text);
  return made.body;
}

async function defaults(world: ChatWorld): Promise<string[]> {
  const { body } = await world.api.call("GET", MODELS, { token: world.owner.token });
  return body.models
    .filter((model: { is_default: boolean }) => model.is_default)
    .map((model: { model: string }) => model.model);
}

test("a model is created with sensible defaults, and the first one is the default", async () => {
  await using world = await startChatWorld();
  const first = await addModel(world, {
    options: { reasoning_effort: { default: "low", max: "medium" } },
  });
  const { id, organization_id, created_at, updated_at } = first;
  assert.deepEqual(first, {
    ...{ id, organization_id, created_at, updated_at },
    ai_provider_id: world.providerId("openai"),
    provider: "openai",
    model: "gpt-x",
    display_name: "",
    enabled: true,
    is_default: true,
    context_limit: 200_000,
    compression_threshold: 70,
    reasoning_efforts: ["none", "minimal", "low", "medium"],
    default_reasoning_effort: "low",
    available: true,
    options: { reasoning_effort: { default: "low", max: "medium" } },
  });
  const long = await addModel(world, { model: "gpt-long", context_limit: 500_000 });
  assert.deepEqual([long.is_default, long.compression_threshold], [false, 30]);
  const shown = await world.api.call("GET", `${MODELS}/${id}`, { token: world.owner.token });
  assert.deepEqual(shown.body, first);
  const alias = await world.api.call("GET", "/api/experimental/chats/model-configs", {
    token: world.owner.token,
  });
  assert.equal(alias.body.count, 2);
  const picker = await world.api.call("GET", "/api/v2/chats/models", { token: world.owner.token });
  assert.deepEqual(picker.body, alias.body);
});

test("there is always exactly one default: the newest wish, an able successor, or the only one", async () => {
  await using world = await startChatWorld();
  const { owner, api } = world;
  const change = async (id: string, body: unknown) => {
    await api.clock.advance(1_000);
    return api.call("PATCH", `${MODELS}/${id}`, { token: owner.token, body });
  };
  const a = await addModel(world, { model: "a" });
  assert.equal((await change(a.id, { is_default: false })).body.is_default, true);
  const b = await addModel(world, { model: "b", is_default: true });
  assert.deepEqual(await defaults(world), ["b"]);
  await addModel(world, { model: "c", enabled: false });
  await change(b.id, { is_default: false });
  assert.deepEqual(await defaults(world), ["a"]);
  await change(b.id, { is_default: true, display_name: "Bee" });
  assert.deepEqual(await defaults(world), ["b"]);
  await change(a.id, { enabled: false });
  await api.clock.advance(1_000);
  assert.equal((await api.call("DELETE", `${MODELS}/${b.id}`, { token: owner.token })).status, 204);
  assert.deepEqual(await defaults(world), ["a"]);
  assert.equal((await api.call("GET", `${MODELS}/${b.id}`, { token: owner.token })).status, 404);
  const { rows } = await api.database.pool.query(
    "select action, resource_target, diff from audit_events where resource_type = 'chat_model' order by time",
  );
  assert.deepEqual(
    rows.map(({ action }) => action),
    ["create", "write", "create", "create", "write", "write", "write", "delete"],
  );
  assert.deepEqual(rows.at(-2)?.diff, { enabled: { old: true, new: false } });
  assert.equal(rows.at(-1)?.resource_target, "Bee");
});

test("many who create at once leave one default", async () => {
  await using world = await startChatWorld();
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map((n) => addModel(world, { model: `m${n}`, is_default: n % 2 === 0 })),
  );
  assert.equal((await defaults(world)).length, 1);
});

test("what cannot be a model is refused field by field", async () => {
  await using world = await startChatWorld();
  const { owner, api } = world;
  const body = { ai_provider_id: world.providerId("openai"), model: "gpt-x", context_limit: 1_000 };
  for (const [wrong, field] of [
    [{ context_limit: 0 }, "context_limit"],
    [{ compression_threshold: 101 }, "compression_threshold"],
    [{ model: " " }, "model"],
    [{ ai_provider_id: world.owner.id }, "ai_provider_id"],
    [{ ai_provider_id: world.providerId("copilot") }, "ai_provider_id"],
    [{ options: { max_tokens: 5 } }, "options"],
  ] as const) {
    const answer = await api.call("POST", MODELS, {
      token: owner.token,
      body: { ...body, ...wrong },
    });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.body.validations[0].field, new RegExp(`^${field}`));
  }
  const elsewhere = "/api/v2/organizations/00000000-0000-4000-8000-000000000000/chats/models";
  assert.equal((await api.call("POST", elsewhere, { token: owner.token, body })).status, 404);
});

test("people see the models that they can use, without options; administrators see all", async () => {
  await using world = await startChatWorld();
  const { api, owner, ann } = world;
  await addModel(world, { options: { temperature: 0.5 } });
  await addModel(world, { model: "off", enabled: false });
  const keyless = await addModel(world, {
    model: "keyless",
    ai_provider_id: world.providerId("keyless"),
  });
  const seenBy = async (token: string) => (await api.call("GET", MODELS, { token })).body;
  const mine = await seenBy(ann.token);
  assert.deepEqual(
    mine.models.map((model: { model: string }) => model.model),
    ["gpt-x"],
  );
  assert.equal(mine.models[0].options, undefined);
  assert.equal(
    (await api.call("GET", `${MODELS}/${keyless.id}`, { token: ann.token })).status,
    404,
  );
  assert.deepEqual(
    (await seenBy(owner.token)).models.map(
      (each: { model: string; unavailable_reason?: string }) => [
        each.model,
        each.unavailable_reason,
      ],
    ),
    [
      ["gpt-x", undefined],
      ["off", undefined],
      ["keyless", "user_api_key_required"],
    ],
  );
  const own = `/api/v2/users/me/ai/provider-keys/keyless`;
  const set = await api.call("PUT", own, {
    token: ann.token,
    body: { api_key: "sk-own-0123456789abcdef" },
  });
  assert.equal(set.status, 200, set.text);
  const after = await seenBy(ann.token);
  assert.deepEqual(
    after.models.map((model: { model: string }) => model.model),
    ["gpt-x", "keyless"],
  );
  const provider = after.providers.find(({ name }: { name: string }) => name === "keyless");
  assert.deepEqual(
    [
      provider.has_api_key,
      provider.has_user_api_key,
      provider.has_effective_api_key,
      provider.available,
    ],
    [false, true, true, true],
  );
  assert.deepEqual(
    after.unsupported_providers.map(({ type }: { type: string }) => type),
    ["copilot"],
  );
  assert.doesNotMatch(JSON.stringify(after), /sk-/);
  const off = await api.call("PATCH", "/api/v2/ai/providers/openai", {
    token: owner.token,
    body: { enabled: false },
  });
  assert.equal(off.status, 200, off.text);
  assert.deepEqual(
    (await seenBy(ann.token)).models.map((model: { model: string }) => model.model),
    ["keyless"],
  );
  const body = { token_name: "narrow", scopes: ["user:read"] };
  const token = await api.call("POST", "/api/v2/users/me/keys/tokens", { token: ann.token, body });
  assert.equal((await api.call("GET", MODELS, { token: token.body.key })).status, 404);
  for (const method of ["POST", "PATCH", "DELETE"]) {
    const path = method === "POST" ? MODELS : `${MODELS}/${keyless.id}`;
    const wanted = { ai_provider_id: world.providerId("openai"), model: "x", context_limit: 1 };
    const answer = await api.call(method, path, {
      token: ann.token,
      ...(method === "DELETE" ? {} : { body: wanted }),
    });
    assert.equal(answer.status, 404);
  }
});

test("without BYOK, one's own key makes no model available", async () => {
  await using world = await startChatWorld({ allowByok: false, hasKeyless: false });
  const { body } = await world.api.call("GET", MODELS, { token: world.owner.token });
  assert.equal(body.providers[0].allow_user_api_key, false);
});

test("certain work is given a model of its own, which then cannot be deleted", async () => {
  await using world = await startChatWorld();
  const { api, owner } = world;
  const model = await addModel(world);
  const put = (context: string, body: unknown) =>
    api.call("PUT", `${OVERRIDES}/${context}`, { token: owner.token, body });
  assert.equal(
    (await put("compaction", { model_config_id: model.id, reasoning_effort: "low" })).status,
    204,
  );
  assert.equal((await put("compaction", { model_config_id: owner.id })).status, 400);
  assert.equal((await put("other", { model_config_id: model.id })).status, 400);
  const read = async () =>
    (await api.call("GET", OVERRIDES, { token: owner.token })).body.overrides;
  assert.deepEqual(await read(), [
    { context: "compaction", model_config_id: model.id, reasoning_effort: "low" },
  ]);
  const refused = await api.call("DELETE", `${MODELS}/${model.id}`, { token: owner.token });
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.detail],
    [409, "chat_model.in_use", "It serves: compaction."],
  );
  assert.equal((await put("compaction", { model_config_id: "" })).status, 204);
  assert.deepEqual(await read(), []);
  assert.equal(
    (await api.call("DELETE", `${MODELS}/${model.id}`, { token: owner.token })).status,
    204,
  );
});

test("people choose for their own chats, and nobody for another's", async () => {
  await using world = await startChatWorld();
  const { api, ann, owner } = world;
  const model = await addModel(world);
  const path = (user: string) =>
    `/api/v2/organizations/default/members/${user}/chats/model-overrides`;
  const body = { mode: "model", model_config_id: model.id };
  assert.equal(
    (await api.call("PUT", `${path("me")}/root`, { token: ann.token, body })).status,
    204,
  );
  assert.equal(
    (await api.call("PUT", `${path("ann")}/general`, { token: owner.token, body })).status,
    404,
  );
  assert.equal(
    (await api.call("PUT", `${path("me")}/general`, { token: ann.token, body: { mode: "model" } }))
      .status,
    400,
  );
  const seen = await api.call("GET", path("ann"), { token: owner.token });
  assert.deepEqual(seen.body.overrides, [
    { context: "root", mode: "model", model_config_id: model.id },
  ]);
  const user = { ownerId: ann.id, organizationId: model.organization_id };
  const chosen = await world.chats.models.modelForNewChat(user);
  assert.ok(chosen.ok && chosen.value.id === model.id);
  // Where administrators take it back, the choice stays and does not count.
  const other = await addModel(world, { model: "other", is_default: true });
  const allow = (allow_users: boolean) =>
    api.call("PUT", "/api/v2/chats/config/personal-model-overrides", {
      token: owner.token,
      body: { allow_users },
    });
  const nameOfNew = async () => {
    const found = await world.chats.models.modelForNewChat(user);
    return found.ok && found.value.model;
  };
  assert.equal((await allow(false)).status, 204);
  assert.equal(await nameOfNew(), "other");
  const refused = await api.call("PUT", `${path("me")}/root`, { token: ann.token, body });
  assert.deepEqual([refused.status, refused.body.code], [403, "chat_model.own_choice_off"]);
  const kept = await api.call("GET", path("me"), { token: ann.token });
  assert.deepEqual([kept.body.overrides.length, kept.body.is_allowed], [1, false]);
  assert.equal((await allow(true)).status, 204);
  assert.equal(await nameOfNew(), model.model);
  await api.call("DELETE", `${MODELS}/${other.id}`, { token: owner.token });
  assert.equal(
    (await api.call("DELETE", `${MODELS}/${model.id}`, { token: owner.token })).status,
    204,
  );
  assert.deepEqual((await api.call("GET", path("me"), { token: ann.token })).body.overrides, []);
  assert.equal((await world.chats.models.modelForNewChat(user)).ok, false);
});

test("a chat's model that is gone or off is replaced by the default; an override is not, silently", async () => {
  await using world = await startChatWorld();
  const { api, owner, ann, chats } = world;
  const usual = await addModel(world, { model: "usual" });
  const own = await addModel(world, { model: "own" });
  const user = { ownerId: ann.id, organizationId: usual.organization_id };
  const modelOf = async () => {
    const chosen = await chats.models.modelOfChat(user, { modelConfigId: own.id, effort: null });
    return chosen.ok ? chosen.value.config.model : chosen.failure.message;
  };
  const modes = { query: "hard", config: "soft", provider: "soft" } as const;
  const override = () => chats.models.override(user, "general", modes);
  assert.deepEqual(await override(), { ok: true, value: { kind: "unset" } });
  const chosen = { model_config_id: own.id };
  await api.call("PUT", `${OVERRIDES}/general`, { token: owner.token, body: chosen });
  const kindOf = async () => {
    const outcome = await override();
    return outcome.ok ? outcome.value.kind : "failure";
  };
  assert.deepEqual([await modelOf(), await kindOf()], ["own", "model"]);
  await api.call("PATCH", `${MODELS}/${own.id}`, { token: owner.token, body: { enabled: false } });
  assert.deepEqual([await modelOf(), await kindOf()], ["usual", "unusable"]);
  const hard = await chats.models.override(user, "general", { ...modes, config: "hard" });
  assert.equal(hard.ok, false);
  await api.call("PATCH", "/api/v2/ai/providers/openai", {
    token: owner.token,
    body: { enabled: false },
  });
  assert.equal(await modelOf(), "No model is configured for chats.");
});

test("while the chat daemon is away its part of the API is unavailable, and attempts are audited", async () => {
  await using world = await startChatWorld();
  world.stopServing();
  const answer = await world.api.call("GET", MODELS, { token: world.owner.token });
  assert.deepEqual([answer.status, answer.body.code], [503, "server.unavailable"]);
});
