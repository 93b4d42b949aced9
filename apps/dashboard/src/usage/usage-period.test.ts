import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf, daysOf, spanOf } from "./usage-period.ts";

const TODAY = "2026-11-21";

for (const [chosen, from, to] of [
  [{}, "2026-10-23", TODAY],
  [{ period: "7d" }, "2026-11-15", TODAY],
  [{ period: "forever" }, "2026-10-23", TODAY],
  [{ period: "chosen", from: "2026-03-01", to: "2026-03-31" }, "2026-03-01", "2026-03-31"],
  [{ period: "chosen", from: "2026-03-31", to: "2026-03-01" }, "2026-03-01", "2026-03-31"],
  [{ period: "chosen", from: "soon" }, "2026-10-23", TODAY],
  [{ period: "chosen", to: "2026-02-30x" }, "2026-10-23", TODAY],
] as const) {
  test(`${JSON.stringify(chosen)} is from ${from} to ${to}`, () => {
    assert.deepEqual(spanOf(chosen, TODAY), { from, to });
  });
}

test("a day begins where the person is", () => {
  const time = new Date("2026-11-21T23:30:00Z");
  assert.equal(dayOf(time, "UTC"), "2026-11-21");
  assert.equal(dayOf(time, "Europe/Berlin"), "2026-11-22");
  assert.equal(dayOf(time, "America/New_York"), "2026-11-21");
});

test("a span has all of its days, also across the change of the clocks", () => {
  assert.deepEqual(daysOf({ from: "2026-03-28", to: "2026-03-30" }), [
    "2026-03-28",
    "2026-03-29",
    "2026-03-30",
  ]);
  assert.equal(daysOf({ from: "2020-01-01", to: "2026-01-01" }).length, 366);
});
