/** What a model may ask a person: questions that can be shown, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ToolContext } from "./tool.ts";
import { askUserQuestionTool } from "./person-tools.ts";

const option = (label: string) => ({ label });
const QUESTION = { header: "Way", question: "Which?", options: [option("a"), option("b")] };
const tool = askUserQuestionTool();

test("questions come back as they were asked, without space around them", async () => {
  const asked = {
    questions: [{ ...QUESTION, header: " Way ", options: [option(" a"), option("b ")] }],
  };
  const outcome = await tool.run(tool.input.parse(asked), {} as ToolContext); // It asks for nothing.
  assert.deepEqual(outcome, { kind: "json", value: { questions: [QUESTION] } });
});

for (const [name, questions] of [
  ["none", []],
  ["more than four", Array.from({ length: 5 }, () => QUESTION)],
  ["without words", [{ ...QUESTION, question: "  " }]],
  ["without a header", [{ question: QUESTION.question, options: QUESTION.options }]],
  ["with one option", [{ ...QUESTION, options: [option("a")] }]],
  [
    "with more than four options",
    [{ ...QUESTION, options: ["a", "b", "c", "d", "e"].map(option) }],
  ],
  ["with an option that says nothing", [{ ...QUESTION, options: [option("a"), option(" ")] }]],
  ["longer than anybody reads", [{ ...QUESTION, question: "x".repeat(1_001) }]],
] as const) {
  test(`questions ${name} are refused`, () => {
    assert.equal(tool.input.safeParse({ questions }).success, false);
  });
}
