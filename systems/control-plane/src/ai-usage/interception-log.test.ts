import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { logEnd, logStart } from "./interception-log.ts";
import { lineageOf, toStartRow } from "./usage-record.ts";

const STARTED = new Date("2026-11-20T10:00:00.000Z");
const ENDED = new Date("2026-11-20T10:00:05.000Z");
const START: InterceptionStart = {
  id: "i1",
  caller: { userId: "u1", username: "ann", email: "", apiKeyId: "key1" },
  provider: { type: "anthropic", name: "claude" },
  model: "sonnet",
  client: "Claude Code",
  clientSessionId: "s1",
  userAgent: "ua",
  correlatingToolCallId: "t0",
  credentialKind: "centralized",
  credentialHint: "<keypool-pending>",
  startedAt: STARTED,
};
const END: InterceptionEnd = {
  id: "i1",
  startedAt: STARTED,
  endedAt: ENDED,
  credentialHint: "sk",
  error: { type: "timeout", message: "late" },
  tokens: [
    {
      responseId: "m1",
      input: 1,
      output: 2,
      cacheReadInput: 3,
      cacheWriteInput: 4,
      extra: { output_reasoning: 5 },
    },
  ],
  prompts: [{ responseId: "m1", prompt: "Fix it" }],
  toolCalls: [{ responseId: "m1", toolCallId: "t1", tool: "bash", input: "{}" }],
  thoughts: [{ source: "reasoning", content: "hm" }],
  trail: { kind: "plain", reason: "first" },
};

/** The lines that `write` writes, all of them at info. */
function linesOf(write: (log: Logger) => void): object[] {
  const lines: object[] = [];
  const info = (fields: object, message: string) => {
    assert.equal(message, "interception log");
    lines.push(fields);
  };
  write({ ...silentLogger, info });
  return lines;
}

test("a start is one line with who, what, and where it stands", () => {
  const caller = { interceptionId: "i0", rootId: "i0", sessionId: "s0" };
  const row = toStartRow(START, lineageOf(START, caller), "r1");
  assert.deepEqual(linesOf((log) => logStart(log, START, row)), [
    {
      record_type: "interception_start",
      interception_id: "i1",
      initiator_id: "u1",
      api_key_id: "key1",
      provider: "anthropic",
      provider_name: "claude",
      model: "sonnet",
      client: "Claude Code",
      client_session_id: "s1",
      user_agent: "ua",
      started_at: STARTED,
      metadata: { request_user_agent: "ua" },
      correlating_tool_call_id: "t0",
      thread_parent_id: "i0",
      thread_root_id: "i0",
      credential_kind: "centralized",
      credential_hint: "<keypool-pending>",
    },
  ]); // prettier-ignore
});

test("an end is a line for each record, and one for itself", () => {
  const about = { interception_id: "i1", created_at: ENDED };
  assert.deepEqual(linesOf((log) => logEnd(log, END)), [
    {
      record_type: "token_usage",
      ...about,
      msg_id: "m1",
      input_tokens: 1,
      output_tokens: 2,
      cache_read_input_tokens: 3,
      cache_write_input_tokens: 4,
      metadata: { output_reasoning: 5 },
    },
    { record_type: "prompt_usage", ...about, created_at: STARTED, msg_id: "m1", prompt: "Fix it", metadata: {} },
    {
      record_type: "tool_usage",
      ...about,
      msg_id: "m1",
      tool_call_id: "t1",
      tool: "bash",
      input: "{}",
      server_url: null,
      injected: false,
      invocation_error: null,
      metadata: {},
    },
    { record_type: "model_thought", ...about, content: "hm", metadata: { source: "reasoning" } },
    {
      record_type: "interception_end",
      interception_id: "i1",
      ended_at: ENDED,
      error_type: "timeout",
      error_message: "late",
      key_reason: "first",
    },
  ]); // prettier-ignore
});
