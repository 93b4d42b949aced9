import assert from "node:assert/strict";
import { test } from "node:test";
import { categorizeErrorType, categorizeStatus } from "./error-category.ts";

for (const [status, want] of [
  [400, "bad_request"],
  [401, "unauthorized"],
  [403, "unauthorized"],
  [408, "bad_request"],
  [429, "rate_limited"],
  [500, "server_error"],
  [503, "server_error"],
  [200, "unknown"],
  [0, "unknown"],
] as const) {
  test(`status ${status} is ${want} in every format`, () => {
    for (const format of ["chat_completions", "responses", "messages"] as const) {
      assert.equal(categorizeStatus(format, status), want);
    }
  });
}

test("status 529 means overloaded only where Anthropic's words are spoken", () => {
  assert.equal(categorizeStatus("messages", 529), "overloaded");
  assert.equal(categorizeStatus("responses", 529), "server_error");
});

test("errors inside an answer are sorted by their type", () => {
  assert.equal(categorizeErrorType("overloaded_error"), "overloaded");
  assert.equal(categorizeErrorType("rate_limit_exceeded"), "rate_limited");
  assert.equal(categorizeErrorType("server_error"), "server_error");
  assert.equal(categorizeErrorType("never heard of"), "unknown");
});
