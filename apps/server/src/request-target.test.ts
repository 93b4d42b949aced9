/** Who answers which path. */
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import assert from "node:assert/strict";
import { test } from "node:test";
import { gatewayPrefixes, targetOf, targetOfRequest } from "./request-target.ts";

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
  ["/api/v2/applications/auth-redirect?label=x", "preview_auth"],
  ["/api/v2/applications/host", "api"],
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

const WILDCARD = { scheme: "https", ending: ".apps.example.com", port: "" } as const;

for (const url of ["/", "/api/v2/users/me", "/api/v2/ai-gateway/openai/v1/models", "/metrics"]) {
  test(`on a host below the wildcard ${url} is a preview's, and on others what it is`, () => {
    for (const host of ["a.apps.example.com", "A.APPS.example.com:8443", "a.apps.example.com."]) {
      const request = { url, headers: { host } };
      assert.equal(targetOfRequest(request, WILDCARD).kind, "preview");
      assert.equal(gatewayPrefixes(WILDCARD)(url, host), null);
      assert.deepEqual(targetOfRequest(request, null), targetOf(url));
    }
    for (const host of ["apps.example.com", "atelier.example.com", undefined]) {
      const headers = host === undefined ? {} : { host };
      assert.deepEqual(targetOfRequest({ url, headers }, WILDCARD), targetOf(url));
    }
  });
}

test("the gateway is told its prefix on every other host", () => {
  const url = "/api/v2/aibridge/openai/v1/models";
  assert.equal(gatewayPrefixes(WILDCARD)(url, "atelier.example.com"), "/api/v2/aibridge");
  assert.equal(gatewayPrefixes(null)(url, "a.apps.example.com"), "/api/v2/aibridge");
});
