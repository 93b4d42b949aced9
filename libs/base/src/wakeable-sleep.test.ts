import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./system-clock.ts";
import { WakeableSleep } from "./wakeable-sleep.ts";

const LONG_MS = 600_000;

test("a sleep ends when woken, rejects when aborted, and is not woken before it began", async () => {
  const sleep = new WakeableSleep(systemClock);
  const stop = new AbortController();
  sleep.wake();
  const woken = sleep.sleep(LONG_MS, stop.signal);
  sleep.wake();
  await woken;
  const aborted = sleep.sleep(LONG_MS, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(aborted, /stopped/);
  await sleep.sleep(1, new AbortController().signal);
});
