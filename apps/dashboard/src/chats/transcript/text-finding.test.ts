import assert from "node:assert/strict";
import { test } from "node:test";
import { FOUND_MAX, findAll, foundText, lineCount } from "./text-finding.ts";

test("a part is found wherever it stands, in any case, one after the other", () => {
  assert.deepEqual(findAll("Error: no error here", "ERROR"), [0, 10]);
  assert.deepEqual(findAll("aaaa", "aa"), [0, 2]);
  assert.deepEqual(findAll("text", ""), []);
  assert.deepEqual(findAll("text", "x y"), []);
});

test("places are those of the text, also beside letters that are longer in lower case", () => {
  const text = "İİ and error";
  const [at] = findAll(text, "error");
  assert.equal(text.slice(at), "error");
});

test("what is found is counted, up to what anybody goes through", () => {
  assert.equal(foundText(findAll("a b a", "a"), 1), "2 of 2");
  assert.equal(foundText([], 0), "none");
  assert.equal(foundText(findAll("a".repeat(FOUND_MAX * 2), "a"), 0), "1 of 1000+");
});

test("lines are counted as people count them", () => {
  assert.deepEqual(["", "one", "one\n", "one\ntwo", "\n"].map(lineCount), [0, 1, 1, 2, 1]);
});
