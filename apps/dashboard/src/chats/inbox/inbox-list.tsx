/** Rows under a heading, page by page. */
import { useId } from "react";
import type { Chat } from "@atelier/contract/http/chats";
import { useNow } from "../../browser/ticks.ts";
import { problemOf } from "../../api/api-problem-error.ts";
import { ShowMoreButton } from "../../ui/load-more.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { InboxRow } from "./inbox-row.tsx";
import { countText } from "./inbox-sections.ts";
import type { ChatNames } from "./use-chat-names.ts";
import type { ChatActions } from "./use-chat-actions.ts";
import type { SectionPages } from "./use-inbox.ts";

type InboxListProps = {
  readonly title: string;
  readonly about: string;
  readonly pages: SectionPages;
  readonly names: ChatNames;
  /** Null: they are others' chats, which one reads and does nothing with. */
  readonly actions: ChatActions | null;
  /** Times are counted in seconds where things move. */
  readonly isLively: boolean;
};

const LIVELY_MS = 1_000;
const CALM_MS = 15_000;

export function InboxList({ title, about, pages, names, actions, isLively }: InboxListProps) {
  const id = useId();
  const now = useNow(isLively ? LIVELY_MS : CALM_MS);
  const chats = chatsOf(pages);
  return (
    <section aria-labelledby={id} className="mb-6">
      <div className="mb-1.5 flex flex-wrap items-baseline gap-x-2">
        <h2 className="text-base font-semibold" id={id}>
          {title}
        </h2>
        <span className="text-muted tabular-nums">
          {countText(chats.length, pages.hasNextPage)}
        </span>
        <span className="text-xs text-muted">{about}</span>
      </div>
      <ul className="overflow-hidden rounded-lg border border-line bg-surface">
        {chats.map((chat) => (
          <InboxRow
            actions={actions}
            chat={chat}
            key={chat.id}
            modelNames={names.models}
            now={now}
            workspaceNames={names.workspaces}
          />
        ))}
      </ul>
      {pages.isFetchNextPageError && (
        <div className="mt-2">
          <ProblemNotice problem={problemOf(pages.error)} />
        </div>
      )}
      {pages.hasNextPage && (
        <div className="mt-2">
          <ShowMoreButton label={`Show more of ${title}`} pages={pages} />
        </div>
      )}
    </section>
  );
}

export function chatsOf(pages: SectionPages): readonly Chat[] {
  return pages.data?.pages.flat() ?? [];
}
