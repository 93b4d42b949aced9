/** One chat in the inbox: all that one wants to know of it in a second, and what can be done at once. */
import type { Chat } from "@atelier/contract/http/chats";
import { Link } from "@tanstack/react-router";
import { costText } from "../../usage/money-text.ts";
import { Badge } from "../../ui/badge.tsx";
import { ChatBranch, ChatChanges } from "../chat-changes.tsx";
import { chatPath, contextPercent, lastActionWords, stateWords } from "../chat-words.ts";
import { sinceText } from "./inbox-sections.ts";
import type { ChatActions } from "./use-chat-actions.ts";

type InboxRowProps = {
  readonly chat: Chat;
  readonly now: Date;
  /** By id. */
  readonly workspaceNames: ReadonlyMap<string, string>;
  readonly modelNames: ReadonlyMap<string, string>;
  /** Null: it is somebody else's, which one reads and does nothing with. */
  readonly actions: ChatActions | null;
};

export function InboxRow({ chat, now, workspaceNames, modelNames, actions }: InboxRowProps) {
  const state = stateWords(chat, now);
  const needsYou = actions !== null && !chat.archived && chat.inbox_section === "needs_you";
  return (
    <li className="relative border-b border-line px-3 py-2.5 last:border-0 focus-within:bg-hover hover:bg-hover md:px-4">
      <div className="flex items-baseline gap-3">
        <div className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2.5 gap-y-0.5">
          <Badge tone={state.tone}>{state.words}</Badge>
          <Link
            // The whole row leads there; its buttons lie above.
            className="min-w-0 truncate font-medium text-ink after:absolute after:inset-0"
            data-chat={chat.id}
            data-needs-you={needsYou ? "" : undefined}
            to={chatPath(chat.id)}
          >
            {chat.title}
          </Link>
        </div>
        <time
          className="shrink-0 text-xs text-muted tabular-nums"
          dateTime={chat.inbox_since}
          title={new Date(chat.inbox_since).toLocaleString()}
        >
          {sinceText(chat, now)}
        </time>
      </div>
      <LastAction chat={chat} reason={state.reason} />
      <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1">
        <RowFacts
          chat={chat}
          isOwn={actions !== null}
          modelNames={modelNames}
          workspaceNames={workspaceNames}
        />
        {actions !== null && <RowButtons actions={actions} chat={chat} />}
      </div>
    </li>
  );
}

function LastAction({ chat, reason }: { readonly chat: Chat; readonly reason: string | null }) {
  const action = lastActionWords(chat);
  if (reason !== null) return <p className="mt-0.5 line-clamp-2">{reason}</p>;
  if (action === null) return <p className="mt-0.5 text-muted">Nothing done yet.</p>;
  return (
    <p className="mt-0.5 truncate text-muted">
      {action.verb}{" "}
      <span className={`text-ink ${action.isCode ? "font-mono text-xs" : ""}`}>
        {action.object}
      </span>
    </p>
  );
}

type RowFactsProps = Pick<InboxRowProps, "chat" | "workspaceNames" | "modelNames"> & {
  readonly isOwn: boolean;
};

function RowFacts({ chat, workspaceNames, modelNames, isOwn }: RowFactsProps) {
  const percent = contextPercent(chat);
  const agents = chat.children.filter(({ inbox_section: section }) => section === "working").length;
  const workspace = chat.workspace_id === undefined ? null : workspaceNames.get(chat.workspace_id);
  const facts = [
    ...(isOwn ? [] : [`by ${chat.owner_username ?? "somebody who is gone"}`]),
    workspace === null ? "no workspace" : (workspace ?? "a workspace"),
    modelNames.get(chat.last_model_config_id) ?? "a model that is gone",
    ...(percent === null ? [] : [`context ${percent} %`]),
    ...(chat.cost === undefined ? [] : [chatCostText(chat.cost)]),
    ...(chat.queue_length === 0 ? [] : [`${chat.queue_length} queued`]),
    ...(agents === 0 ? [] : [agents === 1 ? "1 agent works" : `${agents} agents work`]),
    ...(chat.plan_mode === undefined ? [] : ["plans only"]),
    ...(isOwn && chat.shared ? ["shared"] : []),
    ...(chat.pin_order === 0 || !isOwn ? [] : ["pinned"]),
  ];
  const status = chat.diff_status;
  return (
    <p className="min-w-0 flex-1 text-xs break-words text-muted">
      {status !== undefined && (
        <>
          <ChatChanges status={status} />
          {" · "}
          {status.git_branch !== "" && (
            <>
              <ChatBranch status={status} />
              {" · "}
            </>
          )}
        </>
      )}
      {facts.join(" · ")}
    </p>
  );
}

function chatCostText(cost: NonNullable<Chat["cost"]>): string {
  const { total_cost_micros: micros, unpriced_request_count: unpriced } = cost;
  return costText({ cost_micros: micros, unpriced_requests: unpriced });
}

type RowButtonsProps = { readonly chat: Chat; readonly actions: ChatActions };

function RowButtons({ chat, actions }: RowButtonsProps) {
  const { title, status, archived } = chat;
  const canStop = status === "running" || status === "requires_action";
  // A chat that works is stopped before it is put away.
  const canArchive = archived || !["running", "interrupting", "requires_action"].includes(status);
  return (
    <div className="relative flex gap-1">
      {canStop && (
        <RowButton label={`Stop ${title}`} onClick={() => actions.interrupt(chat)} words="Stop" />
      )}
      {!archived && (
        <RowButton label={`Rename ${title}`} onClick={() => actions.askName(chat)} words="Rename" />
      )}
      {canArchive && (
        <RowButton
          label={`${archived ? "Unarchive" : "Archive"} ${title}`}
          onClick={() => actions.archive(chat, !archived)}
          words={archived ? "Unarchive" : "Archive"}
        />
      )}
    </div>
  );
}

type RowButtonProps = {
  readonly words: string;
  readonly label: string;
  readonly onClick: () => void;
};

function RowButton({ words, label, onClick }: RowButtonProps) {
  return (
    <button
      aria-label={label}
      className="min-h-7 rounded border border-line bg-surface px-2 text-xs hover:bg-raised"
      onClick={onClick}
      type="button"
    >
      {words}
    </button>
  );
}
