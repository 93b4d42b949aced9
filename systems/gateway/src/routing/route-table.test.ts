import assert from "node:assert/strict";
import { test } from "node:test";
import { formatOfRoute, matchProviderRoute, type ProviderDialect } from "./route-table.ts";

const CASES: [dialect: ProviderDialect, route: string, want: string | null][] = [
  ["openai", "/v1/chat/completions", "bridged chat_completions /chat/completions"],
  ["openai", "/v1/responses", "bridged responses /responses"],
  ["openai", "/v1/responses/resp_1", "passthrough /responses/ /responses/resp_1"],
  ["openai", "/v1/responses/resp_1/cancel", "passthrough /responses/ /responses/resp_1/cancel"],
  ["openai", "/v1/models", "passthrough /models /models"],
  ["openai", "/v1/models/gpt-5", "passthrough /models/ /models/gpt-5"],
  ["openai", "/v1/conversations", "passthrough /conversations /conversations"],
  ["openai", "/v1/conversations/c1/items", "passthrough /conversations/ /conversations/c1/items"],
  ["openai", "/v1/completions", null],
  ["openai", "/v1/files", null],
  ["openai", "/v1/organization/users", null],
  ["openai", "/chat/completions", null],
  ["openai", "/v1/modelsx", null],
  ["openai", "/v1/__proto__", null],
  ["anthropic", "/v1/messages", "bridged messages /v1/messages"],
  ["anthropic", "/v1/messages/count_tokens", "passthrough /v1/messages/count_tokens /v1/messages/count_tokens"],
  ["anthropic", "/v1/messages/batches", null],
  ["anthropic", "/v1/models", "passthrough /v1/models /v1/models"],
  ["anthropic", "/api/event_logging/batch", "passthrough /api/event_logging/ /api/event_logging/batch"],
  ["anthropic", "/api/event_logging", "passthrough /api/event_logging /api/event_logging"],
  ["anthropic", "/v1/organizations", null],
]; // prettier-ignore

for (const [dialect, route, want] of CASES) {
  test(`${dialect} ${route} is ${want ?? "not a route"}`, () => {
    const match = matchProviderRoute(dialect, { route, rawRoute: route });
    const got =
      match === null
        ? null
        : match.kind === "bridged"
          ? `bridged ${match.format} ${match.upstreamPath}`
          : `passthrough ${match.label} ${match.upstreamPath}`;
    assert.equal(got, want);
  });
}

test("the upstream gets the client's own spelling", () => {
  const match = matchProviderRoute("openai", {
    route: "/v1/models/a b",
    rawRoute: "/v1/models/a%20b",
  });
  assert.equal(match?.upstreamPath, "/models/a%20b");
});

test("errors have the shape of the format that the path's end names", () => {
  assert.deepEqual(
    [
      "/v1/chat/completions",
      "/v1/responses",
      "/v1/messages",
      "/v1/messages/count_tokens",
      "/v1/models",
      "/",
    ].map(formatOfRoute),
    ["chat_completions", "responses", "messages", "messages", null, null],
  );
});
