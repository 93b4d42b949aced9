import { Secret } from "@atelier/base/secret";
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyFault } from "./fault-streak.ts";
import { REST_DEFAULT_MS, REST_MS_MAX } from "./key-disposition.ts";
import { KeyPool } from "./key-pool.ts";

const KEYS: readonly ProviderKey[] = ["a", "b", "c"].map((id) => ({
  id,
  secret: new Secret(id),
  hint: id,
}));
const ERROR = { status: 429, message: "slow down" };
const rest = (retryAfterMs: number | null) =>
  ({ kind: "rest", reason: "rate_limited", retryAfterMs }) as const;
const unauthorized = { kind: "rest", reason: "unauthorized", retryAfterMs: null } as const;
const rejected = { kind: "reject", reason: "unauthorized" } as const;
const NONE: ReadonlySet<string> = new Set();

test("the first key serves while it can, then the next, and the first again once it rested", async () => {
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  assert.equal(pool.next(KEYS, NONE)?.id, "a");
  assert.equal(pool.mark("a", rest(5_000), ERROR), true);
  assert.equal(pool.next(KEYS, NONE)?.id, "b");
  await clock.advance(4_999);
  assert.equal(pool.next(KEYS, NONE)?.id, "b");
  await clock.advance(1);
  assert.equal(pool.next(KEYS, NONE)?.id, "a");
});

test("a key is not tried twice for one call", () => {
  const pool = new KeyPool(new FakeClock());
  assert.equal(pool.next(KEYS, new Set(["a", "b"]))?.id, "c");
  assert.equal(pool.next(KEYS, new Set(["a", "b", "c"])), null);
});

for (const { name, answers, restMs } of [
  { name: "as long as the provider says", answers: [5_000], restMs: 5_000 },
  { name: "60 s when it says nothing", answers: [null], restMs: REST_DEFAULT_MS },
  { name: "60 s when it says zero", answers: [0], restMs: REST_DEFAULT_MS },
  { name: "for the longer of two answers", answers: [5_000, 1_000], restMs: 5_000 },
  { name: "longer after a later answer", answers: [1_000, 5_000], restMs: 5_000 },
  { name: "a day at the most", answers: [10 * REST_MS_MAX], restMs: REST_MS_MAX },
]) {
  test(`a throttled key rests ${name}`, async () => {
    const clock = new FakeClock();
    const pool = new KeyPool(clock);
    for (const ms of answers) pool.mark("a", rest(ms), ERROR);
    assert.deepEqual(pool.health("a"), {
      keyId: "a",
      state: "temporary",
      lastError: { ...ERROR, at: clock.now() },
      returnsAt: new Date(clock.now().getTime() + restMs),
    });
    await clock.advance(restMs - 1);
    assert.equal(pool.state("a"), "temporary");
    await clock.advance(1);
    assert.equal(pool.state("a"), "valid");
  });
}

test("a rejected key stays rejected until it is reset", async () => {
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  assert.equal(pool.mark("a", rejected, { status: 401, message: "no" }), true);
  assert.equal(pool.mark("a", rest(1), ERROR), false);
  await clock.advance(REST_MS_MAX);
  assert.equal(pool.state("a"), "permanent");
  pool.reset("a");
  assert.deepEqual(pool.health("a"), {
    keyId: "a",
    state: "valid",
    lastError: null,
    returnsAt: null,
  });
});

test("what is known of a key outlives everything but its removal", () => {
  const pool = new KeyPool(new FakeClock());
  pool.mark("a", rejected, ERROR);
  pool.mark("b", rejected, ERROR);
  pool.keepOnly(KEYS.filter(({ id }) => id !== "b"));
  assert.deepEqual([pool.state("a"), pool.state("b")], ["permanent", "valid"]);
});

test("when no key is left, the soonest return decides", () => {
  const pool = new KeyPool(new FakeClock());
  pool.mark("a", rest(5_000), ERROR);
  pool.mark("b", rest(3_000), ERROR);
  pool.mark("c", rest(10_000), ERROR);
  assert.deepEqual(pool.exhausted(KEYS), { kind: "rate_limited", retryInMs: 3_000 });
  pool.mark("b", rejected, ERROR);
  assert.deepEqual(pool.exhausted(KEYS), { kind: "rate_limited", retryInMs: 5_000 });
});

