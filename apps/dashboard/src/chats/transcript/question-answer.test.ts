import assert from "node:assert/strict";
import { test } from "node:test";
import { answerText, questionsIn } from "./question-answer.ts";

const ARGS = {
  questions: [
    { header: "Colour", question: "Which?", options: [{ label: "Red", description: "warm" }] },
    { question: "How many?", options: [{ label: "One" }, {}] },
  ],
};

test("questions are read out of whatever a model wrote", () => {
  assert.deepEqual(questionsIn(ARGS), [
    { header: "Colour", question: "Which?", options: [{ label: "Red", description: "warm" }] },
    { header: "", question: "How many?", options: [{ label: "One", description: null }] },
  ]);
  assert.deepEqual(questionsIn("nonsense"), []);
});

test("answers are one message, once every question has one", () => {
  const questions = questionsIn(ARGS);
  const red = { choice: "Red", own: "" };
  assert.equal(answerText(questions, [red]), null);
  assert.equal(answerText(questions, [red, { choice: null, own: "  " }]), null);
  assert.equal(
    answerText(questions, [
      { choice: "Red", own: "dark" },
      { choice: null, own: "two" },
    ]),
    "Colour: Red: dark\nHow many?: two",
  );
  assert.equal(answerText(questions.slice(0, 1), [red]), "Red");
});
