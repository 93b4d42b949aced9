/** What threads share stays exact while they work on it at the same time, and when one of them dies. */
import { systemClock } from "@atelier/base/system-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { CircuitBreaker } from "../breaker/circuit-breaker.ts";
import {
  createGatewayMemory,
  giveBackOf,
  limiterOf,
  notebookOf,
  type GatewayMemory,
} from "../gateway-memory.ts";
import { LIMITS, PROBED, probedBreaker, type MemberWork } from "./member-thread-testkit.ts";

const THREADS = 4;

type Work = Pick<MemberWork, "kind" | "rounds"> & { readonly member: number };

function startThread(memory: GatewayMemory, { member, ...rest }: Work, inside: SharedArrayBuffer) {
  const workerData: MemberWork = { ...rest, membership: { memory, member }, inside };
  return new Worker(new URL("./member-thread-testkit.ts", import.meta.url), { workerData });
}

async function runThreads(memory: GatewayMemory, kind: MemberWork["kind"], rounds: number) {
  const inside = new SharedArrayBuffer(16);
  const results = await Promise.all(
    Array.from({ length: THREADS }, async (_, i) => {
      const thread = startThread(memory, { kind, rounds, member: i + 1 }, inside);
      const ended = once(thread, "exit");
      const [told] = (await once(thread, "message")) as [number];
      await ended;
      return told;
    }),
  );
  return { most: Math.max(...results), inside: new Int32Array(inside)[0] };
}

/** Opens it: it then lets probes through at once. */
function trip(breaker: CircuitBreaker): void {
  const verdict = breaker.admit();
  assert.ok(verdict.kind === "admitted" && breaker.report(verdict.ticket, "failure"));
}

test("no change of a note is lost between threads", async () => {
  const memory = createGatewayMemory(THREADS + 1);
  await runThreads(memory, "count", 3_000);
  const note = notebookOf({ memory, member: 0 }).note("key\nn", () => ({ count: 0 }));
  assert.equal(note.read().count, THREADS * 3_000);
});

test("threads together never admit more calls than the limits, and give every place back", async () => {
  const memory = createGatewayMemory(THREADS + 1);
  const { most, inside } = await runThreads(memory, "limit", 20_000);
  assert.equal(inside, 0);
  assert.ok(most >= 1 && most <= LIMITS.concurrencyMax, `${most} were inside at once`);
  const limiter = limiterOf(LIMITS, systemClock, { memory, member: 0 });
  const verdicts = ["a", "b", "c", "d", "e", "f"].map((userId) =>
    limiter.admit({ userId, apiKeyId: "k" }),
  );
  assert.deepEqual(verdicts, [...Array(5).fill("admitted"), "too_many_at_once"]);
});

test("a half-open breaker lets no more than its probes through, whichever threads ask", async () => {
  const memory = createGatewayMemory(THREADS + 1);
  const breaker = probedBreaker({ memory, member: 0 });
  trip(breaker);
  const { most } = await runThreads(memory, "probe", 10_000);
  assert.ok(most >= 1 && most <= PROBED.probesMax, `${most} probes at once`);
  const verdicts = [1, 2, 3, 4].map(() => breaker.admit().kind);
  assert.deepEqual(verdicts, ["admitted", "admitted", "admitted", "rejected"]);
});

test("what a killed thread held is free again once it is given back", async () => {
  const memory = createGatewayMemory(2);
  const breaker = probedBreaker({ memory, member: 0 });
  trip(breaker);
  const work = { kind: "hold", rounds: 0, member: 1 } as const;
  const thread = startThread(memory, work, new SharedArrayBuffer(16));
  const [held] = (await once(thread, "message")) as [number];
  assert.equal(held, LIMITS.concurrencyMax + PROBED.probesMax);
  const limiter = limiterOf(LIMITS, systemClock, { memory, member: 0 });
  const caller = { userId: "user-0", apiKeyId: "k" };
  assert.equal(limiter.admit(caller), "too_many_at_once");
  assert.equal(breaker.admit().kind, "rejected");
  await thread.terminate();
  giveBackOf({ memory, member: 1 }, systemClock);
  assert.equal(limiter.admit(caller), "admitted");
  assert.equal(breaker.admit().kind, "admitted");
});

test("threads that are killed in the middle of their work leave notes that can be written", async () => {
  const memory = createGatewayMemory(2);
  const note = notebookOf({ memory, member: 0 }).note("key\nn", () => ({ count: 0 }));
  for (let i = 0; i < 5; i += 1) {
    const work = { kind: "count", rounds: 1_000_000_000, member: 1 } as const;
    const thread = startThread(memory, work, new SharedArrayBuffer(16));
    const before = note.read().count;
    while (note.read().count === before) await new Promise((resolve) => setTimeout(resolve, 5));
    await thread.terminate();
    giveBackOf({ memory, member: 1 }, systemClock);
    note.change((value) => (value.count += 1));
    assert.ok(Number.isInteger(note.read().count));
  }
});