test("when all keys were refused, waiting does not help", () => {
  const pool = new KeyPool(new FakeClock());
  pool.mark("a", rejected, ERROR);
  pool.mark("b", unauthorized, ERROR);
  pool.mark("c", unauthorized, ERROR);
  assert.deepEqual(pool.exhausted(KEYS), { kind: "auth_failed" });
});

test("a key that woke up meanwhile means: at once", async () => {
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  for (const { id } of KEYS) pool.mark(id, rest(1_000), ERROR);
  await clock.advance(1_000);
  assert.deepEqual(pool.exhausted(KEYS), { kind: "rate_limited", retryInMs: 0 });
});

test("any history: a rejected key stays rejected, a rest never gets shorter", async () => {
  const id = fc.constantFrom("a", "b");
  const step = fc.oneof(
    fc.record({ kind: fc.constant("rest" as const), id, ms: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("reject" as const), id }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 4 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step), async (steps) => {
      const clock = new FakeClock();
      const pool = new KeyPool(clock);
      const wakesAtMs = new Map([["a", 0], ["b", 0]]); // prettier-ignore
      for (const each of steps) {
        if (each.kind === "wait") await clock.advance(each.ms);
        else if (each.kind === "reject") {
          pool.mark(each.id, rejected, ERROR);
          wakesAtMs.set(each.id, Infinity);
        } else {
          pool.mark(each.id, rest(each.ms), ERROR);
          const wakesMs = clock.monotonicMs() + each.ms;
          wakesAtMs.set(each.id, Math.max(wakesAtMs.get(each.id) ?? 0, wakesMs));
        }
        const want = ["a", "b"].find((key) => (wakesAtMs.get(key) ?? 0) <= clock.monotonicMs());
        assert.equal(pool.next(KEYS.slice(0, 2), NONE)?.id, want);
      }
    }),
  );
});

const FAULT_ERROR = { status: 500, message: "broken" };

/** A pool whose key `a` has so many faults in a row, one after the other. */
function faulty(count: number, fault: Partial<KeyFault> = {}) {
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  const add = (more: Partial<KeyFault> = {}): boolean => {
    const beganAtMs = clock.monotonicMs();
    return pool.markFault(
      "a",
      { isSilence: false, retryAfterMs: null, beganAtMs, ...fault, ...more },
      FAULT_ERROR,
    );
  };
  const marks = Array.from({ length: count }, () => add());
  return { clock, pool, add, marks };
}

const restOf = ({ clock, pool }: ReturnType<typeof faulty>): number => {
  const { returnsAt } = pool.health("a");
  return returnsAt === null ? 0 : returnsAt.getTime() - clock.now().getTime();
};

for (const [count, fault, restMs] of [
  [1, {}, 0],
  [2, {}, 1_000],
  [3, {}, 2_000],
  [4, {}, 4_000],
  [50, {}, 60_000],
  [1, { isSilence: true }, 1_000],
  [2, { isSilence: true }, 4_000],
  [1, { retryAfterMs: 7_000 }, 7_000],
  [3, { retryAfterMs: 1 }, 2_000],
  [1, { retryAfterMs: 10 * REST_MS_MAX }, REST_MS_MAX],
] as const) {
  test(`a key with ${count} faults in a row ${JSON.stringify(fault)} rests ${restMs} ms`, () => {
    const world = faulty(count, fault);
    assert.equal(restOf(world), restMs);
    assert.equal(world.pool.state("a"), restMs === 0 ? "valid" : "temporary");
    assert.deepEqual(world.pool.health("a").lastError, {
      ...FAULT_ERROR,
      at: world.clock.now(),
    });
    assert.equal(world.marks.filter(Boolean).length, restMs === 0 ? 0 : 1, "told once");
  });
}

test("faults of requests that were under way together count once", () => {
  const world = faulty(0);
  for (let i = 0; i < 20; i += 1) world.add({ beganAtMs: -1, isSilence: true });
  assert.equal(restOf(world), 1_000);
});

