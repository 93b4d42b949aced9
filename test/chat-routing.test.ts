/**
 * The seed's matrix: which key reaches a provider and by which way, for chats that go through the gateway
 * or not, of people with and without a key of their own. Judged by what the provider received.
 */
import { ProviderKeys } from "@atelier/chat-daemon/models/provider-keys";
import type { ResolvedModelRoute } from "@atelier/chat-daemon/models/model-route";
import { startTestControlPlane } from "@atelier/control-plane/control-plane-on-postgres-testkit";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CENTRAL_KEY, OWN_KEY, startChatWorld, type ChatWorld } from "./chat-world-on-postgres.ts";

const TYPES = [
  "openai",
  "anthropic",
  "openai-compat",
  "azure",
  "google",
  "openrouter",
  "vercel",
] as const;
type Type = (typeof TYPES)[number];

/** Where each way ends at the provider, and in which header the key stands there. */
const GATEWAY: Readonly<Record<Type, readonly [path: string, header: string]>> = {
  openai: ["/v1/responses", "authorization"],
  anthropic: ["/v1/messages", "x-api-key"],
  "openai-compat": ["/v1/chat/completions", "authorization"],
  azure: ["/v1/chat/completions", "api-key"],
  google: ["/v1/chat/completions", "authorization"],
  openrouter: ["/v1/chat/completions", "authorization"],
  vercel: ["/v1/chat/completions", "authorization"],
};
const DIRECT: Readonly<Record<Type, readonly [path: string, header: string]>> = {
  ...GATEWAY,
  azure: ["/v1/responses", "api-key"],
  google: ["/v1/models/model-x:generateContent", "x-goog-api-key"],
};

function requestOf(world: ChatWorld) {
  const chat = {
    ...{ ownerId: world.ann.id, id: "chat-1" },
    ...{ parentId: null, rootId: null, workspaceId: null },
  };
  return { chat, modelName: "model-x", extraHeaders: {}, callConfig: {} };
}

async function ask(
  world: ChatWorld,
  route: ResolvedModelRoute,
  activeApiKeyId: string,
): Promise<void> {
  const client = await world.chats.models.newModel(requestOf(world), route, {
    activeApiKeyId,
    recordHttp: null,
    hold: null,
  });
  assert.ok(client.ok, JSON.stringify(client));
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];
  // Whether the answer is one that the SDK likes is not the question here.
  await Promise.resolve(client.value.model.doGenerate({ prompt, maxOutputTokens: 10 })).catch(
    () => {},
  );
}

async function routesTo(world: ChatWorld, type: Type): Promise<ResolvedModelRoute[]> {
  const { models } = world.chats;
  const config = {
    id: "cfg",
    aiProviderId: world.providerId(type),
    provider: "",
    model: "model-x",
  };
  const routes = [
    await models.routeForConfig(world.ann.id, config, ProviderKeys.none),
    await models.routeForProviderType(world.ann.id, type),
  ];
  return routes.map((route) => {
    assert.ok(route.ok, JSON.stringify(route));
    return route.value;
  });
}

for (const isGatewayRoutingEnabled of [true, false]) {
  for (const hasOwnKey of [true, false]) {
    const way = isGatewayRoutingEnabled ? "through the gateway" : "directly";
    const whose = hasOwnKey ? "one's own key" : "the company's key";
    test(`${way}, ${whose} reaches every type of provider, and no other key does`, async () => {
      await using world = await startChatWorld({ isGatewayRoutingEnabled, hasKeyless: false });
      const { api, ann, model, directCalls } = world;
      const [apiKeyId = ""] = ann.token.split("-");
      for (const type of TYPES) {
        if (hasOwnKey) {
          const path = `/api/v2/users/me/ai/provider-keys/${type}`;
          const set = await api.call("PUT", path, { token: ann.token, body: { api_key: OWN_KEY } });
          assert.equal(set.status, 200, set.text);
        }
        for (const route of await routesTo(world, type)) {
          const before = { requests: model.requests.length, direct: directCalls.length };
          // Without the gateway, nobody has to be named.
          await ask(world, route, isGatewayRoutingEnabled ? apiKeyId : "");
          const [path, usual] = (isGatewayRoutingEnabled ? GATEWAY : DIRECT)[type];
          // The gateway hands one's own key on in the header that it came in.
          const isHandedOn = isGatewayRoutingEnabled && hasOwnKey && type === "azure";
          const header = isHandedOn ? "authorization" : usual;
          assert.equal(model.requests.length, before.requests + 1, type);
          const request = model.requests.at(-1);
          assert.equal(request?.path, path, type);
          const key = hasOwnKey ? OWN_KEY : CENTRAL_KEY;
          assert.equal(request?.header(header)?.replace("Bearer ", ""), key, type);
          const all = JSON.stringify(request?.headers);
          assert.doesNotMatch(all, /coder-aibridge|governance/i);
          assert.ok(!all.includes(hasOwnKey ? CENTRAL_KEY : OWN_KEY), type);
          assert.equal(directCalls.length - before.direct, isGatewayRoutingEnabled ? 0 : 1);
          assert.equal(
            request?.header("x-coder-chat-id"),
            isGatewayRoutingEnabled ? undefined : "chat-1",
          );
          assert.equal(request?.header("user-agent"), "atelier-agents/1.2.3 (linux/x64)");
        }
      }
      await api.plane.recorder.drain(AbortSignal.timeout(60_000));
      const { rows } = await api.database.pool.query(
        "select distinct credential_kind, initiator_id, client from ai_interceptions",
      );
      const kind = hasOwnKey ? "byok" : "centralized";
      const record = { credential_kind: kind, initiator_id: ann.id, client: "Atelier Agents" };
      assert.deepEqual(rows, isGatewayRoutingEnabled ? [record] : []);
    });
  }
}

