import assert from "node:assert/strict";
import { test } from "node:test";
import { type ModelRequest, readModelRequest } from "./read-request.ts";
import type { WireFormat } from "./wire-format.ts";

function read(format: WireFormat, body: unknown): ModelRequest {
  const read = readModelRequest(format, new TextEncoder().encode(JSON.stringify(body)));
  assert.ok(read.ok);
  return read.value;
}
const turn = (format: WireFormat, body: unknown): unknown => {
  const { prompt, correlatingToolCallId } = read(format, body);
  return { prompt, correlatingToolCallId };
};
const prompt = (text: string | null): unknown => ({ prompt: text, correlatingToolCallId: null });
const result = (id: string | null): unknown => ({ prompt: null, correlatingToolCallId: id });
const user = (content: unknown): unknown => ({ messages: [{ role: "user", content }] });
const item = (content: unknown): unknown => ({ input: [{ role: "user", content }] });
const textPart = (text: unknown): unknown => ({ type: "text", text });
const inputText = (text: unknown): unknown => ({ type: "input_text", text });

const CASES: readonly [name: string, format: WireFormat, body: unknown, want: unknown][] = [
  ["no messages", "chat_completions", {}, prompt(null)],
  ["messages of another type", "chat_completions", { messages: "x" }, prompt(null)],
  ["an empty list", "chat_completions", { messages: [] }, prompt(null)],
  ["a text", "chat_completions", user("hi"), prompt("hi")],
  ["an empty text", "chat_completions", user(""), prompt(null)],
  [
    "another role last",
    "chat_completions",
    {
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
      ],
    },
    prompt(null),
  ],
  [
    "the last text part",
    "chat_completions",
    user([textPart("a"), textPart("b"), { type: "image_url" }]),
    prompt("b"),
  ],
  [
    "parts without text",
    "chat_completions",
    user([{ type: "image_url" }, 4, textPart(5)]),
    prompt(null),
  ],
  [
    "a tool's result",
    "chat_completions",
    {
      messages: [
        { role: "tool", tool_call_id: "c1" },
        { role: "tool", tool_call_id: "c2" },
      ],
    },
    result("c2"),
  ],
  [
    "a result without id",
    "chat_completions",
    { messages: [{ role: "tool", tool_call_id: "" }] },
    result(null),
  ],
  [
    "a result that is not last",
    "chat_completions",
    {
      messages: [
        { role: "tool", tool_call_id: "c" },
        { role: "user", content: "x" },
      ],
    },
    prompt("x"),
  ],

  ["no input", "responses", {}, prompt(null)],
  ["null", "responses", { input: null }, prompt(null)],
  ["a number", "responses", { input: 3 }, prompt(null)],
  ["a text", "responses", { input: "hi" }, prompt("hi")],
  ["an empty text", "responses", { input: "" }, prompt("")],
  ["an empty list", "responses", { input: [] }, prompt(null)],
  ["an item with a text", "responses", item("hi"), prompt("hi")],
  [
    "joined texts",
    "responses",
    item([inputText("a"), { type: "input_image" }, inputText("b")]),
    prompt("a\nb"),
  ],
  ["an empty part", "responses", item([inputText("")]), prompt("")],
  ["a part with a number", "responses", item([inputText(1), inputText("x"), 7]), prompt("x")],
  ["only other parts", "responses", item([{ type: "input_image" }]), prompt(null)],
  ["no content", "responses", { input: [{ role: "user" }] }, prompt(null)],
  [
    "an assistant last",
    "responses",
    {
      input: [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
      ],
    },
    prompt(null),
  ],
  ["an item that is a number", "responses", { input: [1] }, prompt(null)],
  [
    "a function's result",
    "responses",
    { input: [{ type: "function_call_output", call_id: "c" }] },
    result("c"),
  ],
  [
    "a free-form tool's result",
    "responses",
    { input: [{ type: "custom_tool_call_output", call_id: "c" }] },
    result("c"),
  ],
  ["a result without id", "responses", { input: [{ type: "function_call_output" }] }, result(null)],
  ["a call last", "responses", { input: [{ type: "function_call", call_id: "c" }] }, result(null)],

  ["no messages", "messages", {}, prompt(null)],
  ["a text", "messages", user("hi"), prompt("hi")],
  ["an empty text", "messages", user(""), prompt("")],
  [
    "the last text block",
    "messages",
    user([textPart("a"), textPart("b"), { type: "image" }]),
    prompt("b"),
  ],
  ["blocks without text", "messages", user([{ type: "image" }]), prompt(null)],
  ["content of another type", "messages", user(5), prompt(null)],
  ["no content", "messages", { messages: [{ role: "user" }] }, prompt(null)],
  [
    "an assistant last",
    "messages",
    { messages: [{ role: "assistant", content: "x" }] },
    prompt(null),
  ],
  [
    "the last result with an id",
    "messages",
    user([
      { type: "tool_result", tool_use_id: "t1" },
      { type: "tool_result", tool_use_id: "t2" },
      { type: "tool_result", tool_use_id: "" },
    ]),
    result("t2"),
  ],
  [
    "a result and a text",
    "messages",
    user([{ type: "tool_result", tool_use_id: "t" }, textPart("go")]),
    { prompt: "go", correlatingToolCallId: "t" },
  ],
  [
    "a result under another role",
    "messages",
    { messages: [{ role: "x", content: [{ type: "tool_result", tool_use_id: "t" }] }] },
    result("t"),
  ],
];

for (const [name, format, body, want] of CASES) {
  test(`${format}: ${name} at the end is read as the last turn`, () => {
    assert.deepEqual(turn(format, body), want);
  });
}

test("only JSON true makes a stream, and only a text names a model", () => {
  for (const stream of [false, "true", 1, null, {}]) {
    assert.equal(read("messages", { stream, model: "m" }).stream, false);
    assert.equal(read("chat_completions", { stream }).stream, false);
  }
  assert.equal(read("responses", { stream: true, background: true }).background, true);
  assert.deepEqual(read("responses", { model: 4 }).model, null);
});

test("each format has its own members", () => {
  const body = { model: "m", metadata: { user_id: "u" }, background: true, input: "i" };
  assert.equal(read("messages", body).metadataUserId, "u");
  assert.equal(read("messages", { metadata: { user_id: 4 } }).metadataUserId, null);
  assert.equal(read("messages", { metadata: "u" }).metadataUserId, null);
  assert.equal(read("chat_completions", body).metadataUserId, null);
  assert.equal(read("messages", body).background, false);
  assert.equal(read("messages", body).prompt, null);
});

test("a body that is no JSON object is refused with the place", () => {
  const refused = readModelRequest("messages", new TextEncoder().encode('{"model" "m"}'));
  assert.deepEqual(refused, { ok: false, failure: { kind: "malformed", offset: 9 } });
});
