/** What the header Server-Timing says. */
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTiming } from "./call-timing.ts";

test("parts follow each other and add up to the total", async () => {
  const clock = new FakeClock();
  const timing = new CallTiming(clock);
  await clock.advance(1);
  timing.mark("auth");
  await clock.advance(20);
  timing.mark("body");
  timing.mark("record");
  await clock.advance(300);
  assert.equal(
    timing.header(),
    "auth;dur=1, body;dur=20, record;dur=0, upstream;dur=300, total;dur=321",
  );
});
