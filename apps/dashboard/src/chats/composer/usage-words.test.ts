import type { ChatMessage } from "@atelier/contract/http/chats";
import assert from "node:assert/strict";
import { test } from "node:test";
import { contextFill, chatCostText, tokenText, totalTokens, usageText } from "./usage-words.ts";

const answer = (usage: ChatMessage["usage"], tool?: string): ChatMessage => ({
  ...{ id: 1, chat_id: "c", created_at: "2026-01-01T00:00:00.000Z", role: "assistant" },
  content:
    tool === undefined ? [] : [{ type: "tool-call", tool_call_id: "x", tool_name: tool, args: {} }],
  ...(usage === undefined ? {} : { usage }),
});
const USAGE = {
  input_tokens: 1_000,
  cache_read_tokens: 3_000,
  output_tokens: 1_000,
  context_limit: 10_000,
};

test("the context is as full as the last answer left it, and unknown behind a boundary", () => {
  assert.deepEqual(contextFill([answer(USAGE), answer(undefined)]), {
    ...{ tokens: 5_000, limit: 10_000, percent: 50 },
  });
  assert.equal(contextFill([answer(USAGE), answer(undefined, "chat_cleared")]), null);
  assert.equal(contextFill([]), null);
});

test("use in few words", () => {
  assert.equal(usageText(USAGE), "4.0k in (75% cached) · 1.0k out");
  assert.deepEqual([999, 12_345, 123_456, 1_500_000].map(tokenText), [
    "999",
    "12.3k",
    "123k",
    "1.5M",
  ]);
  assert.equal(totalTokens([answer(USAGE), answer(undefined)]), 5_000);
});

test("cost is money where there is a price, else tokens", () => {
  const cost = (micros: number | null, count: number, unpriced: number): string =>
    chatCostText(
      { total_cost_micros: micros, request_count: count, unpriced_request_count: unpriced },
      5_000,
    );
  assert.equal(cost(0, 0, 0), "");
  assert.equal(cost(0, 2, 2), "5.0k tokens");
  assert.equal(cost(null, 2, 2), "5.0k tokens");
  assert.equal(cost(1_234_000, 2, 0), "$1.23");
  assert.equal(cost(4_200, 2, 1), "$0.004 and 1 without a price");
});