test("answers stream through both ways, in every protocol that the scripted model speaks", async () => {
  for (const isGatewayRoutingEnabled of [true, false]) {
    await using world = await startChatWorld({ isGatewayRoutingEnabled, hasKeyless: false });
    for (const type of ["openai", "anthropic", "openai-compat", "openrouter", "vercel"] as const) {
      const [route] = await routesTo(world, type);
      assert.ok(route !== undefined);
      const options = {
        activeApiKeyId: world.ann.token.split("-")[0] ?? "",
        recordHttp: null,
        hold: null,
      };
      const client = await world.chats.models.newModel(requestOf(world), route, options);
      assert.ok(client.ok);
      const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];
      const { stream } = await client.value.model.doStream({ prompt, maxOutputTokens: 10 });
      let text = "";
      for await (const part of stream) if (part.type === "text-delta") text += part.delta;
      assert.equal(text, "You said: hi", type);
    }
  }
});

test("through the gateway, a call without somebody's live API key reaches nobody", async () => {
  await using world = await startChatWorld({ hasKeyless: false });
  const [route] = await routesTo(world, "openai");
  assert.ok(route !== undefined);
  await ask(world, route, "unknownkey");
  const refused = await world.chats.models.newModel(requestOf(world), route, {
    activeApiKeyId: "",
    recordHttp: null,
    hold: null,
  });
  assert.deepEqual(!refused.ok && refused.failure.kind, "missing_key");
  assert.deepEqual([world.model.requests.length, world.directCalls.length], [0, 0]);
});

test("where own keys are not allowed, one that was stored before serves neither way", async () => {
  await using world = await startChatWorld();
  const { api, ann } = world;
  const path = "/api/v2/users/me/ai/provider-keys/openai";
  await api.call("PUT", path, { token: ann.token, body: { api_key: OWN_KEY } });
  const id = world.providerId("openai");
  const keyOf = async (plane: ChatWorld["api"]["plane"]) =>
    (await plane.chats.providers.directCredentials(ann.id, id)).key?.reveal();
  await using strict = await startTestControlPlane({
    database: api.database,
    config: { allowByok: false },
  });
  assert.deepEqual([await keyOf(api.plane), await keyOf(strict.plane)], [OWN_KEY, CENTRAL_KEY]);
  const own = await strict.plane.chats.providers.providersWithOwnKey(ann.id);
  assert.deepEqual([own.size, strict.plane.chats.providers.areOwnKeysAllowed], [0, false]);
  assert.equal(
    (await strict.plane.providerAuth.authOf(ann.id, { id, type: "openai" })).isNone,
    true,
  );
});

for (const isGatewayRoutingEnabled of [true, false]) {
  const way = isGatewayRoutingEnabled ? "through the gateway" : "directly";
  test(`${way}, computer use reaches a concrete provider, and says when there is no key`, async () => {
    await using world = await startChatWorld({ isGatewayRoutingEnabled, hasKeyless: false });
    const { api, ann, owner, chats } = world;
    const found = await chats.models.computerUse(ann.id, "anthropic");
    assert.ok(found.ok);
    const { route, modelName } = found.value;
    assert.equal(modelName, "claude-opus-4-6");
    if (route.kind === "ai_gateway") {
      assert.equal(route.provider?.id, world.providerId("anthropic"));
    }
    await ask(world, route, ann.token.split("-")[0] ?? "");
    assert.equal(world.model.requests.at(-1)?.header("x-api-key"), CENTRAL_KEY);
    const path = "/api/v2/ai/providers/anthropic";
    const without = await api.call("PATCH", path, { token: owner.token, body: { api_keys: [] } });
    assert.equal(without.status, 200, without.text);
    const refused = await chats.models.computerUse(ann.id, "anthropic");
    assert.deepEqual(!refused.ok && [refused.failure.kind, refused.failure.message], [
      "missing_key",
      'API key for computer-use provider "anthropic" is not configured',
    ]);
    assert.equal((await chats.models.routeForProviderType(ann.id, "bedrock")).ok, false);
  });
}
