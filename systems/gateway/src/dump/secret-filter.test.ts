/** No credential gets through, however it is cut. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretFilter, withoutSecrets } from "./secret-filter.ts";

const SECRET = "sk-abcd-0123456789/test";

function filtered(chunks: readonly Uint8Array[], secrets: readonly string[]): string {
  const filter = new SecretFilter(secrets);
  const shown = chunks.map((chunk) => filter.push(chunk));
  return Buffer.concat([...shown, filter.end()]).toString();
}

test("a secret is masked wherever the text is cut, and nothing else changes", () => {
  const parts = fc.constantFrom(SECRET, "sk-abcd-0123", "s", "é", "test", "\n\n", "");
  const cuts = fc.array(fc.integer({ min: 0, max: 40 }));
  fc.assert(
    fc.property(fc.array(parts), cuts, (texts, lengths) => {
      const text = texts.join("");
      const bytes = Buffer.from(text);
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const length of lengths) chunks.push(bytes.subarray(at, (at += length)));
      chunks.push(bytes.subarray(at));
      assert.equal(filtered(chunks, [SECRET]), text.replaceAll(SECRET, "sk-a...test"));
    }),
  );
});

test("of secrets that overlap the longer one is masked, and JSON may spell them its way", () => {
  assert.equal(withoutSecrets("abcdefgh", ["abcde", "abcdefgh"]), "a...h");
  assert.equal(withoutSecrets(`"${SECRET.replace("/", "\\/")}"`, [SECRET]), '"sk-a...test"');
});

test("without secrets everything passes, in memory of its own", () => {
  const chunk = Buffer.from("abc");
  const shown = new SecretFilter([]).push(chunk);
  chunk.fill(0);
  assert.equal(Buffer.from(shown).toString(), "abc");
});
