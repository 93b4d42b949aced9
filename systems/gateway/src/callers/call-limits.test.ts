import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallLimiter } from "./call-limits.ts";

test("no limits admit everything", () => {
  const limiter = new CallLimiter({ concurrencyMax: 0, ratePerSecondMax: 0 }, new FakeClock());
  for (let i = 0; i < 1_000; i += 1) assert.equal(limiter.admit("k"), "admitted");
  assert.equal(limiter.underWay, 1_000);
});

test("a place is free again once a call is released", () => {
  const limiter = new CallLimiter({ concurrencyMax: 2, ratePerSecondMax: 0 }, new FakeClock());
  assert.deepEqual(
    [limiter.admit("a"), limiter.admit("b"), limiter.admit("c")],
    ["admitted", "admitted", "too_many_at_once"],
  );
  limiter.release();
  assert.equal(limiter.admit("c"), "admitted");
});

test("each key has its own second", async () => {
  const clock = new FakeClock();
  const limiter = new CallLimiter({ concurrencyMax: 0, ratePerSecondMax: 2 }, clock);
  assert.deepEqual(
    [limiter.admit("a"), limiter.admit("a"), limiter.admit("a"), limiter.admit("b")],
    ["admitted", "admitted", "too_many_per_second", "admitted"],
  );
  await clock.advance(999);
  assert.equal(limiter.admit("a"), "too_many_per_second");
  await clock.advance(1);
  assert.equal(limiter.admit("a"), "admitted");
});

test("quiet keys are forgotten before their number grows without bound", async () => {
  const clock = new FakeClock();
  const limiter = new CallLimiter({ concurrencyMax: 0, ratePerSecondMax: 1 }, clock);
  for (let i = 0; i < 10_000; i += 1) limiter.admit(`k${i}`);
  await clock.advance(1_000);
  assert.equal(limiter.admit("another"), "admitted");
  assert.equal(limiter.admit("k1"), "admitted");
  assert.equal(limiter.admit("k1"), "too_many_per_second");
});
