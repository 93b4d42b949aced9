import assert from "node:assert/strict";
import { test } from "node:test";
import { BytePieces } from "./byte-pieces.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (from: Uint8Array): string => new TextDecoder().decode(from);

test("every part of the pieces reads as it would in one piece", () => {
  const whole = "abcdefgh";
  const pieces = new BytePieces([bytes("abc"), bytes(""), bytes("d"), bytes("efgh")]);
  assert.equal(pieces.byteLength, whole.length);
  for (let start = 0; start <= whole.length; start += 1) {
    for (let end = start; end <= whole.length; end += 1) {
      assert.equal(text(pieces.slice(start, end)), whole.slice(start, end));
    }
  }
  assert.equal(text(pieces.whole()), whole);
});

test("what lies in one piece is a view of it, and only one piece is never copied", () => {
  const only = bytes("abc");
  const pieces = new BytePieces([only]);
  assert.equal(pieces.whole(), only);
  assert.equal(pieces.slice(1, 2).buffer, only.buffer);
});
