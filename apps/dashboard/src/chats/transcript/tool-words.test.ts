import type { ToolCallPart, ToolResultPart } from "@atelier/contract/chat/message-part";
import assert from "node:assert/strict";
import { test } from "node:test";
import { agentChatOf, endText, outputOf, toolEnd, toolLine } from "./tool-words.ts";

const call = (name: string, args: unknown): ToolCallPart => ({
  ...{ type: "tool-call", tool_call_id: "c", tool_name: name, args },
  created_at: "2026-01-01T00:00:00.000Z",
});
const row = (result: Partial<ToolResultPart> | null) => ({
  ...({ kind: "tool", key: "k", call: call("execute", { command: "npm test" }) } as const),
  result:
    result === null
      ? null
      : {
          ...({
            type: "tool-result",
            tool_call_id: "c",
            tool_name: "execute",
            result: {},
          } as const),
          created_at: "2026-01-01T00:00:02.000Z",
          ...result,
        },
});

test("what a call is for comes first, then what it does", () => {
  const command = { command: "npm test", model_intent: "running the tests" };
  assert.deepEqual(toolLine(call("execute", command), true), {
    ...{ verb: "Running the tests", subject: "npm test" },
  });
  assert.deepEqual(toolLine(call("read_file", { path: "/a" }), false), {
    ...{ verb: "Reads", subject: "/a" },
  });
  const streamed = { ...call("execute", null), args_delta: '{"comm' };
  assert.equal(toolLine(streamed, false).subject, '{"comm');
});

test("how a call ended: its exit, its error, or that it goes on", () => {
  const rows = [
    [{ result: { exit_code: 0, wall_duration_ms: 1_200 } }, "done", "exit 0, 1.2 s"],
    [{ result: { exit_code: 2 } }, "failed", "exit 2, 2.0 s"],
    [{ result: { exit_code: -1, error: "no" } }, "failed", "did not end well, 2.0 s"],
    [{ result: "No such tool", is_error: true }, "failed", "failed, 2.0 s"],
    [{ result: { background_process_id: "p" } }, "background", "in background, 2.0 s"],
    [{ result: { ok: true } }, "done", "2.0 s"],
  ] as const;
  for (const [result, state, words] of rows) {
    const end = toolEnd(row(result), false);
    assert.deepEqual([end.state, endText(end)], [state, words]);
  }
});

test("a call without a result runs while the chat works, and is stopped when it does not", () => {
  assert.equal(toolEnd(row(null), true).state, "running");
  assert.equal(toolEnd(row(null), false).state, "unknown");
  assert.equal(toolEnd(row({ result: null, result_delta: "so far" }), true).state, "running");
});

test("output is what was written so far, and then what was written in all", () => {
  assert.equal(outputOf(row({ result: null, result_delta: "so far" }).result), "so far");
  assert.equal(outputOf(row({ result: { output: "all" } }).result), "all");
  assert.equal(outputOf(null), null);
});

test("calls about agents name the agent's chat", () => {
  const id = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
  assert.equal(agentChatOf(row({ result: { chat_id: id } })), id);
  assert.equal(agentChatOf(row({ result: { chat_id: "../users" } })), null);
});
