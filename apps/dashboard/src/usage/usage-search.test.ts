import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenFilters, offeredBy, usageQuery } from "./usage-search.ts";

for (const [chosen, q] of [
  [{}, undefined],
  [{ period: "7d", by: "model", model: "" }, undefined],
  [{ model: "m", initiator: "ann" }, "initiator:ann model:m"],
  [{ client: "Claude Code", credential_kind: "byok" }, 'client:"Claude Code" credential_kind:byok'],
] as const) {
  test(`${JSON.stringify(chosen)} asks for ${q ?? "everything"}`, () => {
    assert.equal(usageQuery(chosen), q);
  });
}

test("what is chosen is told with its name", () => {
  assert.deepEqual(chosenFilters({ provider_name: "main", other: "x" }), [
    { name: "provider_name", label: "Provider", value: "main" },
  ]);
});

test("people are told apart only by those who see them", () => {
  assert.ok(offeredBy(true).some(({ value }) => value === "user"));
  assert.ok(!offeredBy(false).some(({ value }) => value === "user"));
});
