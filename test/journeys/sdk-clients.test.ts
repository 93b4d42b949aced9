/** The official SDKs, unchanged, against a really started server: blocking, streaming, tools, abort. */
import Anthropic from "@anthropic-ai/sdk";
import { sse } from "@atelier/testkit/scripted-model-reply";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { AzureOpenAI } from "openai";
import { CENTRAL_KEY, startGatewayWorld, type GatewayWorld } from "./gateway-world.ts";

let world: GatewayWorld;
let openai: OpenAI;
let anthropic: Anthropic;

before(async () => {
  world = await startGatewayWorld();
  openai = new OpenAI({
    baseURL: `${world.gatewayUrl}/openai/v1`,
    apiKey: world.person.token,
    maxRetries: 0,
  });
  anthropic = new Anthropic({
    baseURL: `${world.gatewayUrl}/anthropic`,
    apiKey: world.person.token,
    maxRetries: 0,
  });
});
after(() => world[Symbol.asyncDispose]());

const READ_FILE = {
  type: "object" as const,
  properties: { path: { type: "string" } },
  required: ["path"],
};
const START = {
  type: "message_start",
  message: {
    id: "msg_a",
    type: "message",
    role: "assistant",
    content: [],
    model: "claude-x",
    usage: { input_tokens: 3, output_tokens: 1 },
  },
};
const CALL = `[[call:read_file {"path":"README.md"}]]`;
const CHAT_TOOLS = [
  { type: "function" as const, function: { name: "read_file", parameters: READ_FILE } },
];

test("chat completions, blocking", async () => {
  const answer = await openai.chat.completions.create({
    model: "gpt-x",
    messages: [{ role: "user", content: "chat blocking" }],
  });
  assert.ok((answer.choices[0]?.message.content ?? "").length > 0);
});

test("Azure's client is let in by the header that it takes, which goes no further", async () => {
  const azure = new AzureOpenAI({
    baseURL: `${world.gatewayUrl}/openai/v1`,
    apiKey: world.person.token,
    apiVersion: "preview",
    maxRetries: 0,
  });
  const answer = await azure.responses.create({ model: "gpt-x", input: "hello from Azure" });
  assert.ok(answer.output_text.length > 0);
  const seen = world.model.requests.at(-1);
  assert.equal(seen?.header("api-key"), undefined);
  assert.equal(seen?.header("authorization"), `Bearer ${CENTRAL_KEY}`);
  await assert.rejects(
    azure.withOptions({ apiKey: "0".repeat(32) }).responses.create({ model: "gpt-x", input: "hi" }),
    {
      status: 400,
    },
  );
});

test("chat completions, streaming", async () => {
  const stream = await openai.chat.completions.create({
    model: "gpt-x",
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: "chat streaming" }],
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  assert.ok(text.length > 0);
});

test("chat completions, a tool call and its result", async () => {
  const ask = { role: "user" as const, content: `please ${CALL}` };
  const first = await openai.chat.completions.create({
    model: "gpt-x",
    messages: [ask],
    tools: CHAT_TOOLS,
  });
  const message = first.choices[0]!.message;
  const call = message.tool_calls![0]!;
  assert.equal(call.type === "function" && call.function.name, "read_file");
  const second = await openai.chat.completions.create({
    model: "gpt-x",
    tools: CHAT_TOOLS,
    messages: [ask, message, { role: "tool", tool_call_id: call.id, content: "# Hello" }],
  });
  assert.ok((second.choices[0]?.message.content ?? "").length > 0);
});

test("responses, blocking and streaming", async () => {
  const answer = await openai.responses.create({ model: "gpt-x", input: "responses blocking" });
  assert.ok(answer.output_text.length > 0);
  const stream = await openai.responses.create({
    model: "gpt-x",
    input: "responses streaming",
    stream: true,
  });
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  assert.equal(types.at(-1), "response.completed");
});

