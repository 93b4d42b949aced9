import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ANTHROPIC_ROUTES,
  COPILOT_ROUTES,
  formatOfRoute,
  matchProviderRoute,
  OPENAI_ROUTES,
} from "./route-table.ts";

const TABLES = { openai: OPENAI_ROUTES, anthropic: ANTHROPIC_ROUTES, copilot: COPILOT_ROUTES };

const CASES: [table: keyof typeof TABLES, route: string, want: string | null][] = [
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
  ["copilot", "/chat/completions", "bridged chat_completions /chat/completions"],
  ["copilot", "/responses", "bridged responses /responses"],
  ["copilot", "/v1/messages", "bridged messages /v1/messages"],
  ["copilot", "/models", "passthrough /models /models"],
  ["copilot", "/models/session", "passthrough /models/ /models/session"],
  ["copilot", "/agents", "passthrough /agents /agents"],
  ["copilot", "/agents/swe/jobs", "passthrough /agents/ /agents/swe/jobs"],
  ["copilot", "/mcp", "passthrough /mcp /mcp"],
  ["copilot", "/mcp/readonly", "passthrough /mcp/ /mcp/readonly"],
  ["copilot", "/.well-known/oauth-protected-resource/mcp", "passthrough /.well-known/ /.well-known/oauth-protected-resource/mcp"],
  ["copilot", "/_ping", "passthrough /_ping /_ping"],
  ["copilot", "/auto", "passthrough /auto /auto"],
  ["copilot", "/v1/chat/completions", null],
  ["copilot", "/_pings", null],
  ["copilot", "/agentsx", null],
  ["copilot", "/user/seats", null],
]; // prettier-ignore

for (const [table, route, want] of CASES) {
  test(`${table} ${route} is ${want ?? "not a route"}`, () => {
    const match = matchProviderRoute(TABLES[table], { route, rawRoute: route });
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
  const match = matchProviderRoute(OPENAI_ROUTES, {
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
