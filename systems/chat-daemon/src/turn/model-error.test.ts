import assert from "node:assert/strict";
import { test } from "node:test";
import { APICallError, JSONParseError, TypeValidationError } from "@ai-sdk/provider";
import { classifyModelError, ClassifiedError } from "./model-error.ts";
import { retryDelayMs } from "./retry-delay.ts";

function answer(statusCode: number, message: string, headers: Record<string, string> = {}): Error {
  return new APICallError({
    ...{ message: "call failed", url: "http://x", requestBodyValues: {}, statusCode },
    responseBody: JSON.stringify({ error: { message } }),
    responseHeaders: headers,
  });
}

const coded = (code: string): Error =>
  new Error("fetch failed", { cause: Object.assign(new Error("read"), { code }) });

for (const [error, kind, retryable] of [
  [answer(529, "Overloaded"), "overloaded", true],
  [answer(503, "The model is overloaded. Try later."), "overloaded", true],
  [{ type: "overloaded_error", message: "Overloaded" }, "overloaded", true],
  [{ code: 502, message: "Provider returned error" }, "timeout", true],
  [{ code: "some_word", message: "who knows" }, "generic", false],
  [answer(424, "The model failed while it was streaming"), "generic", true],
  [
    new JSONParseError({ text: "{broken", cause: new SyntaxError("at position 1") }),
    "timeout",
    true,
  ],
  [answer(429, "Rate limit reached for requests"), "rate_limit", true],
  [
    answer(429, "You exceeded your current quota, check your plan and billing"),
    "usage_limit",
    false,
  ],
  [answer(400, "Your credit balance is too low to access the API"), "usage_limit", false],
  [answer(403, "AI budget of US$5 exceeded. It is used up: budget limit."), "usage_limit", false],
  [answer(429, "invalid model: x"), "config", false],
  [answer(401, "no"), "auth", false],
  [answer(400, "Incorrect API key provided"), "auth", false],
  [answer(403, "Forbidden"), "auth", false],
  [answer(403, "The model x does not exist"), "config", false],
  [answer(503, "no invalid model here: invalid model"), "config", false],
  [answer(503, "AI provider anthropic is disabled"), "provider_disabled", false],
  [answer(503, "unavailable"), "timeout", true],
  [answer(502, "bad gateway"), "timeout", true],
  [answer(504, "x"), "timeout", true],
  [answer(408, "x"), "timeout", true],
  [answer(500, "x"), "generic", true],
  [answer(400, "prompt is too long: 210000 tokens > 200000 maximum"), "config", false],
  [answer(404, "not found"), "config", false],
  [answer(404, "Previous response with id 'resp_1' not found."), "generic", true],
  [answer(400, "The content was flagged by the content_filter"), "content_filter", false],
  [coded("ECONNRESET"), "timeout", true],
  [coded("UND_ERR_SOCKET"), "timeout", true],
  [new Error("stream error: stream ID 5; INTERNAL_ERROR"), "timeout", true],
  [new Error("http2: ENHANCE_YOUR_CALM"), "timeout", true],
  [new Error("stream error: stream ID 5; NO_ERROR"), "timeout", true],
  [new Error("stream error: stream ID 5; CANCEL; received from peer"), "timeout", true],
  [new Error("Stream closed with error code NGHTTP2_REFUSED_STREAM"), "timeout", true],
  [new Error("Stream closed with error code NGHTTP2_CANCEL"), "timeout", true],
  // What the peer says of the request itself is no passing trouble.
  [new Error("stream error: stream ID 5; PROTOCOL_ERROR"), "generic", false],
  [answer(503, "REFUSED_STREAM: invalid model"), "config", false],
  [new Error("unexpected EOF"), "timeout", true],
  [new Error("context deadline exceeded"), "timeout", false],
  [new Error("4 DEADLINE_EXCEEDED: too late"), "timeout", false],
  [answer(500, "context deadline exceeded"), "timeout", false],
  // A deadline of the provider's own, or of what stands before it: the next call has a new one.
  [answer(504, "Deadline exceeded"), "timeout", true],
  [answer(504, "upstream: context deadline exceeded"), "timeout", true],
  [answer(503, "The deadline has been exceeded."), "timeout", true],
  [answer(408, "Deadline exceeded"), "timeout", true],
  [answer(502, "deadline exceeded"), "timeout", true],
  [
    { error: { code: 504, message: "Deadline expired", status: "DEADLINE_EXCEEDED" } },
    "timeout",
    true,
  ],
  [answer(504, "Deadline exceeded: invalid model"), "config", false],
  [new Error("The stream ended before its finish."), "timeout", true],
  [new Error("Unexpected end of JSON input"), "timeout", true],
  [new Error("chat interrupted"), "generic", false],
  [new Error("who knows"), "generic", false],
  ["terminated", "timeout", true],
  [
    answer(
      400,
      "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
    ),
    "generic",
    false,
  ],
] as const) {
  const name =
    error instanceof APICallError
      ? `${error.statusCode} ${error.responseBody}`
      : error instanceof Error
        ? error.message
        : JSON.stringify(error);
  test(`an error of a model call: ${name.slice(0, 80)} is ${kind}${retryable ? ", and may pass" : ""}`, () => {
    const { error: chatError } = classifyModelError(error, "test");
    assert.deepEqual([chatError.kind, chatError.retryable], [kind, retryable]);
    assert.equal(chatError.provider, "test");
  });
}

