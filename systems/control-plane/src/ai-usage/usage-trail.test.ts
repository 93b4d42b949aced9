import type { RequestTrail } from "@atelier/contract/rpc/request-trail";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromTrailColumns, toTrailColumns } from "./usage-trail.ts";

const ABOUT = {
  credential_hint: "sk-a...z",
  started_at: new Date(0),
  ended_at: new Date(1_500),
};
const UNTIL = new Date("2026-11-20T12:04:10.000Z");
const TOLD: RequestTrail = {
  kind: "told",
  attempts: [
    {
      keyHint: "sk-a...z",
      reason: "free",
      passedOver: [{ keyHint: "sk-b...y", why: "resting", until: UNTIL }],
      waitedMs: null,
      offsetMs: 1,
      durationMs: 300,
      outcome: "set_aside",
      status: 429,
      cause: null,
      keyEffect: { state: "temporary", until: UNTIL },
      isRepaired: false,
    },
  ],
  attemptsLeftOut: 0,
  refusal: {
    kind: "keys_resting",
    retryInMs: 60_000,
    passedOver: [{ keyHint: "bad\0name\ud800", why: "refused", until: null }],
  },
  breaker: "opened",
};
const read = (trail: RequestTrail | null) => {
  // What the database does between them.
  const { key_reason = null, trail: stored = null } = JSON.parse(
    JSON.stringify(toTrailColumns(trail)),
  ) as { key_reason?: string; trail?: unknown };
  return fromTrailColumns({ ...ABOUT, key_reason, trail: stored });
};

test("a plain request is one word, and reads as one attempt that served", () => {
  assert.deepEqual(toTrailColumns({ kind: "plain", reason: "first" }), { key_reason: "first" });
  assert.deepEqual(read({ kind: "plain", reason: "first" }), {
    attempts: [
      {
        key_hint: "sk-a...z",
        reason: "first",
        passed_over: [],
        waited_ms: null,
        offset_ms: 0,
        duration_ms: 1_500,
        outcome: "answered",
        status: 200,
        cause: null,
        key_effect: null,
        repaired: false,
      },
    ],
    attempts_left_out: 0,
    refusal: null,
    breaker: null,
  });
});

test("everything that was told is read back, in texts that Postgres can hold", () => {
  const trail = read(TOLD);
  const until = UNTIL.toISOString();
  assert.deepEqual(trail?.attempts[0]?.passed_over, [
    { key_hint: "sk-b...y", why: "resting", until },
  ]);
  assert.deepEqual(trail?.attempts[0]?.key_effect, { state: "temporary", until });
  assert.deepEqual(trail?.refusal, {
    kind: "keys_resting",
    retry_in_ms: 60_000,
    passed_over: [{ key_hint: "bad\u{fffd}name\u{fffd}", why: "refused", until: null }],
  });
  assert.deepEqual([trail?.breaker, toTrailColumns(TOLD).key_reason], ["opened", "free"]);
});

test("nothing is read where nothing is known, or where a later version wrote", () => {
  assert.equal(read(null), null);
  assert.equal(fromTrailColumns({ ...ABOUT, key_reason: "moon_phase", trail: null }), null);
  const stored = { ...toTrailColumns(TOLD).trail, attempts: [{ outcome: "teleported" }] };
  assert.equal(fromTrailColumns({ ...ABOUT, key_reason: "free", trail: stored }), null);
});
