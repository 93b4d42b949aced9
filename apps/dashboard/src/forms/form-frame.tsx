/** A form: its fields, what went wrong beside them, and the buttons. */
import type { ReactNode } from "react";
import { Button } from "../ui/button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { complaintsBeside } from "./field-problems.ts";
import type { Form } from "./use-form.ts";

type FormFrameProps = {
  readonly form: Form<Readonly<Record<string, string>>>;
  /** Of the button that sends it, and what that says meanwhile. */
  readonly send: string;
  readonly sending: string;
  /** Other buttons. */
  readonly others?: ReactNode;
  readonly children: ReactNode;
};

export function FormFrame({ form, send, sending, others, children }: FormFrameProps) {
  const { problem } = form;
  const loose = complaintsBeside(problem, Object.keys(form.values));
  return (
    <form className="space-y-4" noValidate onSubmit={form.onSubmit}>
      {children}
      {problem !== null && (
        <ProblemNotice problem={problem}>
          {loose.length === 0 ? undefined : (
            <ul className="list-disc pl-4">
              {loose.map((each) => (
                <li key={each}>{each}</li>
              ))}
            </ul>
          )}
        </ProblemNotice>
      )}
      <div className="flex flex-wrap gap-2">
        <Button busy={form.isSending ? sending : undefined} look="main" type="submit">
          {send}
        </Button>
        {others}
      </div>
    </form>
  );
}
