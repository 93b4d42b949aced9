/**
 * Whose key serves chats with a provider, as its administrators say (spec agents 8.8): the whole table, by
 * both ways. Judged by what the provider received and by what the picker offers.
 */
import { ProviderKeys } from "@atelier/chat-daemon/models/provider-keys";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CENTRAL_KEY, OWN_KEY, startChatWorld, type ChatWorld } from "./chat-world-on-postgres.ts";

const MODELS = "/api/v2/organizations/default/chats/models";
const PROVIDER = "/api/v2/ai/providers/openai";

type Row = {
  readonly policy: readonly [central: boolean, own: boolean, fallback: boolean];
  readonly withOwn: string;
  readonly without: string;
};
const [yes, no] = [true, false];
const TABLE: readonly Row[] = [
  { policy: [yes, no, no], withOwn: CENTRAL_KEY, without: CENTRAL_KEY },
  { policy: [no, yes, no], withOwn: OWN_KEY, without: "user_api_key_required" },
  { policy: [yes, yes, no], withOwn: OWN_KEY, without: "user_api_key_required" },
  { policy: [yes, yes, yes], withOwn: OWN_KEY, without: CENTRAL_KEY },
];

async function setPolicy(world: ChatWorld, policy: Row["policy"]): Promise<void> {
  const [central_api_key_enabled, allow_user_api_key, allow_central_api_key_fallback] = policy;
  const body = { central_api_key_enabled, allow_user_api_key, allow_central_api_key_fallback };
  const set = await world.api.call("PATCH", PROVIDER, { token: world.owner.token, body });
  assert.equal(set.status, 200, set.text);
}

/** The key that a provider received, or the kind of failure before it was asked. */
async function keyThatServes(world: ChatWorld): Promise<string> {
  const { ann, model, chats } = world;
  const config = { id: "cfg", aiProviderId: world.providerId("openai"), provider: "", model: "m" };
  const route = await chats.models.routeForConfig(ann.id, config, ProviderKeys.none);
  if (!route.ok) return route.failure.kind;
  const chat = { ownerId: ann.id, id: "c", parentId: null, rootId: null, workspaceId: null };
  const client = await chats.models.newModel(
    { chat, modelName: "m", extraHeaders: {}, callConfig: {} },
    route.value,
    { activeApiKeyId: ann.token.split("-")[0] ?? "", recordHttp: null, hold: null },
  );
  if (!client.ok) return client.failure.kind;
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];
  const before = model.requests.length;
  await Promise.resolve(client.value.model.doGenerate({ prompt })).catch(() => {});
  assert.equal(model.requests.length, before + 1);
  return model.requests.at(-1)?.header("authorization")?.replace("Bearer ", "") ?? "";
}

/** What the picker offers ann, and what it says of the provider. */
async function picker({ api, ann }: ChatWorld) {
  const seen = await api.call("GET", MODELS, { token: ann.token });
  assert.equal(seen.status, 200, seen.text);
  const { models, providers } = seen.body as {
    models: { model: string }[];
    providers: Record<string, unknown>[];
  };
  const openai = providers.find(({ name }) => name === "openai");
  return { models: models.map(({ model }) => model), openai };
}

for (const isGatewayRoutingEnabled of [true, false]) {
  const way = isGatewayRoutingEnabled ? "through the gateway" : "directly";
  test(`${way}, the key that the policy names serves, and no other; the picker says the same`, async () => {
    await using world = await startChatWorld({ isGatewayRoutingEnabled, hasKeyless: false });
    const { api, owner, ann } = world;
    const body = { ai_provider_id: world.providerId("openai"), model: "m", context_limit: 1_000 };
    const added = await api.call("POST", MODELS, { token: owner.token, body });
    assert.equal(added.status, 201, added.text);
    for (const hasOwn of [false, true]) {
      if (hasOwn) {
        await setPolicy(world, [yes, yes, yes]);
        const path = "/api/v2/users/me/ai/provider-keys/openai";
        const set = await api.call("PUT", path, { token: ann.token, body: { api_key: OWN_KEY } });
        assert.equal(set.status, 200, set.text);
      }
      for (const { policy, withOwn, without } of TABLE) {
        const want = hasOwn ? withOwn : without;
        const isUsable = want.startsWith("sk-");
        const name = JSON.stringify({ policy, hasOwn });
        await setPolicy(world, policy);
        assert.equal(await keyThatServes(world), isUsable ? want : "missing_key", name);
        const { models, openai } = await picker(world);
        assert.deepEqual(models, isUsable ? ["m"] : [], name);
        assert.deepEqual(
          { ...openai, id: "", warnings: [] },
          {
            ...{ id: "", name: "openai", type: "openai", display_name: "", enabled: true },
            has_api_key: true,
            has_user_api_key: hasOwn,
            has_effective_api_key: isUsable,
            allow_user_api_key: policy[1],
            available: isUsable,
            ...(isUsable ? {} : { unavailable_reason: want }),
            warnings: [],
          },
          name,
        );
      }
    }
  });
}

test("where the deployment lets no own keys serve, the company's do, unless they may not", async () => {
  for (const isGatewayRoutingEnabled of [true, false]) {
    await using world = await startChatWorld({
      ...{ isGatewayRoutingEnabled, allowByok: false, hasKeyless: false },
    });
    const keys: string[] = [];
    for (const { policy } of TABLE) {
      await setPolicy(world, policy);
      keys.push(await keyThatServes(world));
    }
    assert.deepEqual(keys, [CENTRAL_KEY, "missing_key", CENTRAL_KEY, CENTRAL_KEY]);
    const { openai } = await picker(world);
    assert.deepEqual([openai?.["allow_user_api_key"], openai?.["available"]], [false, true]);
  }
});

test("a provider that takes no own keys refuses them, and people see where theirs is needed", async () => {
  await using world = await startChatWorld({ hasKeyless: false });
  const { api, ann, model } = world;
  await setPolicy(world, [yes, no, no]);
  const keys = "/api/v2/users/me/ai/provider-keys";
  const body = { api_key: OWN_KEY };
  const refused = await api.call("PUT", `${keys}/openai`, { token: ann.token, body });
  assert.deepEqual([refused.status, refused.body.code], [403, "ai_user_key.byok_disabled"]);
  const ownKeys = async () =>
    (await api.call("GET", keys, { token: ann.token })).body.provider_keys.find(
      ({ provider_name: name }: { provider_name: string }) => name === "openai",
    );
  assert.deepEqual(
    [(await ownKeys()).allow_user_api_key, (await ownKeys()).user_api_key_required],
    [false, false],
  );
  await setPolicy(world, [no, yes, no]);
  assert.equal((await ownKeys()).user_api_key_required, true);
  assert.equal(model.requests.length, 0);
});