test("messages, blocking, streaming and a tool call", async () => {
  const base = { model: "claude-x", max_tokens: 100 };
  const answer = await anthropic.messages.create({
    ...base,
    messages: [{ role: "user", content: "messages blocking" }],
  });
  assert.equal(answer.type, "message");
  const streamed = await anthropic.messages
    .stream({ ...base, messages: [{ role: "user", content: "messages streaming" }] })
    .finalMessage();
  assert.equal(streamed.stop_reason, "end_turn");
  const tools = [{ name: "read_file", input_schema: READ_FILE }];
  const ask = { role: "user" as const, content: `please ${CALL}` };
  const called = await anthropic.messages
    .stream({ ...base, tools, messages: [ask] })
    .finalMessage();
  const use = called.content.find((block) => block.type === "tool_use")!;
  assert.deepEqual(use.input, { path: "README.md" });
  const done = await anthropic.messages.create({
    ...base,
    tools,
    messages: [
      ask,
      { role: "assistant", content: called.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "# Hello" }] },
    ],
  });
  assert.equal(done.stop_reason, "end_turn");
});

test("an SDK's own errors: a wrong token, an unknown route", async () => {
  const stranger = new OpenAI({
    baseURL: `${world.gatewayUrl}/openai/v1`,
    apiKey: "nope",
    maxRetries: 0,
  });
  await assert.rejects(
    stranger.chat.completions.create({ model: "m", messages: [{ role: "user", content: "x" }] }),
    (error) => error instanceof OpenAI.PermissionDeniedError && /unauthorized/.test(error.message),
  );
  await assert.rejects(
    openai.embeddings.create({ model: "m", input: "x" }),
    (error) => error instanceof OpenAI.NotFoundError,
  );
  const other = new Anthropic({
    baseURL: `${world.gatewayUrl}/anthropic`,
    apiKey: "nope",
    maxRetries: 0,
  });
  await assert.rejects(
    other.messages.create({
      model: "m",
      max_tokens: 1,
      messages: [{ role: "user", content: "x" }],
    }),
    (error) =>
      error instanceof Anthropic.PermissionDeniedError && /unauthorized/.test(error.message),
  );
});

test("models are listed through the gateway", async () => {
  const models = await openai.models.list();
  assert.ok(models.data.length > 0);
});

test("an aborted stream ends at the provider too and is recorded", async () => {
  world.model.enqueue(sse([{ name: "message_start", data: START }], { thenHang: true }));
  const stream = anthropic.messages.stream({
    model: "claude-x",
    max_tokens: 100,
    messages: [{ role: "user", content: "abort me" }],
  });
  stream.on("error", () => {});
  for await (const event of stream) {
    if (event.type === "message_start") break;
  }
  stream.abort();
  const aborted = await world.interceptionOf("abort me");
  assert.equal(aborted.error_type, "unknown");
  assert.equal(aborted.token_usages[0].input_tokens, 3);
});

test("all of it is recorded, with people, prompts, tools, tokens and lineage", async () => {
  const all = await world.interceptions(10);
  const prompts = new Set(all.flatMap((each) => each.user_prompts.map((prompt: { prompt: string }) => prompt.prompt)));
  for (const prompt of ["chat blocking", "chat streaming", "responses blocking", "responses streaming", "messages blocking", "messages streaming"]) {
    assert.ok(prompts.has(prompt), prompt);
  }
  for (const each of all) {
    assert.equal(each.initiator.username, "ann");
    if (each.error_type === null) assert.ok(each.token_usages.length > 0, JSON.stringify(each));
  }
  const calls = all.filter((each) => each.tool_usages.length > 0);
  assert.deepEqual(
    calls.map((each) => `${each.provider_name} ${each.tool_usages[0].tool} ${JSON.stringify(JSON.parse(each.tool_usages[0].input))}`).toSorted(),
    [`anthropic read_file {"path":"README.md"}`, `openai read_file {"path":"README.md"}`],
  );
  for (const call of calls) {
    const next = all.filter((each) => each.thread_parent_id === call.id);
    assert.equal(next.length, 1);
    assert.equal(next[0].session_id, call.session_id);
  }
  // The company's key went up, the person's token did not.
  for (const request of world.model.requests) {
    assert.ok(!JSON.stringify(request.headers).includes(world.person.token));
  }
}); // prettier-ignore
