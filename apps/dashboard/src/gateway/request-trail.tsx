/** How a request was served: a line for each attempt, with why it had its key and what came of it. */
import {
  breakerWords,
  effectWords,
  isAnswered,
  keyWords,
  outcomeWords,
  passedWords,
  reasonWords,
  refusalWords,
  type Trail,
  type TrailAttempt,
  type TrailTexts,
} from "@atelier/contract/trail-words";
import type { ReactNode } from "react";
import { durationText } from "../ui/relative-time-text.ts";
import { momentText } from "./moment-text.ts";

type RequestTrailProps = { readonly trail: Trail; readonly startedAt: string };

export function RequestTrail({ trail, startedAt }: RequestTrailProps) {
  const say: TrailTexts = {
    length: durationText,
    time: (isoTime) => momentText(new Date(isoTime), new Date(startedAt)),
  };
  const { attempts, attempts_left_out: leftOut, refusal } = trail;
  const lines = attempts.map((attempt, at) => (
    // Attempts have nothing else that tells them apart, and never change places.
    <AttemptLine attempt={attempt} key={at} say={say} />
  ));
  if (leftOut > 0) {
    lines.splice(
      -1,
      0,
      <Line key="left-out" tone="neutral">
        {leftOut} more, which are not recorded
      </Line>,
    );
  }
  const refused = refusalWords(trail, say);
  const breaker = breakerWords(trail);
  return (
    <ol aria-label="Attempts" className="mt-2 space-y-1.5 border-l border-line pl-3 text-xs">
      {lines}
      {refused !== null && (
        <Line detail={passedWords(refusal?.passed_over ?? [], say)} tone="bad">
          {refused}
        </Line>
      )}
      {breaker !== null && <Line tone="neutral">{breaker}</Line>}
    </ol>
  );
}

type AttemptLineProps = { readonly attempt: TrailAttempt; readonly say: TrailTexts };

function AttemptLine({ attempt, say }: AttemptLineProps) {
  const effect = effectWords(attempt, say);
  const passed = passedWords(attempt.passed_over, say);
  const why = reasonWords(attempt, say) + (passed === null ? "" : `: ${passed}`);
  return (
    <Line detail={`why this key: ${why}`} tone={toneOf(attempt)}>
      <code className="font-mono">{keyWords(attempt)}</code> {outcomeWords(attempt, say)}
      {effect !== null && <strong className="font-medium"> · {effect}</strong>}
      {attempt.repaired && " · sent again without another provider’s reasoning"}
    </Line>
  );
}

type LineTone = "good" | "warn" | "bad" | "neutral";

type LineProps = {
  readonly tone: LineTone;
  /** Why, in small. */
  readonly detail?: string | null;
  readonly children: ReactNode;
};

function Line({ tone, detail = null, children }: LineProps) {
  return (
    <li className="relative break-words">
      <span
        aria-hidden
        className={`absolute top-1 -left-4 size-[7px] rounded-full ring-2 ring-surface ${DOTS[tone]}`}
      />
      {children}
      {detail !== null && <span className="block text-muted">{detail}</span>}
    </li>
  );
}

const DOTS: Readonly<Record<LineTone, string>> = {
  good: "bg-good",
  warn: "bg-warn",
  bad: "bg-bad",
  neutral: "bg-strong-line",
};

function toneOf(attempt: TrailAttempt): LineTone {
  if (isAnswered(attempt)) return "good";
  if (attempt.outcome === "client_gone" || attempt.outcome === "stopped") return "neutral";
  return attempt.outcome === "set_aside" || attempt.outcome === "overloaded" ? "warn" : "bad";
}
