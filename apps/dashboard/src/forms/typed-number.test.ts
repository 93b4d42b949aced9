import assert from "node:assert/strict";
import { test } from "node:test";
import { typedNumber } from "./typed-number.ts";

for (const [text, number] of [
  [" 4096 ", 4096],
  ["-0.5", -0.5],
  ["0", 0],
  ["", null],
  ["1e3", null],
  ["0x10", null],
  ["200k", null],
  ["1,5", null],
] as const) {
  test(`"${text}" is ${number === null ? "no number" : number}`, () => {
    assert.equal(typedNumber(text), number);
  });
}
