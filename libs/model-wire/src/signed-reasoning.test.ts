import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { refusesSignedReasoning, withoutSignedReasoning } from "./signed-reasoning.ts";
import type { WireFormat } from "./wire-format.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const stripped = (format: WireFormat, text: string): string | null => {
  const body = withoutSignedReasoning(format, encode(text));
  return body === null ? null : new TextDecoder().decode(body);
};
const error = (message: string, more = ""): string =>
  `{"type":"error","error":{"type":"invalid_request_error"${more},"message":${JSON.stringify(message)}}}`;

for (const { name, format, body, want } of [
  {
    name: "a signature that is not its own",
    format: "messages",
    body: error("messages.1.content.0: Invalid `signature` in `thinking` block"),
    want: true,
  },
  {
    name: "the same without quotes",
    format: "messages",
    body: error("messages.3.content.1: Invalid signature in thinking block"),
    want: true,
  },
  {
    name: "redacted thinking",
    format: "messages",
    body: error("Invalid `signature` in `redacted_thinking` block"),
    want: true,
  },
  {
    name: "a conversation that its client changed",
    format: "messages",
    body: error(
      "Invalid `signature` in `thinking` block. The block is bound to a different conversation.",
    ),
    want: false,
  },
  {
    name: "another mistake about thinking",
    format: "messages",
    body: error("messages.1.content.0.thinking.signature: Field required"),
    want: false,
  },
  { name: "no JSON", format: "messages", body: "<html>", want: false },
  {
    name: "a seal that is not its own",
    format: "responses",
    body: error(
      "The encrypted content gAAA could not be verified.",
      `,"code":"invalid_encrypted_content"`,
    ),
    want: true,
  },
  {
    name: "another mistake",
    format: "responses",
    body: error("invalid_encrypted_content is no model"),
    want: false,
  },
  {
    name: "the same words in a format without signed reasoning",
    format: "chat_completions",
    body: error("Invalid `signature` in `thinking` block"),
    want: false,
  },
] as const) {
  // prettier-ignore
  test(`whether a refusal is about signed reasoning (${format}): ${name}`, () => {
    assert.equal(refusesSignedReasoning(format, encode(body)), want);
  });
}

const THINKING = `{"type":"thinking","thinking":"hm","signature":"abc"}`;
const REDACTED = `{"data":"x","type":"redacted_thinking"}`;
const USE = `{"type":"tool_use","id":"t1","name":"n","input":{"2":1.0,"1":12345678901234567890}}`;
const RESULT = `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}`;

for (const { name, body, want } of [
  { name: "none in it", body: `{"messages":[{"role":"user","content":"hi"}]}`, want: null },
  { name: "no messages", body: `{"model":"m"}`, want: null },
  { name: "malformed", body: `{"messages":[`, want: null },
  {
    name: "blocks go, all else keeps its bytes, also its order of keys and its numbers",
    body: `{"thinking":{"type":"enabled","budget_tokens":1.0e3}, "messages": [ {"role":"user","content":"a"} , {"content":[${THINKING}, {"type":"text","text":"\\u0041"},${REDACTED}],"role":"assistant"},{"role":"user","content":"b"}],"x":1 }`,
    want: `{"thinking":{"type":"enabled","budget_tokens":1.0e3}, "messages": [{"role":"user","content":"a"},{"content":[{"type":"text","text":"\\u0041"}],"role":"assistant"},{"role":"user","content":"b"}],"x":1 }`,
  },
  {
    name: "a message of nothing else goes with them",
    body: `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[${THINKING}]},{"role":"user","content":"b"}]}`,
    want: `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}`,
  },
  {
    name: "in a tool loop, thinking is off for this request, and so is forgetting it",
    body: `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[${THINKING},${USE}]},${RESULT}],"thinking":{"type":"adaptive"},"context_management":{"edits":[{"type":"clear_thinking_20251015"},{"type":"clear_tool_uses_20250919"}]}}`,
    want: `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[${USE}]},${RESULT}],"thinking":{"type":"disabled"},"context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}}`,
  },
  {
    name: "text that looks like a block is text",
    body: JSON.stringify({
      messages: [{ role: "user", content: [{ type: "text", text: THINKING }] }],
    }),
    want: null,
  },
] as const) {
  // prettier-ignore
  test(`signed reasoning out of messages: ${name}`, () => {
    assert.equal(stripped("messages", body), want);
  });
}

test("sealed reasoning items go out of responses, and those that name a stored one stay", () => {
  const kept = `{"type":"reasoning","id":"rs_1","summary":[]}`;
  const sealed = `{"type":"reasoning","encrypted_content":"gAAA","summary":[]}`;
  const call = `{"type":"function_call","call_id":"c","name":"n","arguments":"{}"}`;
  const body = `{"input":[${kept},${sealed},${call}],"store":false}`;
  assert.equal(stripped("responses", body), `{"input":[${kept},${call}],"store":false}`);
  assert.equal(stripped("responses", `{"input":"hi"}`), null);
  assert.equal(stripped("chat_completions", body), null);
});

test("whatever the conversation is, only reasoning is missing from it", () => {
  const block = fc.oneof(
    fc.record({ type: fc.constant("text"), text: fc.string({ unit: "grapheme" }) }),
    fc.record({ type: fc.constantFrom("thinking", "redacted_thinking"), signature: fc.string() }),
    fc.record({ type: fc.constant("tool_use"), input: fc.jsonValue() }),
  );
  const message = fc.record({
    role: fc.constantFrom("user", "assistant"),
    content: fc.oneof(fc.string(), fc.array(block, { minLength: 1, maxLength: 4 })),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.nat(4), (messages, indent) => {
      const isKept = ({ type }: { type: string }) => !type.includes("thinking");
      const wanted = messages
        .map((each) =>
          typeof each.content === "string"
            ? each
            : { ...each, content: each.content.filter(isKept) },
        )
        .filter(({ content }, i) => content.length > 0 || messages[i]!.content.length === 0);
      const text = stripped("messages", JSON.stringify({ a: 1, messages }, null, indent));
      const before = JSON.parse(JSON.stringify(messages));
      if (text === null) assert.deepEqual(JSON.parse(JSON.stringify(wanted)), before);
      else {
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ a: 1, messages: wanted })));
      }
    }),
  );
});
