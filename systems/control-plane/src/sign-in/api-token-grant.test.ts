import assert from "node:assert/strict";
import { test } from "node:test";
import { grantLifetime, grantScopes } from "./api-token-grant.ts";

const LIMITS = { defaultTokenLifetimeMs: 86_400_000, maxTokenLifetimeMs: 30 * 86_400_000 };

for (const { wanted, seconds } of [
  { wanted: undefined, seconds: 86_400 },
  { wanted: 3_600_000_000_000, seconds: 3_600 },
  { wanted: "1h30m", seconds: 5_400 },
  { wanted: "720h0m0s", seconds: 2_592_000 },
  { wanted: "30d", seconds: 2_592_000 },
]) {
  test(`a lifetime of ${wanted} is ${seconds} s`, () => {
    assert.deepEqual(grantLifetime(wanted, LIMITS), { ok: true, value: seconds });
  });
}

for (const wanted of ["31d", "0", "999ms", "soon", "", 1, 3e15, "-1h"]) {
  test(`a lifetime of ${JSON.stringify(wanted)} is refused`, () => {
    assert.equal(grantLifetime(wanted, LIMITS).ok, false);
  });
}

for (const { wanted, own, verdict } of [
  { wanted: undefined, own: ["all"], verdict: "granted" },
  { wanted: ["all"], own: ["coder:all"], verdict: "granted" },
  { wanted: ["user:*", "audit_event:read"], own: ["all"], verdict: "granted" },
  { wanted: ["user:read"], own: ["user:*"], verdict: "granted" },
  { wanted: ["user:*"], own: ["user:*"], verdict: "granted" },
  { wanted: undefined, own: ["user:read"], verdict: "api_token.scope_exceeds_yours" },
  { wanted: ["coder:all"], own: ["user:*"], verdict: "api_token.scope_exceeds_yours" },
  { wanted: ["user:*"], own: ["user:read"], verdict: "api_token.scope_exceeds_yours" },
  { wanted: ["user:update"], own: ["user:read"], verdict: "api_token.scope_exceeds_yours" },
  { wanted: ["nonsense"], own: ["all"], verdict: "request.invalid" },
  { wanted: ["nonsense:*"], own: ["all"], verdict: "request.invalid" },
]) {
  test(`who has [${own.join()}] and wants [${String(wanted)}]: ${verdict}`, () => {
    const granted = grantScopes(wanted, own);
    assert.equal(granted.ok ? "granted" : granted.failure.code, verdict);
  });
}
