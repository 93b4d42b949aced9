import { setModelPrice, type ModelPrice } from "@atelier/contract/http/ai-costs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOfBody } from "../forms/field-problems.ts";
import { EMPTY_PRICE, priceBody, textsOfPrice } from "./price-values.ts";

const TIER = {
  from_tokens: 0,
  input: 3_000_000,
  output: 15_000_000,
  cache_read: 300_000,
  cache_write: null,
  cache_write_1h: null,
};
const PRICE: ModelPrice = {
  provider: "anthropic",
  model: "claude-opus-4-6",
  origin: "override",
  tiers: [TIER, { ...TIER, from_tokens: 200_000, input: 6_000_000 }],
  catalog_version: null,
  valid_from: null,
  set_by: null,
};

test("a price is shown in dollars, and sent as the endpoint takes it, long prompts with it", () => {
  const texts = textsOfPrice(PRICE);
  assert.deepEqual([texts["input"], texts["output"], texts["cache_read"]], ["3", "15", "0.3"]);
  const body = priceBody({ ...texts, input: "2.5" }, PRICE);
  assert.ok(body.ok);
  assert.deepEqual(body.value, {
    provider: "anthropic",
    model: "claude-opus-4-6",
    input: 2_500_000,
    output: 15_000_000,
    cache_read: 300_000,
    cache_write: null,
    cache_write_1h: null,
    tiers: [{ ...TIER, from_tokens: 200_000, input: 6_000_000 }],
  });
  assert.equal(problemOfBody(setModelPrice, body.value), null);
});

for (const [typed, fields] of [
  [{}, ["model", "input", "output"]],
  [{ model: "m", input: "1", output: "$2" }, ["output"]],
  [{ model: "m", input: "1", output: "2", cache_read: "-1" }, ["cache_read"]],
  [{ model: "m", input: "1", output: "2", provider: "nobody" }, ["provider"]],
] as const) {
  test(`${JSON.stringify(typed)} is complained about at ${fields.join(", ")}`, () => {
    const body = priceBody({ ...EMPTY_PRICE, ...typed }, null);
    assert.ok(!body.ok);
    assert.deepEqual(
      body.failure.validations.map(({ field }) => field),
      fields,
    );
  });
}
