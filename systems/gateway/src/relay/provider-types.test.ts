/** Each type of model provider end to end: where a request goes, and whose credential stands where. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import {
  answerJson,
  onBody,
  provider,
  startTestGateway,
  TOKEN,
  type TestGateway,
} from "./gateway-testkit.ts";
import { CHAT_ANSWER, CHAT_BODY, MESSAGES_BODY } from "./gateway-traffic-testkit.ts";

type Seen = {
  readonly url: string | undefined;
  /** Those in which a credential can stand. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
};

type World = AsyncDisposable & { readonly gateway: TestGateway; readonly seen: Seen[] };

/** A gateway with one provider, named as its type; the upstream notes what reaches it. */
async function startWorld(
  type: ModelProviderType,
  basePath: string,
  {
    keys,
    apiVersion,
    sendActorHeaders = false,
  }: Partial<GatewayProvider> & { sendActorHeaders?: boolean } = {},
): Promise<World> {
  const seen: Seen[] = [];
  const overrides = { ...(keys ? { keys } : {}), apiVersion: apiVersion ?? null };
  const gateway = await startTestGateway({
    upstream: (req, res) => {
      const { authorization, "x-api-key": xApiKey, "api-key": apiKey } = req.headers;
      const credentials = { authorization, "x-api-key": xApiKey, "api-key": apiKey };
      const sent = Object.entries(credentials).filter(([, value]) => value !== undefined);
      seen.push({
        url: req.url,
        credentials: Object.fromEntries(sent) as Record<string, string>,
        headers: req.headers,
      });
      answerJson(res, 200, CHAT_ANSWER);
    },
    providers: (url) => [provider(type, type, `${url}${basePath}`, overrides)],
    config: { sendActorHeaders },
  });
  return { gateway, seen, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

type Case = {
  readonly name: string;
  readonly type: ModelProviderType;
  readonly basePath: string;
  readonly apiVersion?: string;
  readonly route: string;
  readonly body?: string;
  /** The caller's own; without it our token stands in the usual header. */
  readonly own?: Readonly<Record<string, string>>;
  /** Path and query, then the credential. */
  readonly want: readonly [url: string, credentials: Readonly<Record<string, string>>];
};

const CENTRAL_BEARER = { authorization: "Bearer sk-central" };
const OWN_BEARER = { authorization: "Bearer own-0123456789abcdef" };
const DEPLOYMENT = "/openai/deployments/gpt";

const CASES: readonly Case[] = [
  { name: "Google", type: "google", basePath: "/v1beta/openai", route: "/v1/chat/completions", want: ["/v1beta/openai/chat/completions", CENTRAL_BEARER] },
  { name: "Google's models", type: "google", basePath: "/v1beta/openai/", route: "/v1/models", want: ["/v1beta/openai/models", CENTRAL_BEARER] },
  { name: "Google with an own key", type: "google", basePath: "/v1beta/openai", route: "/v1/chat/completions", own: OWN_BEARER, want: ["/v1beta/openai/chat/completions", OWN_BEARER] },
  { name: "OpenRouter", type: "openrouter", basePath: "/api/v1", route: "/v1/chat/completions", want: ["/api/v1/chat/completions", CENTRAL_BEARER] },
  { name: "OpenRouter with an own key", type: "openrouter", basePath: "/api/v1", route: "/v1/responses", own: OWN_BEARER, want: ["/api/v1/responses", OWN_BEARER] },
  { name: "Vercel", type: "vercel", basePath: "/v1", route: "/v1/chat/completions", want: ["/v1/chat/completions", CENTRAL_BEARER] },
  { name: "Vercel with an own key", type: "vercel", basePath: "/v1", route: "/v1/chat/completions", own: { ...OWN_BEARER, "api-key": "x", "x-api-key": "y" }, want: ["/v1/chat/completions", OWN_BEARER] },
  { name: "Azure's v1 surface", type: "azure", basePath: "/openai/v1", route: "/v1/responses", want: ["/openai/v1/responses", { "api-key": "sk-central" }] },
  { name: "an Azure deployment", type: "azure", basePath: DEPLOYMENT, apiVersion: "2024-10-21", route: "/v1/chat/completions", want: [`${DEPLOYMENT}/chat/completions?api-version=2024-10-21`, { "api-key": "sk-central" }] },
  { name: "an Azure deployment behind a query", type: "azure", basePath: DEPLOYMENT, apiVersion: "2024-10-21", route: "/v1/chat/completions?a=%20", want: [`${DEPLOYMENT}/chat/completions?a=%20&api-version=2024-10-21`, { "api-key": "sk-central" }] },
  { name: "an Azure client with a version of its own", type: "azure", basePath: DEPLOYMENT, apiVersion: "2024-10-21", route: "/v1/chat/completions?api-version=preview", want: [`${DEPLOYMENT}/chat/completions?api-version=preview`, { "api-key": "sk-central" }] },
  { name: "an Azure list of models", type: "azure", basePath: "/openai", apiVersion: "2024-10-21", route: "/v1/models", want: ["/openai/models?api-version=2024-10-21", { "api-key": "sk-central" }] },
  { name: "Azure with an own key", type: "azure", basePath: DEPLOYMENT, apiVersion: "2024-10-21", route: "/v1/chat/completions", own: { "api-key": "own-0123456789abcdef" }, want: [`${DEPLOYMENT}/chat/completions?api-version=2024-10-21`, { "api-key": "own-0123456789abcdef" }] },
  { name: "Azure with an own Entra token", type: "azure", basePath: DEPLOYMENT, route: "/v1/chat/completions", own: OWN_BEARER, want: [`${DEPLOYMENT}/chat/completions`, OWN_BEARER] },
  { name: "Copilot chat", type: "copilot", basePath: "", route: "/chat/completions", own: OWN_BEARER, want: ["/chat/completions", OWN_BEARER] },
  { name: "Copilot responses", type: "copilot", basePath: "", route: "/responses", own: OWN_BEARER, want: ["/responses", OWN_BEARER] },
  { name: "Copilot messages", type: "copilot", basePath: "", route: "/v1/messages", body: MESSAGES_BODY, own: { ...OWN_BEARER, "x-api-key": "x" }, want: ["/v1/messages", OWN_BEARER] },
  { name: "Copilot agents", type: "copilot", basePath: "/base", route: "/agents/swe/jobs?x=1", own: OWN_BEARER, want: ["/base/agents/swe/jobs?x=1", OWN_BEARER] },
  { name: "Copilot discovery", type: "copilot", basePath: "", route: "/.well-known/oauth-protected-resource", own: OWN_BEARER, want: ["/.well-known/oauth-protected-resource", OWN_BEARER] },
  { name: "a ChatGPT subscription", type: "openai", basePath: "/backend-api/codex", route: "/v1/responses", own: OWN_BEARER, want: ["/backend-api/codex/responses", OWN_BEARER] },
]; // prettier-ignore

for (const { name, type, basePath, apiVersion, route, body = CHAT_BODY, own, want } of CASES) {
  test(`${name}: ${route} goes to ${want[0]} with ${Object.keys(want[1]).join()}`, async () => {
    await using world = await startWorld(type, basePath, { apiVersion: apiVersion ?? null });
    const headers = own === undefined ? {} : { "x-coder-ai-governance-token": TOKEN, ...own };
    const token = own === undefined ? TOKEN : null;
    const got = await world.gateway.send(`/${type}${route}`, { body, headers, token });
    assert.equal(got.status, 200);
    assert.deepEqual(
      world.seen.map(({ url, credentials }) => [url, credentials]),
      [want],
    );
    const kind = own === undefined ? "centralized" : "byok";
    for (const start of world.gateway.recorded.starts) {
      assert.deepEqual(
        [start.provider, start.credentialKind, start.credentialHint],
        [{ type, name: type }, kind, own === undefined ? "" : "own-...cdef"],
      );
    }
  });
}

test("Copilot serves nobody without a bearer of their own, whatever keys are stored", async () => {
  await using world = await startWorld("copilot", "");
  const governance = { "x-coder-ai-governance-token": TOKEN };
  for (const headers of [
    governance,
    { ...governance, authorization: "Basic abc" },
    { ...governance, authorization: "Bearer" },
    { ...governance, "x-api-key": "k", "api-key": "k" },
    { authorization: `Bearer ${TOKEN}` },
  ]) {
    for (const route of ["/chat/completions", "/models"]) {
      const got = await world.gateway.send(`/copilot${route}`, { body: CHAT_BODY, headers, token: null }); // prettier-ignore
      assert.equal(got.status, 403);
      const body = JSON.parse(got.body.toString()) as { error: { message: string } };
      // An Anthropic error has a type beside it.
      assert.deepEqual(Object.keys(body), ["error"]);
      assert.match(body.error.message, /no provider credentials supplied/);
    }
  }
  const messages = await world.gateway.send("/copilot/v1/messages", { body: MESSAGES_BODY });
  assert.equal((JSON.parse(messages.body.toString()) as { type: string }).type, "error");
  assert.deepEqual(world.seen, []);
  assert.deepEqual(world.gateway.recorded.starts, []);
});

test("Copilot gets its client's own headers, and is not told who asks", async () => {
  await using world = await startWorld("copilot", "", { sendActorHeaders: true });
  const own = { "editor-version": "vscode/1.99", "copilot-integration-id": "vscode-chat" };
  const headers = { "x-coder-ai-governance-token": TOKEN, ...OWN_BEARER, ...own };
  await world.gateway.send("/copilot/chat/completions", { body: CHAT_BODY, headers, token: null });
  const sent = world.seen[0]?.headers ?? {};
  assert.equal(sent["editor-version"], "vscode/1.99");
  assert.equal(sent["copilot-integration-id"], "vscode-chat");
  assert.deepEqual(Object.keys(sent).filter((name) => name.startsWith("x-ai-bridge")), []); // prettier-ignore
  await using google = await startWorld("google", "", { sendActorHeaders: true });
  await google.gateway.send("/google/v1/chat/completions", { body: CHAT_BODY });
  assert.equal(google.seen[0]?.headers["x-ai-bridge-actor-metadata-username"], "ann");
});

test("a ChatGPT subscription brings its account's header, and without a bearer nothing serves", async () => {
  await using world = await startWorld("openai", "/backend-api/codex", { keys: [] });
  const governance = { "x-coder-ai-governance-token": TOKEN, "chatgpt-account-id": "acc-1" };
  const options = { body: `{"model":"gpt-x","input":"hi"}`, token: null };
  const headers = { ...governance, ...OWN_BEARER };
  await world.gateway.send("/openai/v1/responses", { ...options, headers });
  assert.equal(world.seen[0]?.headers["chatgpt-account-id"], "acc-1");
  const got = await world.gateway.send("/openai/v1/responses", { ...options, headers: governance });
  assert.equal(got.status, 403);
  assert.equal(world.seen.length, 1);
});

test("an Azure provider fails over between its keys, each in the api-key header", async () => {
  const seen: (readonly [unknown, unknown])[] = [];
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      seen.push([req.headers["api-key"], req.url]);
      if (seen.length === 1) answerJson(res, 401, { error: { code: "401", message: "bad key" } });
      else answerJson(res, 200, CHAT_ANSWER);
    },
    providers: (url) => {
      const keys = ["one", "two"].map((key) => ({ id: key, secret: new Secret(key), hint: key }));
      const overrides = { keys, apiVersion: "2024-10-21" };
      return [provider("azure", "azure", `${url}${DEPLOYMENT}`, overrides)];
    },
  });
  const got = await gateway.send("/azure/v1/chat/completions", { body: CHAT_BODY });
  assert.equal(got.status, 200);
  const url = `${DEPLOYMENT}/chat/completions?api-version=2024-10-21`;
  assert.deepEqual(seen, [["one", url], ["two", url]]); // prettier-ignore
  const [end] = await gateway.ended(1);
  assert.equal(end?.credentialHint, "two");
});

test("Google's thought signatures survive in both directions, byte for byte", async () => {
  const signature = String.raw`"extra_content":{"google":{"thought_signature":"CkQB\u002bAbc/+=="}}`;
  const call = `{"id":"c1","type":"function", ${signature},"function":{"name":"f","arguments":"{}"}}`;
  const body = `{"model":"gemini-x","stream":true,"messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[${call}]},{"role":"tool","tool_call_id":"c1","content":"ok"}]}`;
  const answer = `data: {"id":"g1","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,${call.slice(1)}]}}]}\n\ndata: {"id":"g1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n`;
  let sent = "";
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      onBody(req, (bytes) => {
        sent = bytes.toString();
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.end(answer);
      });
    },
    providers: (url) => [provider("google", "google", `${url}/v1beta/openai`)],
  });
  const got = await gateway.send("/google/v1/chat/completions", { body });
  assert.equal(sent, body);
  assert.equal(got.body.toString(), answer);
  const [end] = await gateway.ended(1);
  assert.deepEqual(
    [end?.error, end?.toolCalls.map(({ tool, toolCallId }) => [tool, toolCallId])],
    [null, [["f", "c1"]]],
  );
});