const unread = (value: unknown): Error =>
  new TypeValidationError({
    value,
    cause: new Error('expected "response.refusal.delta", or an error of a rate limit'),
  });

test("an event that a client cannot read is what the provider says in it, or nothing that is known", () => {
  for (const [value, kind, retryable, detail] of [
    [{ type: "error", code: "server_error", message: "It failed." }, "generic", true, "It failed."],
    [{ error: { message: "We are overloaded." } }, "overloaded", true, "We are overloaded."],
    [{ error: { code: 429, message: "Wait." } }, "rate_limit", true, "Wait."],
    [{ delta: "The rate limit is reached, the answer was flagged." }, "generic", false, null],
    ["overloaded", "generic", false, null],
  ] as const) {
    const { error } = classifyModelError(unread(value), "x");
    assert.deepEqual([error.kind, error.retryable], [kind, retryable], JSON.stringify(value));
    if (detail !== null) assert.equal(error.detail, detail);
  }
});

test("an answer that cannot be read is not judged by what the model wrote", () => {
  const responseBody = '{"text":"The rate limit is overloaded"}';
  const broken = new APICallError({
    ...{
      message: "Invalid JSON response",
      url: "http://x",
      requestBodyValues: {},
      statusCode: 200,
    },
    ...{ responseBody, cause: unread({ text: "The rate limit is overloaded" }) },
  });
  const { error } = classifyModelError(broken, "x");
  assert.deepEqual([error.kind, error.status_code], ["generic", undefined]);
});

test("a lost answer breaks the chain, and its id is not shown", () => {
  const lost = classifyModelError(
    answer(404, "Previous response with id 'resp_1' not found."),
    "x",
  );
  assert.equal(lost.isChainBroken, true);
  assert.ok(!JSON.stringify(lost.error).includes("resp_1"));
});

test("an error that says what it is is taken at its word", () => {
  const error = new ClassifiedError({ message: "no key", kind: "missing_key", retryable: false });
  const wrapped = classifyModelError(error, "x").error;
  assert.deepEqual(wrapped, {
    message: "no key",
    kind: "missing_key",
    retryable: false,
    provider: "x",
  });
});

test("details are bounded, whole characters, and without keys", () => {
  const text = `Incorrect API key provided: sk-proj-abc123def456. ${"🦊".repeat(600)}`;
  const { detail = "" } = classifyModelError(answer(401, text), "x").error;
  assert.ok(detail.length <= 500 && detail.length > 490);
  assert.ok(detail.isWellFormed() && !detail.includes("abc123"));
});

test("what the provider asks for is waited for, if it is longer", () => {
  const asked = classifyModelError(answer(429, "slow down", { "Retry-After": "90" }), "x");
  assert.equal(asked.retryAfterMs, 90_000);
  assert.deepEqual(
    [1, 2, 3, 6, 7, 25].map((attempt) => retryDelayMs(attempt, null)),
    [1_000, 2_000, 4_000, 32_000, 60_000, 60_000],
  );
  assert.deepEqual([retryDelayMs(1, 90_000), retryDelayMs(7, 5_000)], [90_000, 60_000]);
  assert.equal(retryDelayMs(1, 86_400_000), 900_000);
});
