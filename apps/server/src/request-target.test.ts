/** Who answers which path. */
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import assert from "node:assert/strict";
import { test } from "node:test";
import { targetOf } from "./request-target.ts";

for (const [url, kind] of [
  ["/api/v2/ai-gateway/openai/v1/models", "gateway"],
  ["/api/v2/aibridge/anthropic/v1/messages?beta=true", "gateway"],
  ["/api/v2/aibridge/sessions-two/v1/models", "gateway"],
  ["/api/v2/aibridge/", "gateway"],
  ["/api/v2/aibridge/sessions", "api"],
  ["/api/v2/ai-gateway/interceptions?limit=1", "api"],
  ["/api/v2/ai-gateway/sessions/some-id", "api"],
  ["/api/v2/ai-gateway/usage", "api"],
  ["/api/v2/aibridge/usage.csv", "api"],
  ["/api/v2/ai-gateway/prices/apply", "api"],
  ["/api/v2/ai-gateway/prices-of-mine/v1/models", "gateway"],
  ["/api/v2/aibridge", "api"],
  ["/api/v2/aibridges/openai", "api"],
  ["/API/v2/aibridge/openai", "api"],
  ["/healthz", "liveness"],
  ["/healthz?probe=1", "liveness"],
  ["/healthz/x", "dashboard"],
  ["/readyz", "readiness"],
  ["/metrics", "metrics"],
  ["/api/v2/workspace-agent/atelier-agent.mjs", "workspace_agent"],
  ["/api/v2/workspace-agent/other", "api"],
  ["/", "dashboard"],
  ["/?x=1", "dashboard"],
  ["/workspaces/of/somebody", "dashboard"],
  ["/apis", "dashboard"],
  ["/api", "api"],
  ["http://elsewhere.example/", "api"],
  ["*", "api"],
  ["", "api"],
] as const) {
  test(`${url === "" ? "an empty target" : url} is answered by ${kind}`, () => {
    assert.equal(targetOf(url).kind, kind);
  });
}

test("the API answers all of its own paths that stand beside the gateway's", () => {
  const paths = ENDPOINTS.flatMap(({ path, aliases = [] }) => [path, ...aliases]);
  const beside = paths.filter((path) => /^\/api\/v2\/(?:ai-gateway|aibridge)\//.test(path));
  assert.ok(beside.length > 0);
  assert.deepEqual(
    beside.filter((path) => targetOf(path).kind !== "api"),
    [],
  );
});

test("the gateway learns which prefix stands before the provider's name", () => {
  assert.deepEqual(targetOf("/api/v2/aibridge/openai/v1/models"), {
    kind: "gateway",
    prefix: "/api/v2/aibridge",
  });
});
