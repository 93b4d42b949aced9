/** What goes out, and what is refused before anything does: the seed's rules of building models. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Secret } from "@atelier/base/secret";
import { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import {
  ModelTransportSlot,
  ProviderAuth,
  type ModelFetch,
} from "@atelier/contract/rpc/model-transport";
import { MODEL_BUILDERS } from "./model-builders-io.ts";
import { newModel, type ModelClientDeps } from "./model-clients-io.ts";
import {
  agentsUserAgent,
  type ModelBuildOptions,
  type ModelClientRequest,
  type ResolvedModelRoute,
} from "./model-route.ts";
import { ProviderKeys, type DirectAccess } from "./provider-keys.ts";
import type { ChatProviderType } from "./provider-names.ts";
import { CENTRAL_KEY, CHAT, OWN_KEY, provider, transportsTo, upstream } from "./models-testkit.ts";

const USER_AGENT = agentsUserAgent({ version: "1.2.3", platform: "linux", architecture: "x64" });
const OPTIONS: ModelBuildOptions = {
  activeApiKeyId: "key-id-1",
  ...{ recordHttp: null, hold: null },
};

function request(modelName: string, fields: Partial<ModelClientRequest> = {}): ModelClientRequest {
  return {
    chat: CHAT,
    modelName,
    userAgent: USER_AGENT,
    extraHeaders: {},
    callConfig: {},
    ...fields,
  };
}

function world(fields: Partial<ModelClientDeps> = {}) {
  const [gateway, provided] = [upstream(), upstream()];
  const transports = transportsTo(gateway.fetch);
  const deps = { builders: MODEL_BUILDERS, transports, directFetch: provided.fetch, ...fields };
  return { gateway: gateway.sent, direct: provided.sent, transports, deps };
}

function gatewayRoute(type: ModelProviderType, auth = ProviderAuth.none): ResolvedModelRoute {
  return {
    kind: "ai_gateway",
    provider: provider({ type }),
    modelProviderHint: type,
    providerAuth: auth,
  };
}

function directRoute(
  type: ChatProviderType,
  fields: Partial<DirectAccess> = {},
): ResolvedModelRoute {
  const base = { key: new Secret(CENTRAL_KEY), bedrock: null, apiVersion: null };
  const access = { ...base, baseUrl: `http://${type}.test/x`, ...fields };
  return { kind: "direct", providerHint: type, keys: ProviderKeys.of([[type, access]]) };
}

async function ask(
  deps: ModelClientDeps,
  wanted: ModelClientRequest,
  route: ResolvedModelRoute,
  options = OPTIONS,
) {
  const built = await newModel(deps, wanted, route, options);
  assert.ok(built.ok, JSON.stringify(built));
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];
  await assert.rejects(async () => built.value.model.doGenerate({ prompt, maxOutputTokens: 10 }));
  return built.value;
}

async function refusal(deps: ModelClientDeps, route: ResolvedModelRoute, options = OPTIONS) {
  const built = await newModel(deps, request("gpt-x"), route, options);
  assert.ok(!built.ok);
  return built.failure;
}

for (const [type, url, family] of [
  ["openai", "http://coder-aibridge/v1/responses", "openai-responses"],
  ["anthropic", "http://coder-aibridge/v1/messages", "anthropic"],
  ["bedrock", "http://coder-aibridge/v1/messages", "anthropic"],
  ["google", "http://coder-aibridge/v1/chat/completions", "openai-compat"],
  ["azure", "http://coder-aibridge/v1/chat/completions", "openai-compat"],
  ["openrouter", "http://coder-aibridge/v1/chat/completions", "openai-compat"],
  ["vercel", "http://coder-aibridge/v1/chat/completions", "openai-compat"],
  ["openai-compat", "http://coder-aibridge/v1/chat/completions", "openai-compat"],
] as const) {
  test(`through the gateway, ${type} is spoken to at ${url}, with a placeholder and one's name`, async () => {
    const { deps, gateway, direct, transports } = world();
    const client = await ask(deps, request("model-x"), gatewayRoute(type));
    assert.equal(client.family, family);
    assert.deepEqual([transports.names, direct.length, gateway.length], [[type], 0, 1]);
    const [sent] = gateway;
    assert.equal(sent?.url, url);
    assert.equal(sent?.body["model"], "model-x");
    const credential =
      family === "anthropic" ? sent?.headers.get("x-api-key") : sent?.headers.get("authorization");
    assert.equal(credential?.replace("Bearer ", ""), "coder-aibridge");
    assert.equal(sent?.headers.get("x-coder-ai-governance-token"), null);
    assert.equal(sent?.delegatedApiKeyId, "key-id-1");
  });

  test(`through the gateway, one's own key of ${type} goes in its header, marked`, async () => {
    const { deps, gateway } = world();
    const auth = ProviderAuth.ownKey(type, new Secret(OWN_KEY));
    await ask(deps, request("model-x"), gatewayRoute(type, auth));
    const headers = gateway[0]?.headers;
    const [own, other] =
      family === "anthropic" ? ["x-api-key", "authorization"] : ["authorization", "x-api-key"];
    assert.equal(headers?.get(own)?.replace("Bearer ", ""), OWN_KEY);
    assert.equal(headers?.get(other), null);
    assert.equal(headers?.get("x-coder-ai-governance-token"), "delegated");
  });
}

test("the gateway is asked for the provider by its name, which says nothing of its type", async () => {
  const { deps, transports, gateway } = world();
  const route = gatewayRoute("anthropic");
  assert.ok(route.kind === "ai_gateway" && route.provider !== null);
  const named = { ...route, provider: { ...route.provider, name: "research-eu" } };
  await ask(deps, request("claude-x"), named);
  assert.deepEqual(
    [transports.names, gateway[0]?.url],
    [["research-eu"], "http://coder-aibridge/v1/messages"],
  );
});

for (const [type, base, url, header] of [
  ["openai", "http://o.test/v1", "http://o.test/v1/responses", "authorization"],
  ["anthropic", "http://a.test", "http://a.test/v1/messages", "x-api-key"],
  ["anthropic", "http://a.test/v1", "http://a.test/v1/messages", "x-api-key"],
  [
    "google",
    "http://g.test/v1beta/openai",
    "http://g.test/v1beta/models/model-x:generateContent",
    "x-goog-api-key",
  ],
  [
    "azure",
    "http://z.test/openai/deployments/d",
    "http://z.test/openai/deployments/d/chat/completions?api-version=2024-10-21",
    "api-key",
  ],
  [
    "azure",
    "http://z.test/openai/v1",
    "http://z.test/openai/v1/responses?api-version=2024-10-21",
    "api-key",
  ],
  ["openai-compat", "http://c.test/v1", "http://c.test/v1/chat/completions", "authorization"],
  ["openrouter", "http://r.test/api/v1", "http://r.test/api/v1/chat/completions", "authorization"],
  ["vercel", "http://v.test/v1", "http://v.test/v1/chat/completions", "authorization"],
] as const) {
  test(`directly, ${type} at ${base} is asked there with its key, and the gateway is not`, async () => {
    const { deps, gateway, direct } = world();
    const apiVersion = type === "azure" ? "2024-10-21" : null;
    const route = directRoute(type, { baseUrl: base, apiVersion });
    await ask(deps, request("model-x"), route, { ...OPTIONS, activeApiKeyId: "" });
    assert.deepEqual([gateway.length, direct.length], [0, 1]);
    assert.equal(direct[0]?.url, url);
    assert.equal(direct[0]?.headers.get(header)?.replace("Bearer ", ""), CENTRAL_KEY);
    if (type === "azure") assert.equal(direct[0]?.headers.get("authorization"), null);
    assert.equal(direct[0]?.headers.get("user-agent"), "atelier-agents/1.2.3 (linux/x64)");
  });
}

const NO_BEDROCK = {
  region: "eu-west-1", model: null, smallFastModel: null, accessKey: null, accessKeySecret: null,
  sessionToken: null, bearerToken: null, profile: null, roleArn: null, externalId: null, stsEndpoint: null,
}; // prettier-ignore

test("directly, Bedrock is signed for with the provider's own credentials, in its region", async () => {
  const { deps, direct } = world();
  const baseUrl = "https://bedrock-runtime.eu-west-1.amazonaws.com";
  const secret = new Secret("aws-secret-0123456789");
  const signed = { ...NO_BEDROCK, accessKey: new Secret("AKIAX"), accessKeySecret: secret };
  await ask(
    deps,
    request("eu.anthropic.claude-x"),
    directRoute("bedrock", { baseUrl, key: null, bedrock: signed }),
  );
  assert.equal(direct[0]?.url, `${baseUrl}/model/eu.anthropic.claude-x/converse`);
  assert.match(
    direct[0]?.headers.get("authorization") ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKIAX\/\d+\/eu-west-1\//,
  );
  const bearer = { ...NO_BEDROCK, model: "eu.mapped", bearerToken: new Secret("aws-bearer") };
  await ask(
    deps,
    request("claude-x"),
    directRoute("bedrock", { baseUrl, key: null, bedrock: bearer }),
  );
  assert.equal(direct[1]?.url, `${baseUrl}/model/eu.mapped/converse`);
  assert.equal(direct[1]?.headers.get("authorization"), "Bearer aws-bearer");
  const ambient = await newModel(
    deps,
    request("claude-x"),
    directRoute("bedrock", { key: null, bedrock: NO_BEDROCK }),
    OPTIONS,
  );
  assert.ok(!ambient.ok && ambient.failure.kind === "config");
});

test("OpenAI's older API is spoken where the configuration says so, either way", async () => {
  for (const route of [gatewayRoute("openai"), directRoute("openai")]) {
    const { deps, gateway, direct } = world();
    const callConfig = ChatModelCallConfig.parse({ openai_config: { use_responses_api: false } });
    const client = await ask(deps, request("gpt-x", { callConfig }), route);
    assert.equal(client.family, "openai-chat");
    assert.match([...gateway, ...direct][0]?.url ?? "", /\/chat\/completions$/);
  }
});

test("the gateway's ways are closed in this order, before anything is sent", async () => {
  const { deps, gateway, transports } = world();
  const route = gatewayRoute("openai");
  assert.ok(route.kind === "ai_gateway" && route.provider !== null);
  const nameless = { ...route, provider: { ...route.provider, name: "" } };
  const bad = { ...route, provider: { ...route.provider, name: "BAD" } };
  const noKey = { ...OPTIONS, activeApiKeyId: "" };
  const none = { ...deps, transports: null };
  const texts = [
    await refusal(none, { kind: "unset" }, noKey),
    await refusal(none, { ...nameless, provider: null }, noKey),
    await refusal(none, { ...nameless, provider: { ...nameless.provider, id: "" } }, noKey),
    await refusal(none, nameless, noKey),
    await refusal(none, route, noKey),
    await refusal(none, route),
    await refusal({ ...deps, transports: new ModelTransportSlot() }, route),
  ];
  assert.deepEqual(transports.names, []);
  texts.push(await refusal(deps, bad));
  assert.deepEqual(
    texts.map(({ kind, message, retryable }) => [kind, message, retryable]),
    [
      ["config", "model route is not configured", false],
      ["config", "AI Gateway routing requires a concrete AI provider", false],
      ["config", "AI Gateway routing requires a concrete AI provider", false],
      ["config", "AI Gateway routing requires an AI provider name", false],
      ["missing_key", "AI Gateway routing requires the active turn API key ID", false],
      ["config", "AI Gateway transport factory is not configured", false],
      ["config", "AI Gateway transport factory is not configured", false],
      ["config", "create AI Gateway transport: provider_name_missing", false],
    ],
  );
  assert.match(texts[4]?.detail ?? "", /Send it again/);
  assert.equal(gateway.length, 0);
});

test("a gateway that comes and goes is found anew for each model", async () => {
  const { deps, transports } = world();
  const slot = new ModelTransportSlot();
  const each = { ...deps, transports: slot };
  const mounted = slot.mount(transports);
  assert.ok((await newModel(each, request("gpt-x"), gatewayRoute("openai"), OPTIONS)).ok);
  mounted[Symbol.dispose]();
  assert.equal(
    (await refusal(each, gatewayRoute("openai"))).message,
    "AI Gateway transport factory is not configured",
  );
});

test("a builder that makes nothing is an error that names provider and model", async () => {
  const { deps } = world();
  const builders = { ...MODEL_BUILDERS, "openai-responses": async () => null };
  for (const route of [gatewayRoute("openai"), directRoute("openai")]) {
    const { kind, message } = await refusal({ ...deps, builders }, route);
    assert.deepEqual([kind, message], ["config", 'provider "openai" made no model for "gpt-x"']);
  }
});

test("directly, a missing key is named, and nothing is sent", async () => {
  const { deps, direct } = world();
  const { kind, message } = await refusal(deps, directRoute("openai", { key: null }));
  assert.deepEqual([kind, message], ["missing_key", "OPENAI_API_KEY is not set"]);
  const azure = await refusal(deps, directRoute("azure", { baseUrl: "" }));
  assert.deepEqual([azure.kind, azure.message], ["config", "Azure OpenAI requires a base URL"]);
  assert.equal(direct.length, 0);
});

test("every call says whose chat it belongs to, a child's also whose child", async () => {
  const child = { ...CHAT, id: "child", parentId: "parent", rootId: "parent", workspaceId: "ws" };
  const none = { ...CHAT, id: null };
  for (const [chat, want] of [
    [CHAT, [CHAT.ownerId, CHAT.id, null, null]],
    [child, [CHAT.ownerId, "parent", "child", "ws"]],
    [none, [CHAT.ownerId, null, null, null]],
  ] as const) {
    for (const route of [gatewayRoute("anthropic"), directRoute("anthropic")]) {
      const { deps, gateway, direct } = world();
      await ask(deps, request("claude-x", { chat, extraHeaders: { "x-more": "1" } }), route);
      const headers = [...gateway, ...direct][0]?.headers;
      const names = ["owner-id", "chat-id", "subchat-id", "workspace-id"];
      assert.deepEqual(
        names.map((name) => headers?.get(`x-coder-${name}`)),
        want,
      );
      assert.equal(headers?.get("user-agent"), "atelier-agents/1.2.3 (linux/x64)");
      assert.equal(headers?.get("x-more"), "1");
    }
  }
});

test("a recorder looks on in both ways, and changes neither", async () => {
  for (const route of [gatewayRoute("openai"), directRoute("openai")]) {
    const { deps, gateway, direct } = world();
    const seen: string[] = [];
    const recordHttp =
      (next: ModelFetch): ModelFetch =>
      (input, init) => {
        seen.push(JSON.stringify([...new Headers(init?.headers)]));
        return next(input, init);
      };
    await ask(deps, request("gpt-x"), route, { ...OPTIONS, recordHttp });
    assert.equal(seen.length, 1);
    assert.equal(gateway.length + direct.length, 1);
  }
});

test("what holds a call back is told to the gateway, which has to do first what comes before a provider", async () => {
  const { deps, gateway } = world();
  const hold = Promise.withResolvers<void>();
  const held = { until: hold.promise, left: () => {} };
  await ask(deps, request("gpt-x"), gatewayRoute("openai"), { ...OPTIONS, hold: held });
  assert.equal(gateway[0]?.hold, held);
});

test("a provider is sent nothing before what holds the call back, and nothing where that fails", async () => {
  const { deps, direct } = world();
  const route = directRoute("openai");
  const hold = Promise.withResolvers<void>();
  let hasLeft = false;
  const left = (): void => {
    hasLeft = true;
  };
  const held = { until: hold.promise, left };
  const asked = ask(deps, request("gpt-x"), route, { ...OPTIONS, hold: held });
  await setImmediate();
  assert.deepEqual([direct.length, hasLeft], [0, false]);
  hold.resolve();
  await asked;
  assert.deepEqual([direct.length, hasLeft], [1, true]);
  hasLeft = false;
  const dropped = { until: Promise.reject(new Error("dropped")), left };
  await ask(deps, request("gpt-x"), route, { ...OPTIONS, hold: dropped });
  assert.deepEqual([direct.length, hasLeft], [1, false]);
});
