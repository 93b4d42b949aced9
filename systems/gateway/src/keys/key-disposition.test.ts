import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeKey, readRetryAfterMs, type KeyDisposition } from "./key-disposition.ts";

const KEEP: KeyDisposition = { kind: "keep" };
const REST = { kind: "rest", reason: "rate_limited", retryAfterMs: null } as const;
const CASES: [status: number, cooldown: KeyDisposition, permanent: KeyDisposition][] = [
  [200, KEEP, KEEP],
  [400, KEEP, KEEP],
  [401, { ...REST, reason: "unauthorized" }, { kind: "reject", reason: "unauthorized" }],
  [403, KEEP, { kind: "reject", reason: "forbidden" }],
  [404, KEEP, KEEP],
  [429, REST, REST],
  [500, KEEP, KEEP],
  [503, KEEP, KEEP],
  [529, KEEP, KEEP],
];
for (const [status, cooldown, permanent] of CASES) {
  test(`an answer ${status} is judged by the policy`, () => {
    const isAccountNamed = false;
    assert.deepEqual(judgeKey(status, [], { policy: "cooldown", isAccountNamed }), cooldown);
    assert.deepEqual(judgeKey(status, [], { policy: "permanent", isAccountNamed }), permanent);
  });
}

for (const policy of ["cooldown", "permanent"] as const) {
  test(`a 401 says nothing of the key where the client names an account (${policy})`, () => {
    assert.deepEqual(judgeKey(401, [], { policy, isAccountNamed: true }), KEEP);
    assert.deepEqual(judgeKey(429, [], { policy, isAccountNamed: true }), REST);
  });
}

for (const [name, headers, want] of [
  ["none", [], null],
  ["seconds", ["Retry-After", "7"], 7_000],
  ["milliseconds", ["retry-after-ms", "250.2"], 251],
  ["milliseconds before seconds", ["Retry-After", "7", "Retry-After-Ms", "90"], 90],
  ["a date", ["Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"], null],
  ["garbage", ["Retry-After", "soon", "retry-after-ms", "-5"], null],
  ["a fraction of seconds", ["Retry-After", "1.5"], null],
] as const) {
  test(`how long to rest: ${name}`, () => assert.equal(readRetryAfterMs(headers), want));
}
