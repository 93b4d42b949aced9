/**
 * What a person types into a form, kept until it is accepted: through failures, and in drafts through
 * leaving the page and a reload of the tab. Secrets are never part of a draft.
 */
import type { ApiProblem } from "@atelier/contract/client";
import type { Result } from "@atelier/base/result";
import { useCallback, useState, type SubmitEvent } from "react";
import { keep, kept } from "../browser/host.ts";
import { problemOf } from "../api/api-problem-error.ts";
import { complaintAbout } from "./field-problems.ts";
import { draftText, withDraft } from "./draft.ts";

type Texts = Readonly<Record<string, string>>;

export type FormOptions<Values extends Texts> = {
  readonly initial: Values;
  /** Keeps what was typed under this name. Absent: nothing is kept. */
  readonly draft?: string;
  readonly secrets?: readonly (keyof Values & string)[];
  readonly submit: (values: Values) => Promise<Result<unknown, ApiProblem>>;
};

export type Form<Values extends Texts> = {
  readonly values: Values;
  readonly set: (field: keyof Values & string, value: string) => void;
  /** Of the last attempt. */
  readonly problem: ApiProblem | null;
  readonly isSending: boolean;
  readonly onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
  /** What a field needs: value, what to do on a change, and what is wrong with it. */
  readonly field: (name: keyof Values & string) => {
    readonly name: string;
    readonly value: string;
    readonly onChange: (value: string) => void;
    readonly complaint: string | null;
  };
  /** Empties the form and forgets its draft. */
  readonly reset: () => void;
};

export function useForm<Values extends Texts>(options: FormOptions<Values>): Form<Values> {
  const { initial, draft, secrets = [], submit } = options;
  const [values, setValues] = useState(() =>
    draft === undefined ? initial : withDraft(initial, kept("tab", `draft.${draft}`), secrets),
  );
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  // What is changed since it was complained about is no longer complained about.
  const [judged, setJudged] = useState<Texts>({});
  const [isSending, setIsSending] = useState(false);

  const store = (next: Values | null): void => {
    if (draft === undefined) return;
    keep("tab", `draft.${draft}`, next === null ? null : draftText(next, secrets));
  };
  const set = (field: keyof Values & string, value: string): void => {
    setValues((before) => {
      const next = { ...before, [field]: value };
      store(next);
      return next;
    });
  };
  const send = async (form: HTMLFormElement): Promise<void> => {
    setIsSending(true);
    setProblem(null);
    setJudged(values);
    const outcome = await submit(values);
    if (outcome.ok) store(null);
    else {
      setProblem(outcome.failure);
      focusFirstComplaint(form);
    }
    setIsSending(false);
  };
  return {
    values,
    set,
    problem,
    isSending,
    onSubmit: (event) => {
      event.preventDefault();
      if (isSending) return;
      send(event.currentTarget).catch((error: unknown) => {
        setProblem(problemOf(error));
        setIsSending(false);
      });
    },
    field: (name) => ({
      name,
      value: values[name] ?? "",
      onChange: (value) => set(name, value),
      complaint: judged[name] === values[name] ? complaintAbout(problem, name) : null,
    }),
    reset: useCallback(() => {
      setValues(initial);
      setProblem(null);
      if (draft !== undefined) keep("tab", `draft.${draft}`, null);
    }, [initial, draft]),
  };
}

/** After the complaints have been drawn. */
function focusFirstComplaint(form: HTMLFormElement): void {
  requestAnimationFrame(() => {
    form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  });
}
