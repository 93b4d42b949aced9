import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { RateLimit } from "./rate-limit.ts";

test("a caller gets the minute's requests at once, then one at a time", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, 6);
  for (let i = 0; i < 6; i += 1) assert.equal(limit.take("ann"), null);
  assert.equal(limit.take("ann"), 10);
  await clock.advance(9_999);
  assert.equal(limit.take("ann"), 1);
  await clock.advance(1);
  assert.equal(limit.take("ann"), null);
  assert.equal(limit.take("ann"), 10);
});

test("one caller's flood leaves another caller alone", () => {
  const limit = new RateLimit(new FakeClock(), 1);
  assert.equal(limit.take("ann"), null);
  assert.equal(limit.take("ann"), 60);
  assert.equal(limit.take("bob"), null);
});

test("a long rest does not save up more than a minute's requests", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, 2);
  limit.take("ann");
  await clock.advance(3_600_000);
  assert.deepEqual(
    [1, 2, 3].map(() => limit.take("ann")),
    [null, null, 30],
  );
});

test("zero means no limit", () => {
  const limit = new RateLimit(new FakeClock(), 0);
  for (let i = 0; i < 1_000; i += 1) assert.equal(limit.take("ann"), null);
});
