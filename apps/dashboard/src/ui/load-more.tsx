/** Below a list that comes page by page: how much is shown, and the next page. */
import { problemOf } from "../api/api-problem-error.ts";
import { Button } from "./button.tsx";
import { ProblemNotice } from "./problem-notice.tsx";

type LoadMoreProps = {
  readonly pages: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly isFetchNextPageError: boolean;
    readonly error: Error | null;
    readonly fetchNextPage: () => Promise<unknown>;
  };
  readonly shown: number;
  /** How many there are. Counts stop at `countMax`. */
  readonly count: number;
  readonly countMax?: number;
};

export function LoadMore({ pages, shown, count, countMax }: LoadMoreProps) {
  const all = count === countMax ? `${count} or more` : String(count);
  return (
    <div className="mt-3 space-y-3">
      {pages.isFetchNextPageError && <ProblemNotice problem={problemOf(pages.error)} />}
      <div className="flex items-center justify-between gap-3 text-muted">
        <span>
          Showing {shown} of {all}
        </span>
        {pages.hasNextPage && (
          <Button
            busy={pages.isFetchingNextPage ? "Loading…" : undefined}
            onClick={() => {
              pages.fetchNextPage().catch(() => {}); // Told above.
            }}
          >
            Show more
          </Button>
        )}
      </div>
    </div>
  );
}
