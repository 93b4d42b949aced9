import { Secret } from "@atelier/base/secret";
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyPool, REST_DEFAULT_MS, REST_MS_MAX } from "./key-pool.ts";

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
