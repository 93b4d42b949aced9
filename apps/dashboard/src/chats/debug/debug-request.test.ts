/** Recorded requests as they are shown: also what was cut, and what is no request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyText, debugAnswer, debugRequest } from "./debug-request.ts";

test("a request is read as a conversation, its tools by name, and its settings beside", () => {
  const request = {
    prompt: [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Hello" }] },
      {
        role: "assistant",
        content: [{ type: "tool-call", toolName: "read_file", input: { path: "/a" } }],
      },
      { left_out: "3 items" },
    ],
    tools: [{ name: "read_file" }],
    temperature: 0.5,
  };
  const shown = debugRequest(request);
  assert.deepEqual(shown.messages.slice(0, 3), [
    { role: "system", parts: [{ label: "text", text: "Be brief." }] },
    { role: "user", parts: [{ label: "text", text: "Hello" }] },
    {
      role: "assistant",
      parts: [{ label: "calls read_file", text: '{\n  "path": "/a"\n}' }],
    },
  ]);
  assert.match(shown.messages[3]?.parts[0]?.text ?? "", /3 items/);
  assert.deepEqual([shown.tools, shown.settings], [["read_file"], [["temperature", "0.5"]]]);
});

test("what cannot be read is shown empty, not broken", () => {
  for (const request of [null, "text", 3, [], { prompt: null }]) {
    assert.deepEqual(debugRequest(request).messages, []);
    assert.deepEqual(debugAnswer(request), []);
  }
});

test("an answer is what was said and called", () => {
  const call = { type: "tool-call", tool_name: "execute", args: { command: "ls" } };
  assert.deepEqual(
    debugAnswer({ content: [{ type: "text", text: "Look." }, call] }).map(({ label }) => label),
    ["text", "calls execute"],
  );
});

test("a body that is JSON is spread over lines, any other stays as it is", () => {
  assert.deepEqual(bodyText('{"a":1}'), { text: '{\n  "a": 1\n}', language: "json" });
  assert.deepEqual(bodyText("event: ping"), { text: "event: ping", language: "" });
});
