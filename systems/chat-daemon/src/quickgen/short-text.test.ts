/** Titles and labels: what of a model's answer counts, and what it is told of a conversation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { titleContext, toLabel, toTitle } from "./short-text.ts";

for (const { answer, title } of [
  { answer: "Fix the parser's tests", title: "Fix the parser's tests" },
  { answer: '  "Fix the\n parser" ', title: "Fix the parser" },
  { answer: "Rename `toWire` in chat-wire.ts.", title: "Rename `toWire` in chat-wire.ts" },
  { answer: "", title: null },
  { answer: "   ", title: null },
  {
    answer: "one two three four five six seven eight",
    title: "one two three four five six seven eight",
  },
  { answer: "one two three four five six seven eight nine", title: null },
  { answer: `a ${"x".repeat(80)}`, title: null },
]) {
  test(`${JSON.stringify(answer)} is the title ${JSON.stringify(title)}`, () => {
    assert.equal(toTitle(answer), title);
  });
}

for (const { answer, label } of [
  { answer: "Fixed failing parser tests", label: "Fixed failing parser tests" },
  { answer: "Fixed tests.", label: "Fixed tests" },
  { answer: "Done", label: null },
  { answer: "I fixed the tests", label: null },
  { answer: "The agent fixed tests", label: null },
  { answer: "Item renamed everywhere", label: "Item renamed everywhere" },
  { answer: "Fixed tests. Renamed files", label: null },
  { answer: "Fixed\ntests", label: null },
  { answer: "one two three four five six", label: null },
]) {
  test(`${JSON.stringify(answer)} is the label ${JSON.stringify(label)}`, () => {
    assert.equal(toLabel(answer), label);
  });
}

test("of a long conversation a model is told the beginning and the end", () => {
  const said = Array.from({ length: 20 }, (_, index) => ({
    role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
    text: `line ${index}`,
  }));
  const context = titleContext(said);
  assert.match(context, /^User: line 0\n\n\[…\]\n\n/);
  assert.match(context, /Agent: line 19$/);
  assert.doesNotMatch(context, /line 5/);
});

test("however long the texts are, the context has its bound", () => {
  const said = Array.from({ length: 8 }, () => ({
    role: "user" as const,
    text: "x".repeat(9_000),
  }));
  assert.ok([...titleContext(said)].length <= 6_000);
});
