import assert from "node:assert/strict";
import { test } from "node:test";
import { errorBody } from "./error-body.ts";
import type { WireFormat } from "./wire-format.ts";

const body = (format: WireFormat, status: number): unknown =>
  JSON.parse(new TextDecoder().decode(errorBody(format, { status, message: "m" })));

for (const [status, type, code, anthropicType] of [
  [400, "invalid_request_error", null, "invalid_request_error"],
  [401, "authentication_error", "invalid_api_key", "authentication_error"],
  [403, "permission_error", null, "permission_error"],
  [404, "not_found_error", null, "not_found_error"],
  [405, "invalid_request_error", null, "invalid_request_error"],
  [413, "invalid_request_error", "request_too_large", "request_too_large"],
  [429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error"],
  [500, "server_error", "server_error", "api_error"],
  [502, "server_error", "server_error", "api_error"],
  [503, "server_error", "service_unavailable", "overloaded_error"],
  [504, "server_error", "server_error", "timeout_error"],
] as const) {
  test(`a problem with status ${status} has each format's shape and words`, () => {
    const openai = { error: { message: "m", type, param: null, code } };
    assert.deepEqual(body("chat_completions", status), openai);
    assert.deepEqual(body("responses", status), openai);
    const anthropic = { type: "error", error: { type: anthropicType, message: "m" } };
    assert.deepEqual(body("messages", status), anthropic);
  });
}

test("given words win over those that fit the status", () => {
  const problem = { status: 502, type: "api_error", code: "server_error", message: "m" };
  const openai = JSON.parse(new TextDecoder().decode(errorBody("responses", problem))) as unknown;
  const error = { message: "m", type: "api_error", param: null, code: "server_error" };
  assert.deepEqual(openai, { error });
});
