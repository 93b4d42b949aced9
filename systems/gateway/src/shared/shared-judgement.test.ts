/**
 * Shared or not, the same judgement: whatever happens in whichever order, threads that share their
 * memory decide as one alone would.
 */
import { Secret } from "@atelier/base/secret";
import { FakeClock } from "@atelier/testkit/fake-clock";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { BreakerSet } from "../breaker/breaker-set.ts";
import type { BreakerTicket } from "../breaker/circuit-breaker.ts";
import { CallLimiter } from "../callers/call-limits.ts";
import { createGatewayMemory, limiterOf, notebookOf } from "../gateway-memory.ts";
import { KeyPool } from "../keys/key-pool.ts";
import { OWN_NOTES, type Notebook } from "./note.ts";

const MEMBERS = [0, 1, 2] as const;
const RUNS = { numRuns: 60 };
/** By themselves most are so short that now and then a verdict comes in none. */
const LONG = { maxLength: 80, size: "max" } as const;
const member = fc.constantFrom(...MEMBERS);

test("limits over threads give the verdicts of one limiter", async () => {
  const step = fc.record({
    member,
    userId: fc.constantFrom("ann", "bob", "cid"),
    apiKeyId: fc.constantFrom("k1", "k2"),
    act: fc.constantFrom("admit", "admit", "release", "wait"),
  });
  const limits = fc.record({
    concurrencyMax: fc.nat(5),
    concurrencyPerUserMax: fc.nat(3),
    ratePerSecondMax: fc.nat(4),
  });
  const verdicts = new Set<string>();
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, LONG), async (limit, steps) => {
      fc.pre(Object.values(limit).some((max) => max > 0));
      const clock = new FakeClock();
      const one = new CallLimiter(limit, clock);
      const memory = createGatewayMemory(MEMBERS.length);
      const many = MEMBERS.map((i) => limiterOf(limit, clock, { memory, member: i }));
      const held: { userId: string; apiKeyId: string; by: number }[] = [];
      for (const { member: by, act, ...caller } of steps) {
        if (act === "wait") await clock.advance(400);
        else if (act === "admit") {
          const verdict = one.admit(caller);
          verdicts.add(verdict);
          assert.equal(many[by]!.admit(caller), verdict);
          if (verdict === "admitted") held.push({ ...caller, by });
        } else {
          const first = held.shift();
          if (first === undefined) continue;
          one.release(first);
          many[first.by]!.release(first);
        }
        const underWay = many.reduce((sum, each) => sum + each.underWay, 0);
        assert.equal(underWay, one.underWay);
      }
    }),
    RUNS,
  );
  assert.equal(verdicts.size, 4, "every verdict was seen");
});

test("breakers over threads admit, refuse and open as one does", async () => {
  const config = { failureThreshold: 2, intervalMs: 1_000, openMs: 500, probesMax: 2 };
  const step = fc.record({
    member,
    model: fc.constantFrom("m1", "m2"),
    act: fc.constantFrom("admit", "admit", "success", "failure", "failure", "neutral", "wait"),
  });
  const setOn = (notebook: Notebook, clock: FakeClock) =>
    new BreakerSet({ config, clock, notebook, notesPrefix: "breaker\np\n" });
  const healthOf = (set: BreakerSet) =>
    set.health().toSorted((a, b) => a.model.localeCompare(b.model));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const clock = new FakeClock();
      const one = setOn(OWN_NOTES, clock);
      const memory = createGatewayMemory(MEMBERS.length);
      const many = MEMBERS.map((i) => setOn(notebookOf({ memory, member: i }), clock));
      const tickets: { model: string; by: number; one: BreakerTicket; many: BreakerTicket }[] = [];
      // The window of a breaker's counts begins when it is first looked at: at the same time here.
      for (const model of ["m1", "m2"]) {
        one.breakerOf("/v1", model).admit();
        const breaker = many[0]!.breakerOf("/v1", model);
        const verdict = breaker.admit();
        assert.ok(verdict.kind === "admitted");
        one.breakerOf("/v1", model).report(verdict.ticket, "failure");
        breaker.report(verdict.ticket, "failure");
      }
      for (const { member: by, model, act } of steps) {
        if (act === "wait") await clock.advance(300);
        else if (act === "admit") {
          const expected = one.breakerOf("/v1", model).admit();
          const verdict = many[by]!.breakerOf("/v1", model).admit();
          assert.deepEqual(verdict, expected);
          if (expected.kind === "rejected" || verdict.kind === "rejected") continue;
          tickets.push({ model, by, one: expected.ticket, many: verdict.ticket });
        } else {
          const ticket = tickets.shift();
          if (ticket === undefined) continue;
          const opened = one.breakerOf("/v1", ticket.model).report(ticket.one, act);
          const breaker = many[ticket.by]!.breakerOf("/v1", ticket.model);
          assert.equal(breaker.report(ticket.many, act), opened);
        }
        for (const set of many) assert.deepEqual(healthOf(set), healthOf(one));
      }
    }),
    RUNS,
  );
});