test("after its rest one request at a time tries the key, until it is served", async () => {
  const { clock, pool } = faulty(2);
  assert.equal(pool.next(KEYS, NONE)?.id, "b");
  await clock.advance(1_000);
  assert.equal(pool.next(KEYS, NONE)?.id, "a");
  assert.equal(pool.enter("a", 5_000), "probe");
  assert.equal(pool.next(KEYS, NONE)?.id, "b", "the others go on without it");
  assert.equal(pool.enter("a", 5_000), "out");
  pool.served("a");
  assert.equal(pool.next(KEYS, NONE)?.id, "a");
  assert.equal(pool.enter("a", 5_000), "free", "it is like any other again");
});

test("a probe that fails begins a longer rest; one that is given up, or forgotten, none", async () => {
  const { clock, pool, add } = faulty(2);
  await clock.advance(1_000);
  pool.enter("a", 5_000);
  pool.leave("a");
  assert.equal(pool.state("a"), "valid");
  pool.enter("a", 5_000);
  await clock.advance(4_999);
  assert.equal(pool.state("a"), "temporary");
  await clock.advance(1);
  assert.equal(pool.state("a"), "valid");
  pool.enter("a", 5_000);
  add();
  await clock.advance(1_999);
  assert.equal(pool.state("a"), "temporary");
  await clock.advance(1);
  assert.equal(pool.state("a"), "valid");
});

test("where all keys rest, the one whose faults are over first is still worth a try", async () => {
  const { clock, pool, add } = faulty(3);
  pool.mark("b", rest(100), ERROR);
  pool.mark("c", rejected, ERROR);
  assert.equal(pool.next(KEYS, NONE), null);
  assert.equal(pool.lastResort(KEYS, NONE)?.id, "a");
  assert.equal(pool.lastResort(KEYS, new Set(["b"]))?.id, "a");
  assert.equal(pool.lastResort(KEYS, new Set(["a"])), null);
  await clock.advance(2_000);
  add({ isSilence: true });
  assert.equal(pool.lastResort(KEYS, NONE)?.id, "a");
  assert.equal(pool.lastResort(KEYS, new Set(["b"])), null, "silence costs too much twice");
  const { kind } = pool.exhausted([KEYS[0]!, KEYS[2]!]);
  assert.equal(kind, "rate_limited", "time heals it");
});

test("an answer about the key ends its faults, and its rest is the provider's", async () => {
  const { clock, pool } = faulty(10);
  pool.mark("a", rest(1_000), ERROR);
  assert.equal(pool.lastResort(KEYS, NONE), null);
  await clock.advance(1_000);
  assert.equal(pool.state("a"), "valid");
  assert.equal(pool.enter("a", 5_000), "free");
});

test("a rejected key has no faults any more", () => {
  const { pool, add } = faulty(0);
  pool.mark("a", rejected, ERROR);
  assert.equal(add(), false);
  assert.deepEqual(pool.health("a").lastError?.message, ERROR.message);
});

for (const { name, mark } of [
  { name: "rests", mark: unauthorized },
  { name: "is rejected", mark: rejected },
]) {
  test(`a key that ${name} and is taken again serves again, and its last error can still be seen`, () => {
    const pool = new KeyPool(new FakeClock());
    pool.mark("a", mark, ERROR);
    const { lastError } = pool.health("a");
    assert.equal(pool.forgive("a", pool.lastErrorId("a"), 0), true);
    assert.deepEqual([pool.state("a"), pool.health("a").lastError], ["valid", lastError]);
  });
}

test("what was said of a key after the refusal that is forgiven stands", async () => {
  const clock = new FakeClock();
  const pool = new KeyPool(clock);
  pool.mark("a", unauthorized, ERROR);
  const refusalId = pool.lastErrorId("a");
  pool.mark("a", rest(1_000), ERROR);
  assert.equal(pool.forgive("a", refusalId, 0), false);
  assert.equal(pool.state("a"), "temporary");
});

test("a longer rest that the provider asked for outlasts a refusal that is forgiven", () => {
  const pool = new KeyPool(new FakeClock());
  pool.mark("a", rest(3_600_000), ERROR);
  pool.mark("a", unauthorized, ERROR);
  assert.equal(pool.forgive("a", pool.lastErrorId("a"), 0), false);
  assert.equal(pool.state("a"), "temporary");
});
