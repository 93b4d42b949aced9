/** Streams of every family of providers that end too early, with and without an error: none counts as an answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { bedrockException, eventStreamFrame } from "@atelier/testkit/scripted-bedrock";
import { cutStreamEnding } from "@atelier/model-wire/cut-stream";
import { observeStream } from "@atelier/model-wire/observe-response";
import { eventText, toEvents } from "@atelier/testkit/scripted-model-wire";
import type { ModelFamily } from "../models/model-client.ts";
import { MODEL_BUILDERS } from "../models/model-builders-io.ts";
import { classifyModelError } from "./model-error.ts";
import { readModelStream } from "./model-stream-actions.ts";

const TURN = {
  text: "I will look.",
  toolCalls: [{ id: "call_1", name: "look", input: '{"path":"a.ts"}', isFreeForm: false }],
};

function wire(format: "messages" | "responses" | "chat_completions") {
  const conversation = { format, model: "m", stream: true, includesUsage: true };
  const said = { ...conversation, tools: [], texts: [], results: [], inputTokens: 1 };
  return toEvents(said, TURN, "id_1").map((event) => Buffer.from(eventText(event)));
}

function google(): readonly Buffer[] {
  const args = { path: "a.ts" };
  return [
    { content: { role: "model", parts: [{ text: "I will " }] } },
    { content: { role: "model", parts: [{ text: "look." }] } },
    { content: { role: "model", parts: [{ functionCall: { name: "look", args } }] } },
    { content: { role: "model", parts: [] }, finishReason: "STOP" },
  ].map((candidate) => Buffer.from(eventText({ data: { candidates: [candidate] } })));
}

function bedrock(): readonly Buffer[] {
  const tool = { toolUse: { toolUseId: "call_1", name: "look" } };
  return [
    { messageStart: { role: "assistant" } },
    { contentBlockDelta: { contentBlockIndex: 0, delta: { text: "I will look." } } },
    { contentBlockStop: { contentBlockIndex: 0 } },
    { contentBlockStart: { contentBlockIndex: 1, start: tool } },
    {
      contentBlockDelta: {
        contentBlockIndex: 1,
        delta: { toolUse: { input: '{"path":"a.ts"}' } },
      },
    },
    { contentBlockStop: { contentBlockIndex: 1 } },
    { messageStop: { stopReason: "tool_use" } },
  ].map((event) => {
    const [[name, payload] = ["", {}]] = Object.entries(event);
    const headers = { ":event-type": name, ":message-type": "event" };
    return eventStreamFrame(headers, Buffer.from(JSON.stringify(payload)));
  });
}

function event(data: unknown, name?: string): Buffer {
  return Buffer.from(eventText(name === undefined ? { data } : { name, data }));
}

async function read(family: ModelFamily, events: readonly Buffer[]) {
  const type = family === "bedrock" ? "application/vnd.amazon.eventstream" : "text/event-stream";
  const model = await MODEL_BUILDERS[family]({
    modelName: family === "anthropic" ? "claude-sonnet-4-5" : "m",
    access: { key: new Secret("k"), baseUrl: "http://m.test", bedrock: null, apiVersion: null },
    fetch: async () =>
      Promise.resolve(new Response(Buffer.concat(events), { headers: { "content-type": type } })),
  });
  assert.ok(model !== null);
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "go" }] }];
  const { signal } = new AbortController();
  const to = { clock: systemClock, signal, invoked: () => {}, show: () => {} };
  return readModelStream(model, { prompt }, to);
}

for (const { family, events, last } of [
  { family: "anthropic", events: wire("messages"), last: "message_stop" },
  { family: "openai-responses", events: wire("responses"), last: "response.completed" },
  { family: "openai-chat", events: wire("chat_completions"), last: '"finish_reason":"tool_calls"' },
  {
    family: "openai-compat",
    events: wire("chat_completions"),
    last: '"finish_reason":"tool_calls"',
  },
  { family: "vercel", events: wire("chat_completions"), last: '"finish_reason":"tool_calls"' },
  { family: "openrouter", events: wire("chat_completions"), last: '"finish_reason":"tool_calls"' },
  { family: "google", events: google(), last: "finishReason" },
  { family: "bedrock", events: bedrock(), last: "stopReason" },
] as const) {
  test(`${family}: an answer that ends before the provider says so is none, and is asked for again`, async () => {
    const whole = await read(family, events);
    assert.deepEqual(
      whole.parts().map((part) => (part.type === "tool-call" ? part.args : part.type)),
      ["text", { path: "a.ts" }],
    );
    const end = events.findIndex((event) => event.includes(last));
    assert.ok(end > 1, "it says so in the end");
    for (let count = 0; count < end; count += 1) {
      const cut = await read(family, events.slice(0, count)).then(
        () => null,
        (error: unknown) => classifyModelError(error, family).error,
      );
      assert.deepEqual(
        [cut?.kind, cut?.retryable],
        ["timeout", true],
        `after ${count} of ${events.length} events: ${JSON.stringify(cut)}`,
      );
    }
  });
}

const BUSY = { type: "overloaded_error", message: "We are busy." };
const FAILED = { status: "failed", error: { code: "rate_limit_exceeded", message: "Too fast." } };
for (const { family, events, last, kind, detail } of [
  {
    family: "anthropic",
    events: wire("messages"),
    last: event({ type: "error", error: BUSY }, "error"),
    kind: "overloaded",
    detail: BUSY.message,
  },
  {
    family: "openai-responses",
    events: wire("responses"),
    last: event({ type: "error", code: "server_error", message: "It failed.", param: null }),
    kind: "generic",
    detail: "It failed.",
  },
  {
    family: "openai-responses",
    events: wire("responses"),
    last: event({ type: "response.failed", sequence_number: 9, response: FAILED }),
    kind: "rate_limit",
    detail: "Too fast.",
  },
  {
    family: "openai-chat",
    events: wire("chat_completions"),
    last: event({ error: { message: "It is overloaded.", type: "server_error", code: null } }),
    kind: "overloaded",
    detail: "It is overloaded.",
  },
  {
    family: "openai-compat",
    events: wire("chat_completions"),
    last: event({ error: { message: "Slow down.", type: "x", code: 429 } }),
    kind: "rate_limit",
    detail: "Slow down.",
  },
  {
    family: "openrouter",
    events: wire("chat_completions"),
    last: event({ error: { message: "Provider returned error", code: 502 } }),
    kind: "timeout",
    detail: "Provider returned error",
  },
  {
    family: "google",
    events: google(),
    last: event({ error: { code: 503, message: "Not now.", status: "UNAVAILABLE" } }),
    kind: "timeout",
    detail: "Not now.",
  },
  {
    family: "bedrock",
    events: bedrock(),
    last: bedrockException("modelStreamErrorException", "The model failed."),
    kind: "generic",
    detail: "The model failed.",
  },
] as const) {
  test(`${family}: an error in the middle of an answer is told in its own words, as ${kind}`, async () => {
    const failed = await read(family, [...events.slice(0, 3), last]).then(
      () => null,
      (error: unknown) => classifyModelError(error, family).error,
    );
    assert.deepEqual([failed?.kind, failed?.retryable, failed?.detail], [kind, true, detail]);
  });
}

for (const { family, format } of [
  { family: "anthropic", format: "messages" },
  { family: "openai-responses", format: "responses" },
  { family: "openai-chat", format: "chat_completions" },
  { family: "openai-compat", format: "chat_completions" },
] as const) {
  test(`${family}: an answer that the gateway had to end, wherever it was cut, is asked for again`, async () => {
    const whole = Buffer.concat(wire(format));
    for (let length = 1; length < whole.length; length += 37) {
      const observer = observeStream(format);
      observer.push(whole.subarray(0, length));
      if (observer.end().outcome !== "incomplete_stream") continue;
      const ending = cutStreamEnding(format, observer, { message: "The provider went away." });
      const failed = await read(family, [whole.subarray(0, length), Buffer.from(ending)]).then(
        () => null,
        (error: unknown) => classifyModelError(error, family).error,
      );
      assert.equal(failed?.retryable, true, `after ${length} bytes: ${JSON.stringify(failed)}`);
    }
  });
}
