import assert from "node:assert/strict";
import { test } from "node:test";
import type { InterceptionEnd } from "@atelier/contract/rpc/gateway-ports";
import fc from "fast-check";
import { bareEnd, toEndText } from "./usage-record.ts";

const STARTED = new Date("2026-01-01T00:00:00.004Z");
const ENDED = new Date("2026-01-01T00:00:01.250Z");
const BARE = bareEnd({ id: "i", startedAt: STARTED, endedAt: ENDED, error: null });

const fieldsOf = (end: InterceptionEnd): unknown => JSON.parse(toEndText(end).json);

test("an end of which nothing is known says no more than that", () => {
  assert.deepEqual(fieldsOf(BARE), {
    id: "i",
    started_at: "2026-01-01T00:00:00.004Z",
    ended_at: "2026-01-01T00:00:01.250Z",
    credential_hint: "",
  });
});

test("all that is reported of an end stands in its text", () => {
  const responseId = "r";
  const counts = { input: 1, output: 2.7, cacheReadInput: -3, cacheWriteInput: Infinity };
  const end = toEndText({
    ...BARE,
    credentialHint: "sk-a…",
    error: { type: "timeout", message: 'it "hung"' },
    tokens: [{ responseId, ...counts, extra: { reasoning: 9 } }],
    prompts: [
      { responseId, prompt: "first" },
      { responseId, prompt: "" },
    ],
    toolCalls: [
      { responseId, toolCallId: "t1", tool: "bash", input: "{}" },
      { responseId, toolCallId: "", tool: "read", input: "" },
    ],
    thoughts: [{ source: "thinking", content: "hm" }],
    trail: { kind: "plain", reason: "first" },
  });
  assert.deepEqual(end.toolCallIds, ["t1"]);
  assert.deepEqual(JSON.parse(end.json), {
    ...(fieldsOf(BARE) as object),
    credential_hint: "sk-a…",
    error_type: "timeout",
    error_message: 'it "hung"',
    last_prompt: 0,
    tokens: [
      {
        provider_response_id: "r",
        input_tokens: 1,
        output_tokens: 2,
        cache_read_input_tokens: 0,
        cache_write_input_tokens: 0,
        metadata: { reasoning: 9 },
      },
    ],
    prompts: [
      { provider_response_id: "r", prompt: "first" },
      { provider_response_id: "r", prompt: "" },
    ],
    tools: [
      { provider_response_id: "r", provider_tool_call_id: "t1", tool: "bash", input: "{}" },
      { provider_response_id: "r", provider_tool_call_id: "", tool: "read", input: "" },
    ],
    thoughts: [{ content: "hm", source: "thinking" }],
    key_reason: "first",
  });
});

test("a request that was served in an unusual way tells it beside the rest", () => {
  const refusal = { kind: "queue_full", retryInMs: null, passedOver: [] } as const;
  const told = { kind: "told", attempts: [], attemptsLeftOut: 0, refusal, breaker: null } as const;
  const { trail, ...rest } = fieldsOf({ ...BARE, trail: told }) as { trail: object };
  assert.deepEqual(rest, fieldsOf(BARE));
  assert.deepEqual(trail, {
    attempts: [],
    attempts_left_out: 0,
    refusal: { kind: "queue_full", retry_in_ms: null, passed_over: [] },
    breaker: null,
  });
});

test("whatever texts come, what is written is JSON with texts that Postgres takes", () => {
  const text = fc.string({ unit: "binary", maxLength: 50 });
  fc.assert(
    fc.property(text, text, text, (responseId, prompt, tool) => {
      const fields = fieldsOf({
        ...BARE,
        credentialHint: tool,
        error: { type: "unknown", message: prompt },
        prompts: [{ responseId, prompt }],
        toolCalls: [{ responseId, toolCallId: tool, tool, input: prompt }],
        thoughts: [{ source: "reasoning", content: prompt }],
      });
      const stored = prompt.toWellFormed().replaceAll("\0", "\u{fffd}");
      const { error_message: message, prompts } = fields as {
        error_message: string;
        prompts: { prompt: string }[];
      };
      assert.deepEqual([message, prompts[0]?.prompt], [stored, stored]);
    }),
  );
});
