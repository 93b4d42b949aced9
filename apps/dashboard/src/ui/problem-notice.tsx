/** A failure as people need it: what happened, what can be done, and the id an operator asks for. */
import type { ApiProblem } from "@atelier/contract/client";
import { FAILURES } from "@atelier/contract/failures";
import type { ReactNode } from "react";
import { Icon } from "./icon.tsx";

type ProblemNoticeProps = {
  readonly problem: ApiProblem;
  /** What was kept, or what to press. */
  readonly children?: ReactNode;
};

export function ProblemNotice({ problem, children }: ProblemNoticeProps) {
  const { message, detail, requestId, retryAfterSeconds } = problem;
  const remedy = remedyOf(problem);
  return (
    <div
      className="flex gap-2.5 rounded-md border border-bad/40 bg-bad-soft p-3 text-ink"
      role="alert"
    >
      <span className="mt-0.5 text-bad">
        <Icon name="alert" />
      </span>
      <div className="min-w-0 space-y-1">
        <p className="font-medium">{message}</p>
        {detail !== null && <p className="break-words">{detail}</p>}
        {remedy !== null && <p>{remedy}</p>}
        {retryAfterSeconds !== null && <p>Try again in {retryAfterSeconds} s.</p>}
        {requestId !== null && (
          <p className="text-xs text-muted">
            Request id <code className="font-mono break-all select-all">{requestId}</code>
          </p>
        )}
        {children !== undefined && <div className="flex flex-wrap gap-2 pt-1">{children}</div>}
      </div>
    </div>
  );
}

/** Remedies speak of fields and headers where the page has said it better already. */
function remedyOf({ code }: ApiProblem): string | null {
  const isGeneral = code === "request.invalid" || code === "request.rate_limited";
  if (isGeneral || !(code in FAILURES)) return null;
  const remedy = FAILURES[code as keyof typeof FAILURES].remedy;
  return remedy.includes("`") ? null : remedy;
}
