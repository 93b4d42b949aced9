import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSearchTexts, parseSearchTexts } from "./search-text.ts";

test("what is written into an address is read from it again, as text", () => {
  const search = { q: 'owner:me name:"a b"', page: "2" };
  const text = formatSearchTexts(search);
  assert.equal(text, "?q=owner%3Ame+name%3A%22a+b%22&page=2");
  assert.deepEqual(parseSearchTexts(text), search);
});

test("what is empty leaves no trace", () => {
  assert.equal(formatSearchTexts({ q: "", next: undefined }), "");
  assert.deepEqual(parseSearchTexts(""), {});
});
