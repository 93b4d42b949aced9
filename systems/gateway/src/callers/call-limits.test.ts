import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallLimiter } from "./call-limits.ts";

const by = (apiKeyId: string, userId = apiKeyId) => ({ userId, apiKeyId });

test("no limits admit everything", () => {
  const limiter = new CallLimiter(
    { concurrencyMax: 0, concurrencyPerUserMax: 0, ratePerSecondMax: 0 },
    new FakeClock(),
  );
  for (let i = 0; i < 1_000; i += 1) assert.equal(limiter.admit(by("k")), "admitted");
  assert.equal(limiter.underWay, 1_000);
});

test("a place is free again once a call is released", () => {
  const limiter = new CallLimiter(
    { concurrencyMax: 2, concurrencyPerUserMax: 0, ratePerSecondMax: 0 },
    new FakeClock(),
  );
  assert.deepEqual(
    [limiter.admit(by("a")), limiter.admit(by("b")), limiter.admit(by("c"))],
    ["admitted", "admitted", "too_many_at_once"],
  );
  limiter.release(by("a"));
  assert.equal(limiter.admit(by("c")), "admitted");
});

test("one person's places are their own, whatever their keys", () => {
  const limits = { concurrencyMax: 0, concurrencyPerUserMax: 2, ratePerSecondMax: 0 };
  const limiter = new CallLimiter(limits, new FakeClock());
  assert.deepEqual(
    [by("k1", "ann"), by("k2", "ann"), by("k3", "ann"), by("k4", "bob")].map((who) =>
      limiter.admit(who),
    ),
    ["admitted", "admitted", "too_many_of_user", "admitted"],
  );
  limiter.release(by("k1", "ann"));
  assert.equal(limiter.admit(by("k3", "ann")), "admitted");
  assert.equal(limiter.underWay, 3);
});

test("each key has its own second", async () => {
  const clock = new FakeClock();
  const limiter = new CallLimiter(
    { concurrencyMax: 0, concurrencyPerUserMax: 0, ratePerSecondMax: 2 },
    clock,
  );
  assert.deepEqual(
    [
      limiter.admit(by("a")),
      limiter.admit(by("a")),
      limiter.admit(by("a")),
      limiter.admit(by("b")),
    ],
    ["admitted", "admitted", "too_many_per_second", "admitted"],
  );
  await clock.advance(999);
  assert.equal(limiter.admit(by("a")), "too_many_per_second");
  await clock.advance(1);
  assert.equal(limiter.admit(by("a")), "admitted");
});

test("quiet keys are forgotten before their number grows without bound", async () => {
  const clock = new FakeClock();
  const limiter = new CallLimiter(
    { concurrencyMax: 0, concurrencyPerUserMax: 0, ratePerSecondMax: 1 },
    clock,
  );
  for (let i = 0; i < 10_000; i += 1) limiter.admit(by(`k${i}`));
  await clock.advance(1_000);
  assert.equal(limiter.admit(by("another")), "admitted");
  assert.equal(limiter.admit(by("k1")), "admitted");
  assert.equal(limiter.admit(by("k1")), "too_many_per_second");
});
