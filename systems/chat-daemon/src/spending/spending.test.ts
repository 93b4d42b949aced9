/** Periods and limits of what people spend, without a database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SPENDING_PERIODS } from "@atelier/contract/http/chat-spending";
import { costDays, isLimitReached, limitOf, limitText, periodAt } from "./spending.ts";

const iso = ({ from, to }: { readonly from: Date; readonly to: Date }): readonly string[] => [
  from.toISOString(),
  to.toISOString(),
];

for (const { now, period, from, to } of [
  { now: "2026-11-21T12:13:14Z", period: "day", from: "2026-11-21", to: "2026-11-22" },
  { now: "2026-12-31T23:59:59Z", period: "day", from: "2026-12-31", to: "2027-01-01" },
  // A Saturday, a Sunday, and a Monday as it begins.
  { now: "2026-11-21T12:13:14Z", period: "week", from: "2026-11-16", to: "2026-11-23" },
  { now: "2026-11-22T23:59:59.999Z", period: "week", from: "2026-11-16", to: "2026-11-23" },
  { now: "2026-11-23T00:00:00Z", period: "week", from: "2026-11-23", to: "2026-11-30" },
  { now: "2027-01-01T00:00:00Z", period: "week", from: "2026-12-28", to: "2027-01-04" },
  { now: "2026-11-30T23:59:59Z", period: "month", from: "2026-11-01", to: "2026-12-01" },
  { now: "2026-12-01T00:00:00Z", period: "month", from: "2026-12-01", to: "2027-01-01" },
  { now: "2028-02-29T10:00:00Z", period: "month", from: "2028-02-01", to: "2028-03-01" },
] as const) {
  test(`the ${period} of ${now} is from ${from} to ${to}`, () => {
    const midnights = [`${from}T00:00:00.000Z`, `${to}T00:00:00.000Z`];
    assert.deepEqual(iso(periodAt(period, new Date(now))), midnights);
  });
}

test("periods follow each other without a gap, and each moment is in its own", () => {
  const moments = fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01") });
  fc.assert(
    fc.property(moments.filter(isValid), fc.constantFrom(...SPENDING_PERIODS), (now, period) => {
      const { from, to } = periodAt(period, now);
      assert.ok(from <= now && now < to);
      assert.deepEqual(periodAt(period, to).from, to);
      assert.deepEqual(periodAt(period, new Date(to.getTime() - 1)).from, from);
    }),
  );
});

function isValid(date: Date): boolean {
  return !Number.isNaN(date.getTime());
}

test("a person's own limit goes before everybody's, and neither holds while limits are off", () => {
  const limits = { isEnabled: true, defaultLimitMicros: 5, period: "month" } as const;
  assert.equal(limitOf(limits, null).limitMicros, 5);
  assert.equal(limitOf(limits, 3).limitMicros, 3);
  assert.equal(limitOf(limits, 9).limitMicros, 9);
  assert.equal(limitOf({ ...limits, isEnabled: false }, 3).limitMicros, null);
});

test("a limit is reached by the last micro-dollar, and one of nothing from the beginning", () => {
  assert.equal(isLimitReached(10, 9), false);
  assert.equal(isLimitReached(10, 10), true);
  assert.equal(isLimitReached(0, 0), true);
  assert.equal(isLimitReached(null, Number.MAX_SAFE_INTEGER), false);
});

test("who is refused reads what was spent, of what, and when it is over", () => {
  const limit = { limitMicros: 5_000_000, period: "month" } as const;
  assert.equal(
    limitText(limit, 5_020_000, new Date("2026-12-01")),
    "Your agents have cost $5.02 this month, of $5.00. From 2026-12-01 00:00 UTC on messages are taken again.",
  );
  assert.match(limitText(limit, 120, new Date("2026-12-01")), /cost \$0\.000120 this month/);
});

test("days without a wish are the last thirty, and wishes have an order and a length", () => {
  const now = new Date("2026-11-21T12:00:00Z");
  const days = (start?: string, end?: string) => {
    const found = costDays({ start, end }, now, 366);
    return found === null ? null : [found.startDate, found.endDate, ...iso(found)];
  };
  assert.deepEqual(days(), [
    ...["2026-10-23", "2026-11-21"],
    ...["2026-10-23T00:00:00.000Z", "2026-11-22T00:00:00.000Z"],
  ]);
  assert.deepEqual(days("2026-11-21", "2026-11-21")?.slice(2), [
    "2026-11-21T00:00:00.000Z",
    "2026-11-22T00:00:00.000Z",
  ]);
  assert.equal(days("2026-11-22", "2026-11-21"), null);
  assert.equal(days("2025-11-20", "2026-11-21"), null);
  assert.notEqual(days("2025-11-21", "2026-11-21"), null);
});
