import assert from "node:assert/strict";
import { test } from "node:test";
import { compactNumber, tokenText } from "./token-text.ts";

for (const [count, text] of [
  [0, "0"],
  [999, "999"],
  [1_000, "1k"],
  [12_340, "12.3k"],
  [123_456, "123k"],
  [4_500_000, "4.5M"],
] as const) {
  test(`${count} is ${text}`, () => {
    assert.equal(compactNumber(count), text);
  });
}

test("caches are named where they served", () => {
  const counts = {
    input_tokens: 10,
    output_tokens: 2,
    cache_read_input_tokens: 0,
    cache_write_input_tokens: 0,
  };
  assert.equal(tokenText(counts), "10 in · 2 out");
  assert.equal(
    tokenText({ ...counts, cache_read_input_tokens: 1_500 }),
    "10 in · 2 out · 1.5k from cache",
  );
});
