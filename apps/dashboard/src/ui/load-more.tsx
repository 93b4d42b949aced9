/** Below a list that comes page by page: how much is shown, and the next page. */
import { problemOf } from "../api/api-problem-error.ts";
import { Button } from "./button.tsx";
import { ProblemNotice } from "./problem-notice.tsx";

type Pages = {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  readonly error: Error | null;
  readonly fetchNextPage: () => Promise<unknown>;
};

type LoadMoreProps = {
  readonly pages: Pages;
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
        <ShowMoreButton pages={pages} />
      </div>
    </div>
  );
}

type ShowMoreButtonProps = {
  readonly pages: Pages;
  /** Read out, where a page has several lists. */
  readonly label?: string;
};

/** Nothing, where there is no more. What goes wrong is told by who shows the list. */
export function ShowMoreButton({ pages, label }: ShowMoreButtonProps) {
  if (!pages.hasNextPage) return null;
  return (
    <Button
      aria-label={label}
      busy={pages.isFetchingNextPage ? "Loading…" : undefined}
      onClick={() => {
        pages.fetchNextPage().catch(() => {}); // Told with the list.
      }}
    >
      Show more
    </Button>
  );
}
