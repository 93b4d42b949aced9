/** A thread that works on shared memory as fast as it can, and tells what it saw. For tests only. */
import { systemClock } from "@atelier/base/system-clock";
import { parentPort, workerData } from "node:worker_threads";
import { CircuitBreaker, closedBreaker } from "../breaker/circuit-breaker.ts";
import { limiterOf, notebookOf, type GatewayMembership } from "../gateway-memory.ts";

export type MemberWork = {
  readonly kind: "count" | "limit" | "probe" | "hold";
  readonly membership: GatewayMembership;
  readonly rounds: number;
  /** How many are inside now, of all threads, then of each of two people. */
  readonly inside: SharedArrayBuffer;
};

/** Half open as soon as it is open. */
export const PROBED = { failureThreshold: 1, intervalMs: 60_000, openMs: 0, probesMax: 3 };
export const LIMITS = { concurrencyMax: 5, concurrencyPerUserMax: 3, ratePerSecondMax: 0 };

export function probedBreaker(membership: GatewayMembership): CircuitBreaker {
  const notebook = notebookOf(membership);
  return new CircuitBreaker({
    config: PROBED,
    clock: systemClock,
    note: notebook.note("breaker\nprovider\n/v1\nm", () => closedBreaker(PROBED, systemClock)),
    member: membership.member,
    onChange: () => {},
  });
}

if (parentPort !== null) {
  const work = workerData as MemberWork;
  parentPort.postMessage({ count, limit, probe, hold }[work.kind](work));
  // Whoever holds something goes on holding it until it is killed.
  if (work.kind === "hold") setInterval(() => {}, 60_000);
}

function count({ membership, rounds }: MemberWork): number {
  const note = notebookOf(membership).note("key\nn", () => ({ count: 0 }));
  for (let i = 0; i < rounds; i += 1) note.change((value) => (value.count += 1));
  return note.read().count;
}

/** The most that were inside at once. */
function limit({ membership, rounds, inside }: MemberWork): number {
  const limiter = limiterOf(LIMITS, systemClock, membership);
  const counts = new Int32Array(inside);
  let most = 0;
  for (let i = 0; i < rounds; i += 1) {
    const user = 1 + (i % 2);
    const caller = { userId: `user-${user}`, apiKeyId: "k" };
    if (limiter.admit(caller) !== "admitted") continue;
    most = Math.max(most, Atomics.add(counts, 0, 1) + 1);
    if (Atomics.add(counts, user, 1) + 1 > LIMITS.concurrencyPerUserMax) most = Infinity;
    for (let spin = 0; spin < 200; spin += 1) Atomics.load(counts, 0);
    Atomics.sub(counts, user, 1);
    Atomics.sub(counts, 0, 1);
    limiter.release(caller);
  }
  return most;
}

function probe({ membership, rounds, inside }: MemberWork): number {
  const breaker = probedBreaker(membership);
  const counts = new Int32Array(inside);
  let most = 0;
  for (let i = 0; i < rounds; i += 1) {
    const verdict = breaker.admit();
    if (verdict.kind !== "admitted") continue;
    most = Math.max(most, Atomics.add(counts, 0, 1) + 1);
    for (let spin = 0; spin < 200; spin += 1) Atomics.load(counts, 0);
    Atomics.sub(counts, 0, 1);
    breaker.report(verdict.ticket, "neutral");
  }
  return most;
}

function hold({ membership }: MemberWork): number {
  const limiter = limiterOf(LIMITS, systemClock, membership);
  let held = 0;
  while (limiter.admit({ userId: `user-${held}`, apiKeyId: "k" }) === "admitted") held += 1;
  const breaker = probedBreaker(membership);
  while (breaker.admit().kind === "admitted") held += 1;
  return held;
}
