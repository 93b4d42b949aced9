import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseGatewayPath } from "./gateway-path.ts";

for (const [target, want] of [
  ["/openai/v1/chat/completions", ["openai", "/v1/chat/completions", "/v1/chat/completions", ""]],
  ["/anthropic/v1/messages?beta=true", ["anthropic", "/v1/messages", "/v1/messages", "?beta=true"]],
  ["/openai/v1/models/?q=%2e%2e", ["openai", "/v1/models/", "/v1/models/", "?q=%2e%2e"]],
  ["/openai//v1/./models", ["openai", "/v1/models", "/v1/models", ""]],
  ["/openai/v1/x/../models", ["openai", "/v1/models", "/v1/models", ""]],
  ["/openai/v1/models/a%20b", ["openai", "/v1/models/a b", "/v1/models/a%20b", ""]],
  ["/openai", ["openai", "/", "/", ""]],
  ["/openai/", ["openai", "/", "/", ""]],
  [
    "/openai/v1/models/ft:gpt-4o:x::1",
    ["openai", "/v1/models/ft:gpt-4o:x::1", "/v1/models/ft:gpt-4o:x::1", ""],
  ],
] as const) {
  test(`${target} is taken apart`, () => {
    const [providerName, route, rawRoute, query] = want;
    assert.deepEqual(parseGatewayPath(target), {
      ok: true,
      value: { providerName, route, rawRoute, query },
    });
  });
}

for (const target of [
  "/openai/v1/models/%2e%2e/admin",
  "/openai/v1/models/..%2fadmin",
  "/openai/v1/models/%5c..%5cadmin",
  "/openai/v1/models\\..\\admin",
  "/openai/../../etc/passwd",
  "/openai/v1/%00",
  "/openai/v1/models/%zz",
]) {
  test(`${target} is refused`, () => {
    assert.deepEqual(parseGatewayPath(target), { ok: false, failure: "path_refused" });
  });
}

test("no path makes dot segments, empty segments or encoded slashes reach a match", () => {
  const piece = fc.constantFrom("/", ".", "..", "%2e", "%2f", "v1", "models", "\\", "%", "a", "?");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const parsed = parseGatewayPath(`/openai/${pieces.join("")}`);
      if (!parsed.ok) return;
      assert.doesNotMatch(parsed.value.route, /\/\.{1,2}(?:\/|$)|\/\/|\\/);
      assert.doesNotMatch(parsed.value.rawRoute, /\/\.{1,2}(?:\/|$)|\/\/|\\|%2f|%2e|%5c/i);
    }),
    { numRuns: 2_000 },
  );
});
