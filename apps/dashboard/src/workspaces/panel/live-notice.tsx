/** What is shown above live things while they are not live: why, and when it is tried again. */
import type { ReactNode } from "react";
import { useIsLasting } from "../../browser/ticks.ts";
import { Badge } from "../../ui/badge.tsx";
import type { LiveState } from "./live-link.ts";

/** What is back at once need not be told. */
const SILENT_MS = 1_500;

type LiveNoticeProps = {
  readonly state: LiveState;
  /** What is awaited: "the ports". */
  readonly what: string;
};

export function LiveNotice({ state, what }: LiveNoticeProps) {
  const isAway = state.kind === "waiting" || state.kind === "connecting";
  const isShown = useIsLasting(isAway, SILENT_MS);
  return <div aria-live="polite">{textOf(state, what, isShown)}</div>;
}

function textOf(state: LiveState, what: string, isShown: boolean): ReactNode {
  if (state.kind === "refused") {
    return <p className="mb-3 rounded-md bg-warn-soft p-3">{state.problem.message}</p>;
  }
  if (!isShown) return null;
  if (state.kind === "connecting") return <p className="mb-3 text-muted">Loading {what}…</p>;
  if (state.kind !== "waiting") return null;
  return (
    <p className="mb-3 flex flex-wrap items-center gap-2">
      <Badge tone="warn">not live</Badge>
      <span className="text-muted">
        {state.problem?.message ?? "The connection broke."} It is tried again by itself.
      </span>
    </p>
  );
}
