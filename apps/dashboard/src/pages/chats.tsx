/** The inbox of one's agents: who needs the person, who works, what is done and not seen yet. */
import { CHAT_INBOX_SECTIONS, type ChatInboxSection } from "@atelier/contract/chat/chat-words";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { useIsLasting } from "../browser/ticks.ts";
import { SECTION_WORDS } from "../chats/chat-words.ts";
import { useAttention } from "../chats/attention/attention-store.ts";
import { chatsOf, InboxList } from "../chats/inbox/inbox-list.tsx";
import { RenameChat } from "../chats/inbox/rename-chat.tsx";
import { useChatActions, type ChatActions } from "../chats/inbox/use-chat-actions.ts";
import { useChatNames, type ChatNames } from "../chats/inbox/use-chat-names.ts";
import { useChatList, type SectionPages } from "../chats/inbox/use-inbox.ts";
import { useInboxKeys } from "../chats/inbox/use-inbox-keys.ts";
import { TextField } from "../forms/text-field.tsx";
import { SpendingNotice } from "../spending/spending-notice.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";

const TITLE = "Agents";
const ABOUT = (
  <>
    Each works on the server, whether you look or not.
    <span className="hidden md:inline">
      {" "}
      <kbd className="font-mono">n</kbd> leads to the next that needs you,{" "}
      <kbd className="font-mono">j</kbd> and <kbd className="font-mono">k</kbd> go through the list.
    </span>
  </>
);
const HEADS = {
  inbox: { title: TITLE, about: ABOUT },
  archived: {
    title: "Archived agents",
    about: "They take no messages until they are taken out again.",
  },
  shared: {
    title: "Shared with you",
    about: "Agents of others, who let you read along. They alone write to them.",
  },
} as const;

type View = keyof typeof HEADS;

function viewOf(text: string | undefined): View {
  return text === "archived" || text === "shared" ? text : "inbox";
}

/** Shorter gaps are over before anybody acts on what is old. */
const STALE_MS = 10_000;

export function Page() {
  const search: { readonly q?: string; readonly view?: string } = useSearch({ strict: false });
  const typed = search.q ?? "";
  const view = viewOf(search.view);
  const names = useChatNames();
  const state = useChatActions();
  const list = useRef<HTMLDivElement>(null);
  useInboxKeys(list);
  return (
    <>
      <PageHead about={HEADS[view].about} title={HEADS[view].title}>
        <ButtonLink look="main" to="/chats/new">
          New chat
        </ButtonLink>
      </PageHead>
      <SpendingNotice />
      <SearchField typed={typed} view={view} />
      {state.problem !== null && (
        <div className="mb-4">
          <ProblemNotice problem={state.problem}>
            <span className="self-center">The list shows what is so on the server.</span>
            <Button onClick={state.forgetProblem}>Dismiss</Button>
          </ProblemNotice>
        </div>
      )}
      <div ref={list}>
        {view === "inbox" && <Inbox actions={state.actions} names={names} typed={typed} />}
        {view === "archived" && <Archive actions={state.actions} names={names} typed={typed} />}
        {view === "shared" && <Shared names={names} typed={typed} />}
      </div>
      <RenameChat {...state} />
    </>
  );
}

type ListProps = {
  readonly typed: string;
  readonly names: ChatNames;
  readonly actions: ChatActions;
};

function Inbox({ typed, names, actions }: ListProps) {
  const { isLive } = useAttention();
  const live = { isConnected: isLive };
  const sections: Readonly<Record<ChatInboxSection, SectionPages>> = {
    needs_you: useChatList("needs_you", typed, live),
    working: useChatList("working", typed, live),
    unreviewed: useChatList("unreviewed", typed, live),
    idle: useChatList("idle", typed, live),
  };
  const all = Object.values(sections);
  // All at once, so that nothing moves while they come.
  const missing = all.find(({ data }) => data === undefined);
  if (missing !== undefined) {
    return (
      <Loaded query={missing} what="agents">
        {() => null}
      </Loaded>
    );
  }
  const isEmpty = all.every((pages) => chatsOf(pages).length === 0);
  return (
    <>
      <FreshnessNotice isConnected={isLive} sections={all} />
      {isEmpty && (typed === "" ? <NoChats /> : <NoneFits isArchive={false} />)}
      {CHAT_INBOX_SECTIONS.filter((section) => chatsOf(sections[section]).length > 0).map(
        (section) => (
          <InboxList
            {...SECTION_WORDS[section]}
            actions={actions}
            isLively={section === "needs_you" || section === "working"}
            key={section}
            names={names}
            pages={sections[section]}
          />
        ),
      )}
    </>
  );
}