test("keys over threads rest, return and are probed as those of one are", async () => {
  const error = { status: 503, message: "broken" };
  const step = fc.record({
    member,
    key: fc.constantFrom("a", "b"),
    act: fc.constantFrom("enter", "leave", "served", "fault", "silence", "rest", "reject", "reset"),
    waitMs: fc.constantFrom(0, 0, 700, 5_000),
  });
  const keys = ["a", "b"].map((id) => ({ id, secret: new Secret("s"), hint: "h" }));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock();
      const one = new KeyPool(clock);
      const memory = createGatewayMemory(MEMBERS.length);
      const many = MEMBERS.map(
        (i) => new KeyPool(clock, notebookOf({ memory, member: i }), "key\np\n"),
      );
      const act = (pool: KeyPool, { key, act: what }: (typeof steps)[number]): unknown => {
        const fault = {
          isSilence: what === "silence",
          retryAfterMs: null,
          beganAtMs: clock.monotonicMs(),
        };
        const rest = { kind: "rest", reason: "rate_limited", retryAfterMs: 1_000 } as const;
        switch (what) {
          case "enter":
            return pool.enter(key, 2_000);
          case "leave":
            return pool.leave(key);
          case "served":
            return pool.served(key);
          case "fault":
          case "silence":
            return pool.markFault(key, fault, error);
          case "rest":
            return pool.mark(key, rest, error);
          case "reject":
            return pool.mark(key, { kind: "reject", reason: "forbidden" }, error);
          case "reset":
            return pool.reset(key);
        }
      };
      for (const each of steps) {
        await clock.advance(each.waitMs);
        assert.deepEqual(act(many[each.member]!, each), act(one, each));
        for (const pool of many) {
          for (const { id } of keys) assert.deepEqual(pool.health(id), one.health(id));
          assert.deepEqual(pool.exhausted(keys), one.exhausted(keys));
          const lastResort = one.lastResort(keys, new Set())?.id;
          assert.equal(pool.lastResort(keys, new Set())?.id, lastResort);
        }
      }
    }),
    RUNS,
  );
});

test("the memory for notes is bounded: what was quiet for longest is forgotten", () => {
  const memory = createGatewayMemory(2);
  const [mine, other] = [0, 1].map((i) => notebookOf({ memory, member: i }));
  const blank = () => ({ text: "" });
  for (let i = 0; i < 5_000; i += 1) {
    mine!.note(`key\np\n${i}`, blank).change((value) => (value.text = "é\u{1F600}".repeat(160)));
  }
  assert.ok(other!.names("key\n").length <= 2_048);
  assert.equal(other!.note("key\np\n4999", blank).read().text.length, 480);
});

test("names that differ only far behind their beginning are two", () => {
  const notebook = notebookOf({ memory: createGatewayMemory(1), member: 0 });
  const blank = () => ({ count: 0 });
  const long = "m".repeat(5_000);
  notebook.note(`${long}1`, blank).change((value) => (value.count = 1));
  assert.equal(notebook.note(`${long}2`, blank).read().count, 0);
  assert.equal(notebook.note(`${long}1`, blank).read().count, 1);
});
