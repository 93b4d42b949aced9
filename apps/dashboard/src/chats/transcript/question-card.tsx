/** Questions of an agent, with what can be answered. The answer is the person's next message. */
import { useId, useState } from "react";
import { INPUT_LOOK } from "../../forms/text-field.tsx";
import { Button } from "../../ui/button.tsx";
import { PLAIN_SEND } from "../composer/send-input.ts";
import { useChatScene, useIsSending } from "../page/chat-scene.ts";
import { answerText, questionsIn, type Answer, type Question } from "./question-answer.ts";
import type { ToolRow } from "./transcript-rows.ts";

type QuestionCardProps = { readonly row: ToolRow; readonly isOpen: boolean };

export function QuestionCard({ row, isOpen }: QuestionCardProps) {
  const { isOwn, outbox } = useChatScene();
  const questions = questionsIn(row.call?.args);
  const [answers, setAnswers] = useState<readonly Answer[]>(() =>
    questions.map(() => ({ choice: null, own: "" })),
  );
  const text = answerText(questions, answers);
  const isSending = useIsSending();
  const mayAnswer = isOpen && isOwn;
  return (
    <section
      aria-label="The agent asks"
      className={`rounded-lg border bg-surface p-4 ${isOpen ? "border-accent" : "border-line"}`}
    >
      <h2 className="mb-2 font-semibold">{isOpen ? "The agent asks" : "The agent asked"}</h2>
      <div className="space-y-4">
        {questions.map((question, index) => (
          <OneQuestion
            answer={answers[index] ?? { choice: null, own: "" }}
            // Questions of a call never move.
            key={index}
            mayAnswer={mayAnswer}
            onAnswer={(answer) => setAnswers((before) => before.with(index, answer))}
            question={question}
          />
        ))}
      </div>
      {mayAnswer && (
        <div className="mt-4 flex items-center gap-3">
          <Button
            disabled={text === null || isSending}
            look="main"
            onClick={() => {
              if (text !== null) outbox.send({ ...PLAIN_SEND, text });
            }}
          >
            Answer
          </Button>
          <span className="text-xs text-muted">
            {text === null ? "Choose, or say it in your own words." : "It is sent as your message."}
          </span>
        </div>
      )}
    </section>
  );
}

type OneQuestionProps = {
  readonly question: Question;
  readonly answer: Answer;
  readonly mayAnswer: boolean;
  readonly onAnswer: (answer: Answer) => void;
};

function OneQuestion({ question, answer, mayAnswer, onAnswer }: OneQuestionProps) {
  const id = useId();
  return (
    <fieldset className="min-w-0 space-y-1.5" disabled={!mayAnswer}>
      <legend className="mb-1 break-words">
        {question.header !== "" && <span className="font-medium">{question.header}: </span>}
        {question.question}
      </legend>
      {question.options.map(({ label, description }) => (
        <label
          className="flex cursor-pointer items-start gap-2 rounded-md border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft"
          key={label}
        >
          <input
            checked={answer.choice === label}
            className="mt-1"
            name={id}
            onChange={() => onAnswer({ ...answer, choice: label })}
            type="radio"
          />
          <span className="min-w-0">
            <span className="block font-medium">{label}</span>
            {description !== null && <span className="block text-muted">{description}</span>}
          </span>
        </label>
      ))}
      {mayAnswer && (
        <input
          aria-label={`In your own words: ${question.header || question.question}`}
          className={INPUT_LOOK}
          onChange={(event) => onAnswer({ ...answer, own: event.currentTarget.value })}
          placeholder="In your own words"
          value={answer.own}
        />
      )}
    </fieldset>
  );
}
