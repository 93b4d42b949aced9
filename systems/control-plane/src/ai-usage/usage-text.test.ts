import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { firstChars, storableName, storableText, USAGE_NAME_CHARS_MAX } from "./usage-text.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom("a", "é", "🌍", "\0", "\ud800", "\udc00", "漢")).map((parts) => parts.join("")),
); // prettier-ignore

test("any text becomes one that Postgres holds, within its limit, and loses nothing else", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 0, max: 40 }), (text, bytesMax) => {
      const stored = storableText(text, bytesMax);
      assert(Buffer.byteLength(stored) <= bytesMax);
      assert(stored.isWellFormed() && !stored.includes("\0"));
      const whole = storableText(text);
      assert(whole.startsWith(stored));
      // Nothing more is cut than the character that does not fit.
      const next = String.fromCodePoint(whole.codePointAt(stored.length) ?? 0);
      if (stored !== whole) assert(Buffer.byteLength(stored + next) > bytesMax);
    }),
  );
});

test("an ordinary text stays as it is", () => {
  assert.equal(storableText("hello 🌍"), "hello 🌍");
  assert.equal(storableText("a\0b\ud800"), "a\u{fffd}b\u{fffd}");
});

test("a name is cut at a whole character", () => {
  assert.equal(storableName("x".repeat(1_000)).length, USAGE_NAME_CHARS_MAX);
  assert.equal(firstChars("ab🌍", 3), "ab");
  assert.equal(firstChars("ab🌍", 4), "ab🌍");
});
