import assert from "node:assert/strict";
import { test } from "node:test";
import { durationText, relativeTimeText } from "./relative-time-text.ts";

const NOW = new Date("2026-11-21T12:00:00Z");

for (const [time, text] of [
  ["2026-11-21T12:00:03Z", "just now"],
  ["2026-11-21T11:59:50Z", "10 seconds ago"],
  ["2026-11-21T11:59:00Z", "1 minute ago"],
  ["2026-11-21T13:30:00Z", "in 1 hour"],
  ["2026-11-18T12:00:00Z", "3 days ago"],
  ["2024-01-01T00:00:00Z", "2 years ago"],
] as const) {
  test(`${time} is ${text}`, () => {
    assert.equal(relativeTimeText(new Date(time), NOW), text);
  });
}

for (const [lengthMs, text] of [
  [0, "0 ms"],
  [320, "320 ms"],
  [4_210, "4.2 s"],
  [190_000, "3 min 10 s"],
  [7_500_000, "2 h 5 min"],
] as const) {
  test(`${lengthMs} ms are ${text}`, () => {
    assert.equal(durationText(lengthMs), text);
  });
}
