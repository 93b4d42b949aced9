import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeKey, readRetryAfterMs, type KeyDisposition } from "./key-disposition.ts";

const KEEP: KeyDisposition = { kind: "keep" };
const FAULT: KeyDisposition = { kind: "fault", retryAfterMs: null };
const REST = { kind: "rest", reason: "rate_limited", retryAfterMs: null } as const;
const UNAUTHORIZED = { ...REST, reason: "unauthorized" } as const;
const OUT = { kind: "reject", reason: "unauthorized" } as const;
const FORBIDDEN = { kind: "reject", reason: "forbidden" } as const;
const OTHER: KeyDisposition = { kind: "other_key" };
const CASES: [
  status: number,
  cooldown: KeyDisposition,
  permanent: KeyDisposition,
  faults: KeyDisposition,
][] = [
  [200, KEEP, KEEP, KEEP],
  [400, KEEP, KEEP, KEEP],
  [401, UNAUTHORIZED, OUT, UNAUTHORIZED],
  [403, KEEP, FORBIDDEN, OTHER],
  [404, KEEP, KEEP, KEEP],
  [408, KEEP, KEEP, KEEP],
  [429, REST, REST, REST],
  [500, KEEP, KEEP, FAULT],
  [501, KEEP, KEEP, KEEP],
  [502, KEEP, KEEP, FAULT],
  [503, KEEP, KEEP, FAULT],
  [504, KEEP, KEEP, FAULT],
  [505, KEEP, KEEP, KEEP],
  [529, KEEP, KEEP, FAULT],
];
for (const [status, cooldown, permanent, faults] of CASES) {
  test(`an answer ${status} is judged by the policies`, () => {
    const own = { failover: "keys", isAccountNamed: false } as const;
    assert.deepEqual(judgeKey(status, [], { policy: "cooldown", ...own }), cooldown);
    assert.deepEqual(judgeKey(status, [], { policy: "permanent", ...own }), permanent);
    const failing = { ...own, failover: "faults" } as const;
    assert.deepEqual(judgeKey(status, [], { policy: "cooldown", ...failing }), faults);
  });
}

test("a fault carries how long the provider wants to be left alone", () => {
  const trial = { policy: "cooldown", failover: "faults", isAccountNamed: false } as const;
  const fault = judgeKey(503, ["Retry-After", "7"], trial);
  assert.deepEqual(fault, { kind: "fault", retryAfterMs: 7_000 });
});

for (const policy of ["cooldown", "permanent"] as const) {
  test(`a 401 says nothing of the key where the client names an account (${policy})`, () => {
    const trial = { policy, failover: "keys", isAccountNamed: true } as const;
    assert.deepEqual(judgeKey(401, [], trial), KEEP);
    assert.deepEqual(judgeKey(429, [], trial), REST);
  });
}

test("a 403 is worth no other key where the client names an account", () => {
  const trial = { policy: "cooldown", failover: "faults", isAccountNamed: true } as const;
  assert.deepEqual(judgeKey(403, [], trial), KEEP);
});

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
