import assert from "node:assert/strict";
import { test } from "node:test";
import { costText, dollarsOfMicros, microsOfDollars, moneyText, priceText } from "./money-text.ts";

for (const [micros, text] of [
  [null, "no price"],
  [0, "$0"],
  [42, "< $0.0001"],
  [4_200, "$0.0042"],
  [50_000, "$0.05"],
  [1_250_000, "$1.25"],
  [3_000_000, "$3.00"],
  [1_234_567_890, "$1,235"],
  [-1_250_000, "-$1.25"],
] as const) {
  test(`${micros} micro-dollars are ${text}`, () => {
    assert.equal(moneyText(micros), text);
  });
}

test("a cost says what it is without", () => {
  const cost = { cost_micros: 1_250_000, unpriced_requests: 0 };
  assert.equal(costText(cost), "$1.25");
  assert.equal(costText({ ...cost, unpriced_requests: 2 }), "$1.25, without 2 of unknown price");
  assert.equal(costText({ cost_micros: null, unpriced_requests: 2 }), "no price");
});

test("a price is told as it is", () => {
  assert.equal(priceText(175_000), "$0.175");
  assert.equal(priceText(15_000_000), "$15");
});

for (const [text, micros] of [
  ["3", 3_000_000],
  [" 0.25 ", 250_000],
  ["0.000001", 1],
  ["0", 0],
  ["", null],
  ["-1", null],
  ["$3", null],
  ["0.0000001", null],
] as const) {
  test(`"${text}" is ${micros ?? "no price"}`, () => {
    assert.equal(microsOfDollars(text), micros);
    if (micros !== null) assert.equal(microsOfDollars(dollarsOfMicros(micros)), micros);
  });
}