function Archive({ typed, names, actions }: ListProps) {
  const pages = useChatList("archived", typed, { isConnected: true });
  return (
    <Loaded query={pages} what="archived agents">
      {() =>
        chatsOf(pages).length === 0 ? (
          <NoneFits isArchive={typed === ""} />
        ) : (
          <InboxList
            about="They are kept as they are, until the deployment deletes them."
            actions={actions}
            isLively={false}
            names={names}
            pages={pages}
            title="Archived"
          />
        )
      }
    </Loaded>
  );
}

function Shared({ typed, names }: Omit<ListProps, "actions">) {
  const pages = useChatList("shared", typed, { isConnected: true });
  return (
    <Loaded query={pages} what="what is shared with you">
      {() =>
        chatsOf(pages).length > 0 ? (
          <InboxList
            about="The latest first."
            actions={null}
            isLively={false}
            names={names}
            pages={pages}
            title="Of others"
          />
        ) : typed === "" ? (
          <EmptyState icon="users" title="Nobody shares an agent with you">
            <p>
              Whoever opens one of their agents can let you read it under “About this chat”. It
              stands here then.
            </p>
            <ButtonLink to="/chats">Back to the agents</ButtonLink>
          </EmptyState>
        ) : (
          <NoneFits isArchive={false} />
        )
      }
    </Loaded>
  );
}

type FreshnessNoticeProps = {
  readonly isConnected: boolean;
  readonly sections: readonly SectionPages[];
};

/** What is shown may be old: since when, why, and that somebody is at it. */
function FreshnessNotice({ isConnected, sections }: FreshnessNoticeProps) {
  const isStale = useIsLasting(!isConnected, STALE_MS);
  const failed = sections.find(({ error }) => error !== null);
  const asOf = Math.min(...sections.map(({ dataUpdatedAt }) => dataUpdatedAt));
  const shown = (
    <>
      Shown is what was so <RelativeTime time={new Date(asOf).toISOString()} />.
    </>
  );
  if (!isStale) {
    if (failed === undefined) return null;
    return (
      <div className="mb-4">
        <ProblemNotice problem={problemOf(failed.error)}>{shown}</ProblemNotice>
      </div>
    );
  }
  return (
    <div
      className="mb-4 flex items-center gap-2.5 rounded-md border border-line bg-warn-soft p-3"
      role="status"
    >
      <span className="text-warn">
        <Icon name="alert" />
      </span>
      <p>No live connection to the server; connecting anew. {shown}</p>
    </div>
  );
}

function NoChats() {
  return (
    <EmptyState icon="chat" title="No agents yet">
      <p>
        Write what is to be done. An agent works on it on the server, with a model and, if you like,
        in a workspace of yours. You are told here when it needs you and when it is done.
      </p>
      <ButtonLink look="main" to="/chats/new">
        Start the first one
      </ButtonLink>
    </EmptyState>
  );
}

function NoneFits({ isArchive }: { readonly isArchive: boolean }) {
  return isArchive ? (
    <EmptyState icon="chat" title="Nothing is archived">
      <p>Archive a chat that is done, and it stands here instead of in the list.</p>
      <ButtonLink to="/chats">Back to the agents</ButtonLink>
    </EmptyState>
  ) : (
    <EmptyState icon="search" title="No chat fits">
      <p>
        Words are looked for in titles and, some minutes after they were said, in messages. Terms
        work too: <code>status:error</code>, <code>has_unread:true</code>.
      </p>
      <ButtonLink to="/chats">Show all</ButtonLink>
    </EmptyState>
  );
}

function SearchField({ typed, view }: { readonly typed: string; readonly view: View }) {
  const navigate = useNavigate();
  const go = (q: string, next: View): void => {
    const search = { q, view: next === "inbox" ? "" : next };
    navigate({ to: "/chats", search, replace: true }).catch(() => {}); // The router tells.
  };
  const toggle = (other: View): void => go(typed, view === other ? "inbox" : other);
  return (
    <div className="mb-5 flex flex-wrap items-end gap-3">
      <div className="w-full max-w-sm">
        <TextField
          label="Search"
          name="q"
          onChange={(q) => go(q, view)}
          placeholder="in titles and what was said, or status:error"
          type="search"
          value={typed}
        />
      </div>
      <Button aria-pressed={view === "shared"} onClick={() => toggle("shared")}>
        {view === "shared" ? "Back to the agents" : "Shared with you"}
      </Button>
      <Button aria-pressed={view === "archived"} onClick={() => toggle("archived")}>
        {view === "archived" ? "Back to the agents" : "Archived"}
      </Button>
    </div>
  );
}
