import type { UsageRow } from "@atelier/contract/http/ai-costs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { measured, nameOfRow, niceMax, SERIES_MAX, seriesOf } from "./usage-series.ts";

const row = (over: Partial<UsageRow>): UsageRow => ({
  day: "2026-11-20",
  user: null,
  model: null,
  client: null,
  provider: null,
  requests: 1,
  errors: 0,
  input_tokens: 10,
  output_tokens: 5,
  cache_read_input_tokens: 100,
  cache_write_input_tokens: 1,
  cost_micros: 1_000,
  unpriced_requests: 0,
  ...over,
});

const DAYS = ["2026-11-19", "2026-11-20", "2026-11-21"];

test("tokens are those that went in, fresh and cached, and came out", () => {
  assert.equal(measured(row({}), "tokens"), 116);
  assert.equal(measured(row({ cost_micros: null }), "cost"), 0);
  assert.equal(measured(row({}), "requests"), 1);
});

test("a row is named by what it is grouped by", () => {
  const user = { id: "0198c0de-0000-7000-8000-000000000000", username: "ann", name: "Ann" };
  assert.equal(nameOfRow(row({ user }), "user"), "ann");
  assert.equal(nameOfRow(row({ model: "m" }), "model"), "m");
  assert.equal(nameOfRow(row({ client: "" }), "client"), "unknown");
});

test("each series has a value for each day, and the largest comes first", () => {
  const rows = [
    row({ model: "small", cost_micros: 1 }),
    row({ model: "large", cost_micros: 5 }),
    row({ model: "large", cost_micros: 7, day: "2026-11-21" }),
    row({ model: "free", cost_micros: 0 }),
    row({ model: "before", cost_micros: 9, day: "2026-11-01" }),
  ];
  assert.deepEqual(seriesOf(rows, DAYS, { by: "model", measure: "cost" }), [
    { name: "large", total: 12, values: [0, 5, 7] },
    { name: "small", total: 1, values: [0, 1, 0] },
  ]);
});

test("what is too many for colours stands together, and nothing is lost", () => {
  const rows = Array.from({ length: SERIES_MAX + 3 }, (_, index) =>
    row({ model: `m${index}`, requests: index + 1 }),
  );
  const series = seriesOf(rows, DAYS, { by: "model", measure: "requests" });
  assert.equal(series.length, SERIES_MAX + 1);
  assert.equal(series.at(-1)?.name, "3 others");
  const total = series.reduce((sum, each) => sum + each.total, 0);
  assert.equal(
    total,
    rows.reduce((sum, each) => sum + each.requests, 0),
  );
});

test("one too many has the room of the others", () => {
  const rows = Array.from({ length: SERIES_MAX + 1 }, (_, index) => row({ model: `m${index}` }));
  const names = seriesOf(rows, DAYS, { by: "model", measure: "cost" }).map(({ name }) => name);
  assert.ok(!names.some((name) => name.endsWith("others")));
});

for (const [value, max] of [
  [0, 1],
  [0.003, 0.005],
  [1, 1],
  [1.1, 2],
  [37, 50],
  [51, 100],
  [4_200_000, 5_000_000],
] as const) {
  test(`an axis for ${value} ends at ${max}`, () => {
    assert.equal(niceMax(value), max);
  });
}
