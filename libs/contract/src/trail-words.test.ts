import assert from "node:assert/strict";
import { test } from "node:test";
import { AttemptOutcome, GatewayRefusal, KeyReason, PassedKey } from "./http/request-trail.ts";
import {
  breakerWords,
  effectWords,
  isPlainTrail,
  keyWords,
  outcomeWords,
  passedWords,
  reasonWords,
  refusalWords,
  type Trail,
  type TrailAttempt,
} from "./trail-words.ts";

const SAY = { length: (ms: number) => `${ms / 1_000} s`, time: (iso: string) => iso.slice(11, 19) };
const UNTIL = "2026-11-20T12:04:10.000Z";
const ATTEMPT: TrailAttempt = {
  ...{ key_hint: "sk-a...cd", reason: "first", passed_over: [], waited_ms: null, offset_ms: 0 },
  ...{ duration_ms: 300, outcome: "answered", status: 200, cause: null, key_effect: null },
  repaired: false,
};
const TRAIL: Trail = { attempts: [ATTEMPT], attempts_left_out: 0, refusal: null, breaker: null };

function line(changes: Partial<TrailAttempt>): string {
  const attempt = { ...ATTEMPT, ...changes };
  const passed = passedWords(attempt.passed_over, SAY);
  const effect = effectWords(attempt, SAY);
  const why = reasonWords(attempt, SAY) + (passed === null ? "" : `: ${passed}`);
  const tail = effect === null ? "" : `; ${effect}`;
  return `${keyWords(attempt)} (${why}) ${outcomeWords(attempt, SAY)}${tail}`;
}

test("an attempt is told in one line", () => {
  assert.equal(line({}), "sk-a...cd (first in order) answered in 0.3 s");
  assert.equal(
    line({
      ...{ outcome: "set_aside", status: 429, reason: "slot", waited_ms: 2_100 },
      key_effect: { state: "temporary", until: UNTIL },
    }),
    "sk-a...cd (free first, where all were busy, after a wait of 2.1 s) refused with 429 after 0.3 s; paused until 12:04:10",
  );
  assert.equal(
    line({
      ...{ reason: "free", outcome: "unreachable", status: null, cause: "ECONNRESET" },
      passed_over: [
        { key_hint: "sk-1", why: "resting", until: UNTIL },
        { key_hint: "sk-2", why: "busy", until: null },
      ],
    }),
    "sk-a...cd (the first one free: sk-1 paused until 12:04:10, sk-2 busy) could not be reached (ECONNRESET), after 0.3 s",
  );
  assert.match(line({ outcome: "set_aside", status: 503 }), /failed with 503 after 0.3 s$/);
  assert.match(line({ status: 503 }), /answered 503 after 0.3 s: that is what the client got$/);
  assert.match(
    line({ key_effect: { state: "permanent", until: null } }),
    /; taken out of service$/,
  );
});

test("everything that can happen has words", () => {
  for (const reason of KeyReason.options) {
    for (const outcome of AttemptOutcome.options) {
      assert.doesNotMatch(line({ reason, outcome, key_hint: "" }), /undefined|null/);
    }
  }
  for (const why of PassedKey.shape.why.options) {
    assert.doesNotMatch(passedWords([{ key_hint: "k", why, until: null }], SAY)!, /undefined/);
  }
  for (const kind of GatewayRefusal.shape.kind.options) {
    const refusal = { kind, retry_in_ms: 5_000, passed_over: [] };
    assert.match(refusalWords({ ...TRAIL, refusal }, SAY)!, /^[a-z].*another try in 5 s$/);
  }
  assert.equal(refusalWords(TRAIL, SAY), null);
  assert.equal(refusalWords({ ...TRAIL, attempts: [] }, SAY), "not sent: it ended before");
  assert.match(breakerWords({ ...TRAIL, breaker: "opened" })!, /held back/);
  assert.match(breakerWords({ ...TRAIL, breaker: "closed" })!, /go through/);
});

test("only what everybody expects is plain", () => {
  assert.equal(isPlainTrail(TRAIL), true);
  const others: Partial<Trail>[] = [
    { attempts: [] },
    { attempts: [ATTEMPT, ATTEMPT] },
    { attempts: [{ ...ATTEMPT, reason: "free" }] },
    { attempts: [{ ...ATTEMPT, status: 400 }] },
    { attempts: [{ ...ATTEMPT, outcome: "cut" }] },
    { attempts: [{ ...ATTEMPT, repaired: true }] },
    { breaker: "closed" },
  ];
  for (const changes of others) assert.equal(isPlainTrail({ ...TRAIL, ...changes }), false);
});
