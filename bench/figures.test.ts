import assert from "node:assert/strict";
import { test } from "node:test";
import {
  differenceText,
  figureOf,
  figureText,
  isWithinNoise,
  ratios,
  ratioText,
  slopeOf,
} from "./figures.ts";

test("one bad round moves neither the median nor the deviation much", () => {
  const calm = figureOf([10, 11, 10, 12, 11]);
  const disturbed = figureOf([10, 11, 10, 120, 11]);
  assert.deepEqual(calm, { median: 11, low: 10, high: 12, deviation: 1, rounds: 5 });
  assert.deepEqual(disturbed, { median: 11, low: 10, high: 120, deviation: 1, rounds: 5 });
});

test("an even number of rounds has the middle of its two middle values", () => {
  assert.equal(figureOf([4, 1, 3, 2])?.median, 2.5);
});

test("rounds that failed are left out, and nothing is known without any", () => {
  assert.equal(figureOf([Number.NaN, 3])?.rounds, 1);
  assert.equal(figureOf([Number.NaN]), null);
  assert.equal(figureText(null), "–");
});

test("ratios are taken round by round, so a slow round of both is no noise", () => {
  assert.deepEqual(ratios([50, 500, 50], [100, 1_000, 100]), [0.5, 0.5, 0.5]);
  assert.equal(ratioText(figureOf(ratios([50, 500, 50], [100, 1_000, 100]))), "0.50");
});

test("a ratio of a round that one of the two failed is unknown", () => {
  assert.deepEqual(ratios([50, 60], [100]), [0.5, Number.NaN]);
});

test("a difference that the rounds cannot tell from none is called noise", () => {
  assert.equal(ratioText(figureOf([0.98, 1.05, 1.01])), "1.01 (within noise)");
  assert.equal(differenceText(figureOf([-20, 5, 30])), "5 ±25 (within noise)");
  assert.equal(differenceText(figureOf([140, 150, 145])), "145 ±5");
});

test("two rounds do not judge their own noise", () => {
  const figure = figureOf([1, 1.2]);
  assert.ok(figure !== null);
  assert.equal(isWithinNoise(figure, 1), null);
});

test("a straight line has its own slope, and equal times have none", () => {
  assert.equal(slopeOf([[0, 5], [1, 7], [2, 9]]), 2); // prettier-ignore
  assert.equal(slopeOf([[1, 5], [1, 7]]), 0); // prettier-ignore
});
