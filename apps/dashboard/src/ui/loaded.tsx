/**
 * An answer of the API on a page: what is awaited while it is on its way, the failure with a way to
 * try again, or the answer; and when the answer shown is old because newer ones fail, how old.
 */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { useIsLasting } from "../browser/ticks.ts";
import { Button } from "./button.tsx";
import { ProblemNotice } from "./problem-notice.tsx";
import { RelativeTime } from "./relative-time.tsx";

/** Quicker answers come before anybody has read that they are awaited. */
const SILENT_MS = 250;

type LoadedProps<Answer> = {
  readonly query: Pick<
    UseQueryResult<Answer>,
    "data" | "error" | "isPending" | "dataUpdatedAt" | "refetch" | "failureCount" | "isFetching"
  >;
  /** What is awaited: "model providers". */
  readonly what: string;
  readonly children: (answer: Answer) => ReactNode;
};

export function Loaded<Answer>({ query, what, children }: LoadedProps<Answer>) {
  const { data, error, isPending, failureCount, dataUpdatedAt, isFetching } = query;
  const again = (
    <Button
      busy={isFetching ? "Trying…" : undefined}
      onClick={() => {
        query.refetch().catch(() => {}); // The query tells of it.
      }}
    >
      Try again
    </Button>
  );
  if (data !== undefined) {
    return (
      <>
        {error !== null && (
          <div className="mb-4">
            <ProblemNotice problem={problemOf(error)}>
              <span className="self-center">
                Shown is what was so <RelativeTime time={new Date(dataUpdatedAt).toISOString()} />.
              </span>
              {again}
            </ProblemNotice>
          </div>
        )}
        {children(data)}
      </>
    );
  }
  if (isPending) return <Awaited failures={failureCount} what={what} />;
  return <ProblemNotice problem={problemOf(error)}>{again}</ProblemNotice>;
}

function Awaited({ what, failures }: { readonly what: string; readonly failures: number }) {
  const isShown = useIsLasting(true, SILENT_MS);
  // The room is taken at once, so that nothing moves when words appear.
  return (
    <p className="min-h-40 py-6 text-muted" role="status">
      {isShown && `Loading ${what}…`}
      {isShown && failures > 0 && ` The server did not answer; attempt ${failures + 1}.`}
    </p>
  );
}
