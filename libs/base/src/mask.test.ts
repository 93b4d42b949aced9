import assert from "node:assert/strict";
import { test } from "node:test";
import { maskCredential } from "./mask.ts";

for (const [secret, want] of [
  ["", ""],
  ["x", "..."],
  ["ab", "..."],
  ["abcd", "..."],
  ["short", "s...t"],
  ["veryshort", "v...t"],
  ["ten-signs!", "te...s!"],
  ["thisisquitelong", "th...ng"],
  ["nineteen-characters", "ni...rs"],
  ["twenty-characters-xx", "twen...s-xx"],
  ["sk-ant-api03-abcdefgh", "sk-a...efgh"],
  ["hélloworld🌍!", "hé...🌍!"],
  ["ghp_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh", "ghp_...efgh"],
] as const) {
  test(`${JSON.stringify(secret)} is shown as ${JSON.stringify(want)}`, () => {
    assert.equal(maskCredential(secret), want);
  });
}
