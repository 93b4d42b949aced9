/**
 * Claude by way of Amazon Bedrock, with a really started server: an administrator creates the provider,
 * Anthropic's own SDK speaks to it unchanged, and the record tells what served.
 */
import Anthropic from "@anthropic-ai/sdk";
import {
  setUpFirstUser,
  startRealServer,
  type FirstUser,
  type RealServer,
} from "@atelier/testkit/real-server";
import {
  startScriptedBedrock,
  type BedrockReply,
  type ScriptedBedrock,
} from "@atelier/testkit/scripted-bedrock";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endedInterceptions } from "./gateway-world.ts";

const MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";
const KEY = "AKIA0123456789EXAMPLE";
const MESSAGE = {
  id: "msg_bdrk_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5-20250929",
  content: [{ type: "text", text: "Hello! How can I help?" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 10 },
};
const EVENTS = [
  { type: "message_start", message: { ...MESSAGE, content: [], stop_reason: null } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello! How" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: " can I help?" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 10 } },
  { type: "message_stop" },
].map((event) => JSON.stringify(event));

const resources = new AsyncDisposableStack();
let server: RealServer;
let person: FirstUser;
let bedrock: ScriptedBedrock;
let anthropic: Anthropic;
let nextReply: BedrockReply | null = null;

before(async () => {
  const database = resources.use(await testDatabase());
  bedrock = resources.use(await startScriptedBedrock({ reply: ({ path }) => takeReply(path) }));
  bedrock.keys.set(KEY, { secret: "central-secret", token: null });
  server = resources.use(await startRealServer({ postgresUrl: database.url }));
  person = await setUpFirstUser(server);
  const created = await admin("POST", "/api/v2/ai/providers", {
    type: "bedrock",
    name: "bedrock",
    base_url: bedrock.url,
    settings: { region: "eu-west-1", access_key: KEY, access_key_secret: "central-secret" },
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  anthropic = new Anthropic({
    baseURL: `${server.url}/api/v2/ai-gateway/bedrock`,
    apiKey: person.token,
    maxRetries: 0,
  });
});
after(() => resources.disposeAsync());

function admin(method: string, path: string, body: object) {
  return server.api(method, path, { token: person.session, body });
}

function takeReply(path: string): BedrockReply {
  const reply = nextReply;
  nextReply = null;
  if (reply !== null) return reply;
  return path.endsWith("/invoke-with-response-stream")
    ? { kind: "events", events: EVENTS, chunkBytes: 100 }
    : { kind: "message", message: MESSAGE };
}

const ASKED = {
  model: "claude-sonnet-4-6",
  max_tokens: 2_000,
  metadata: { user_id: "u" },
  messages: [{ role: "user" as const, content: "Hello." }],
};

test("messages, blocking and streaming, are what Anthropic's API would answer", async () => {
  const answer = await anthropic.messages.create(ASKED);
  assert.deepEqual(answer.content, MESSAGE.content);
  const streamed = await anthropic.messages.stream(ASKED).finalMessage();
  assert.deepEqual(streamed.content, MESSAGE.content);
  assert.equal(streamed.usage.output_tokens, 10);
  assert.deepEqual(
    bedrock.calls.map(({ path, signature }) => [path, signature?.problem, signature?.region]),
    ["invoke", "invoke-with-response-stream"].map((action) => [
      `/model/${encodeURIComponent(MODEL)}/${action}`,
      null,
      "eu-west-1",
    ]),
  );
  const results = await endedInterceptions(server, person, (all) => (all.length > 1 ? all : null));
  for (const each of results) {
    assert.equal(each.model, MODEL);
    assert.equal(each.provider, "bedrock");
    assert.equal(each.credential_hint, "AKIA...MPLE");
    assert.equal(each.user_prompts[0].prompt, "Hello.");
    assert.equal(each.token_usages[0].output_tokens, 10);
  }
});

test("the SDK reads Bedrock's refusals as it reads Anthropic's", async () => {
  nextReply = { kind: "refusal", status: 429, name: "ThrottlingException", message: "slow down" };
  await assert.rejects(anthropic.messages.create(ASKED), (error: unknown) => {
    assert(error instanceof Anthropic.RateLimitError);
    assert.match(error.message, /slow down/);
    return true;
  });
});

test("a secret that is changed serves from the next request on", async () => {
  bedrock.keys.set(KEY, { secret: "rotated-secret", token: null });
  await assert.rejects(anthropic.messages.create(ASKED), Anthropic.PermissionDeniedError);
  const patch = { settings: { access_key_secret: "rotated-secret" } };
  const changed = await admin("PATCH", "/api/v2/ai/providers/bedrock", patch);
  assert.equal(changed.status, 200);
  assert.doesNotMatch(JSON.stringify(changed.body), /rotated/);
  assert.equal((await anthropic.messages.create(ASKED)).type, "message");
});
