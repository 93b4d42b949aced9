import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedLines, lineSpans } from "./line-spans.ts";

const LINES = ["ab", "", "cde", "f"];

test("a part over several lines is one in each of them", () => {
  const text = joinedLines(LINES);
  assert.equal(text, "ab\n\ncde\nf");
  const spans = [
    { from: 0, to: 1, kind: "keyword" },
    { from: 1, to: 6, kind: "comment" },
    { from: 6, to: 7, kind: "number" },
    { from: 8, to: 9, kind: "string" },
  ] as const;
  assert.deepEqual(lineSpans(LINES, spans), [
    { line: 0, from: 0, to: 1, kind: "keyword" },
    { line: 0, from: 1, to: 2, kind: "comment" },
    { line: 2, from: 0, to: 2, kind: "comment" },
    { line: 2, from: 2, to: 3, kind: "number" },
    { line: 3, from: 0, to: 1, kind: "string" },
  ]);
});

test("lines may hold breaks of their own: then they are one piece", () => {
  assert.deepEqual(lineSpans(["a\nb", "c"], [{ from: 2, to: 5, kind: "title" }]), [
    { line: 0, from: 2, to: 3, kind: "title" },
    { line: 1, from: 0, to: 1, kind: "title" },
  ]);
});
