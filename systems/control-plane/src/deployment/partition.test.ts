import assert from "node:assert/strict";
import { test } from "node:test";
import { cutoffOf, isWholeOld, monthsToMake } from "./partition.ts";

test("this month and the two after it are made, also across a year's end", () => {
  assert.deepEqual(monthsToMake(new Date("2026-11-30T23:59:59Z")), {
    first: "2026-11-01",
    last: "2027-01-01",
  });
});

for (const { partition, isOld } of [
  { partition: "audit_events_2025_11", isOld: true },
  { partition: "audit_events_2025_12", isOld: true },
  { partition: "audit_events_2026_01", isOld: false },
  { partition: "audit_events_default", isOld: false },
  { partition: "audit_events_2025_11_x", isOld: false },
  { partition: "other_2025_11", isOld: false },
]) {
  test(`${partition} is ${isOld ? "" : "not "}wholly older than 2026-01-01`, () => {
    const cutoff = new Date("2026-01-01T00:00:00Z");
    assert.equal(isWholeOld("audit_events", partition, cutoff), isOld);
  });
}

test("without retention nothing is too old", () => {
  const table = { table: "t", timeColumn: "time", retentionMs: 0 };
  assert.equal(cutoffOf(table, new Date(5_000)), null);
  assert.deepEqual(cutoffOf({ ...table, retentionMs: 2_000 }, new Date(5_000)), new Date(3_000));
});
