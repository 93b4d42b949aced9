import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import {
  csrfTokenOf,
  drawApiKey,
  equalsInConstantTime,
  parseApiKey,
  secretMatches,
} from "./api-key.ts";

test("a drawn key is found by its id and proved by its secret", () => {
  const drawn = drawApiKey(systemRandom);
  const parts = parseApiKey(drawn.token.reveal());
  assert.ok(parts !== null);
  assert.equal(parts.id, drawn.id);
  assert.equal(secretMatches(parts.secret, drawn.hashedSecret), true);
  const other = parseApiKey(drawApiKey(systemRandom).token.reveal());
  assert.ok(other !== null);
  assert.equal(secretMatches(other.secret, drawn.hashedSecret), false);
});

test("a drawn key does not print its secret", () => {
  const drawn = drawApiKey(systemRandom);
  const secret = drawn.token.reveal().split("-")[1] ?? "";
  assert.equal(secret.length, 22);
  assert.ok(!`${inspect(drawn)} ${JSON.stringify(drawn)}`.includes(secret));
});

for (const token of [
  "",
  "abc",
  "abcdefghij",
  "abcdefghij-",
  "abcdefghij-abcdefghijabcdefghija",
  "abcdefghij-abcdefghijabcdefghijabc",
  "abcdefghi_-abcdefghijabcdefghijab",
  "abcdefghij-abcdefghijabcdefghijab\n",
  " abcdefghij-abcdefghijabcdefghijab",
]) {
  test(`${JSON.stringify(token)} is not a key`, () => assert.equal(parseApiKey(token), null));
}

test("the CSRF token depends on the session token and does not contain it", () => {
  const token = "abcdefghij-abcdefghijabcdefghijab";
  assert.notEqual(csrfTokenOf(token), csrfTokenOf(`${token}c`));
  assert.ok(!csrfTokenOf(token).includes("abcdefghij"));
});

test("texts of any lengths are compared", () => {
  assert.equal(equalsInConstantTime("a", "a"), true);
  assert.equal(equalsInConstantTime("a", "ab"), false);
  assert.equal(equalsInConstantTime("", ""), true);
});

test("a stored hash of another length matches nothing", () => {
  assert.equal(secretMatches(new Secret("a"), new Uint8Array(3)), false);
});
