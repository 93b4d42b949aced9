/** The days that a sum of usage is about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { spanOf } from "./usage-totals.ts";
import { costOfRequest, knownCost } from "./usage.ts";

const NOW = new Date("2026-03-01T04:59:00Z");

test("without days it is the last thirty, as they are where somebody looks", () => {
  const spans = [
    ["UTC", "2026-01-31", "2026-03-01"],
    ["America/New_York", "2026-01-30", "2026-02-28"],
    ["Pacific/Kiritimati", "2026-01-31", "2026-03-01"],
  ] as const;
  for (const [timeZone, from, to] of spans) {
    const asked = { from: undefined, to: undefined, timeZone };
    assert.deepEqual(spanOf(asked, NOW), { ok: true, value: { from, to, timeZone } });
  }
  const day = { from: "2024-02-29", to: "2024-02-29", timeZone: "UTC" };
  assert.deepEqual(spanOf(day, NOW), { ok: true, value: day });
  assert.equal(spanOf({ ...day, to: "2024-02-28" }, NOW).ok, false);
  assert.equal(spanOf({ ...day, to: "2025-02-28" }, NOW).ok, true);
  assert.equal(spanOf({ ...day, to: "2025-03-01" }, NOW).ok, false);
});

test("a sum is unknown only when nothing of it is known", () => {
  const of = (costMicros: number, pricedRequests: number, unpricedRequests: number) =>
    knownCost({ costMicros, pricedRequests, unpricedRequests });
  assert.deepEqual([of(0, 0, 0), of(0, 0, 2), of(0, 1, 2), of(7, 0, 1)], [0, null, 0, 7]);
  assert.equal(costOfRequest([]), 0);
  assert.equal(costOfRequest([{ costMicros: 2 }, { costMicros: 3 }]), 5);
  assert.equal(costOfRequest([{ costMicros: 2 }, { costMicros: null }]), null);
});
