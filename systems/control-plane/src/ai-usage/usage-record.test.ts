import assert from "node:assert/strict";
import { test } from "node:test";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import fc from "fast-check";
import { bareEnd, lineageOf, startRowsText, toEndText, toStartRow } from "./usage-record.ts";

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

test("rows that begin say what they hold, whichever come after one another", () => {
  const text = fc.constantFrom("a", 'b"', "é\0");
  const caller = { userId: "u", username: "", email: "", apiKeyId: "k" };
  const plain: InterceptionStart = {
    id: "",
    ...{ caller, provider: { type: "openai", name: "p" }, model: "m", client: "c" },
    ...{ clientSessionId: null, userAgent: "", correlatingToolCallId: null },
    ...{ credentialKind: "centralized", credentialHint: "h", startedAt: STARTED },
  };
  // Each differs from the plain one in no more than one thing.
  const other = fc.oneof(
    text.map((userId) => ({ caller: { ...caller, userId } })),
    text.map((apiKeyId) => ({ caller: { ...caller, apiKeyId } })),
    text.map((type) => ({ provider: { type, name: "p" } })),
    text.map((name) => ({ provider: { type: "openai", name } })),
    fc.record({ model: text }),
    fc.record({ client: text }),
    fc.record({ clientSessionId: text }),
    fc.record({ userAgent: text }),
    fc.record({ credentialKind: fc.constant("byok" as const) }),
    fc.record({ credentialHint: text }),
    fc.record({ startedAt: fc.constant(ENDED) }),
    fc.constant({}),
  ) as fc.Arbitrary<Partial<InterceptionStart>>;
  const calledBy = { interceptionId: "t", rootId: "r", sessionId: "s" };
  const from = fc.constantFrom(null, null, calledBy);
  const start = fc.tuple(other, from, fc.constantFrom("one", "one", "two"));
  fc.assert(
    fc.property(fc.array(start, { maxLength: 8 }), (starts) => {
      const rows = starts.map(([different, caller, replicaId], index) => {
        const each = { ...plain, ...different, id: `i${index}` };
        return toStartRow(each, lineageOf(each, caller), replicaId);
      });
      const absent = { client_session_id: null, thread_parent_id: null, thread_root_id: null };
      const read = JSON.parse(startRowsText(rows)) as object[];
      assert.deepEqual(
        read.map((row) => ({ ...absent, ...row })),
        rows,
      );
    }),
    { numRuns: 400 },
  );
});
