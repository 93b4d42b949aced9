import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { ATTEMPTS_PER_MINUTE_MAX, LoginThrottle } from "./login-throttle.ts";

const ANN = { ip: "1.1.1.1", email: "ann@example.com" };

test("after five failures each further one doubles the wait, up to a quarter of an hour", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock);
  for (let i = 0; i < 5; i += 1) assert.equal(throttle.begin(ANN), null);
  const waits: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const waitSeconds = throttle.begin(ANN);
    assert.ok(waitSeconds !== null);
    waits.push(waitSeconds);
    await clock.advance(waitSeconds * 1_000);
    assert.equal(throttle.begin(ANN), null);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
});

test("letters of another case are the same email", () => {
  const throttle = new LoginThrottle(new FakeClock());
  for (let i = 0; i < 5; i += 1) throttle.begin(ANN);
  assert.equal(throttle.begin({ ...ANN, email: "ANN@example.com" }), 1);
});

test("success starts afresh, and another email from the same address is not held up", () => {
  const throttle = new LoginThrottle(new FakeClock());
  for (let i = 0; i < 5; i += 1) throttle.begin(ANN);
  assert.equal(throttle.begin({ ...ANN, email: "bob@example.com" }), null);
  throttle.succeeded(ANN);
  assert.equal(throttle.begin(ANN), null);
});

test("guessing from many addresses is slowed, but locks nobody out for long", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock);
  let waitSecondsMax = 0;
  for (let i = 0; i < 100; i += 1) {
    const waitSeconds = throttle.begin({ ip: `10.0.0.${i}`, email: ANN.email }) ?? 0;
    waitSecondsMax = Math.max(waitSecondsMax, waitSeconds);
    await clock.advance(waitSeconds * 1_000);
  }
  assert.equal(waitSecondsMax, 30);
});

test("one address gets so many attempts a minute, whatever the emails", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock);
  const attempt = (i: number): number | null =>
    throttle.begin({ ip: ANN.ip, email: `${i}@example.com` });
  for (let i = 0; i < ATTEMPTS_PER_MINUTE_MAX; i += 1) assert.equal(attempt(i), null);
  assert.equal(attempt(60), 60);
  await clock.advance(59_999);
  assert.equal(attempt(61), 1);
  await clock.advance(1);
  assert.equal(attempt(62), null);
});

test("failures are forgotten after an hour", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock);
  for (let i = 0; i < 5; i += 1) throttle.begin(ANN);
  await clock.advance(3_600_000);
  for (let i = 0; i < 5; i += 1) assert.equal(throttle.begin(ANN), null);
});
