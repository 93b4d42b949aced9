/** The head of a chat: what it is called, how it stands, and what belongs to it. */
import { Link } from "@tanstack/react-router";
import { memo, useEffect, useState } from "react";
import { showTitle } from "../../browser/tab-title.ts";
import { Badge } from "../../ui/badge.tsx";
import { IconButton } from "../../ui/button.tsx";
import { ChatIcon } from "../chat-icon.tsx";
import { ChatChanges } from "../chat-changes.tsx";
import { chatPath, stateWords } from "../chat-words.ts";
import { ChatDetails } from "./chat-details.tsx";
import { useLinkState } from "./chat-scene.ts";
import { Meters } from "./meters.tsx";
import { PromptIndex } from "./prompt-index.tsx";
import { useChat } from "./use-chat.ts";
import { systemClock } from "@atelier/base/system-clock";

type ChatHeaderProps = { readonly isPanelOpen: boolean; readonly onPanel: () => void };

export const ChatHeader = memo(function ChatHeader({ isPanelOpen, onPanel }: ChatHeaderProps) {
  const chat = useChat();
  const [opened, setOpened] = useState<"prompts" | "details" | null>(null);
  const close = (): void => setOpened(null);
  useEffect(() => {
    showTitle(chat.title);
  }, [chat.title]);
  return (
    <header className="flex min-h-12 flex-wrap items-center gap-x-2 border-b border-line bg-surface px-3 md:px-4">
      <div className="min-w-0 flex-1">
        {chat.parent_chat_id !== undefined && (
          <Link className="text-xs text-accent hover:underline" to={chatPath(chat.parent_chat_id)}>
            Started by another agent
          </Link>
        )}
        <div className="flex items-center gap-2">
          <h1 className="truncate text-base font-semibold" title={chat.title}>
            {chat.title}
          </h1>
          <StateBadge />
          {chat.archived && <Badge>put away</Badge>}
        </div>
        {/* Beside the title there is no room; below it there always is, so that nothing moves. */}
        {chat.workspace_id !== undefined && (
          <p className="min-h-4 truncate text-xs sm:hidden">
            {chat.diff_status !== undefined && <ChatChanges status={chat.diff_status} />}
          </p>
        )}
      </div>
      <div className="flex items-center">
        <Changes onOpen={onPanel} isOpen={isPanelOpen} />
        <Meters />
        <IconButton label="Messages of this chat" onClick={() => setOpened("prompts")}>
          <ChatIcon name="list" size={18} />
        </IconButton>
        <IconButton label="About this chat" onClick={() => setOpened("details")}>
          <ChatIcon name="more" size={18} />
        </IconButton>
        <IconButton
          aria-expanded={isPanelOpen}
          label={isPanelOpen ? "Close the workspace" : "Open the workspace"}
          onClick={onPanel}
        >
          <ChatIcon name="panel" size={18} />
        </IconButton>
      </div>
      <PromptIndex isOpen={opened === "prompts"} onClose={close} />
      <ChatDetails isOpen={opened === "details"} onClose={close} />
    </header>
  );
});

type ChangesProps = { readonly isOpen: boolean; readonly onOpen: () => void };

/** Leads to the panel that shows them file by file. Empty where nothing is known. */
function Changes({ isOpen, onOpen }: ChangesProps) {
  const { diff_status: status } = useChat();
  if (status === undefined || status.changed_files === 0) return null;
  return (
    <button
      aria-expanded={isOpen}
      className="flex min-h-9 items-center rounded-md px-2 text-xs hover:bg-hover max-sm:hidden"
      onClick={onOpen}
      type="button"
    >
      <ChatChanges status={status} />
    </button>
  );
}

/** As the stream tells it; the chat's own facts come a moment later. */
function StateBadge() {
  const chat = useChat();
  const status = useLinkState(({ view }) => view.status) ?? chat.status;
  const error = useLinkState(({ view }) => view.error);
  const retry = useLinkState(({ view }) => view.retry);
  const { tone, words, reason } = stateWords(
    {
      status,
      asks: chat.asks,
      has_unread: false,
      last_error: error ?? chat.last_error,
      retry: retry ?? undefined,
      queued_for_capacity: chat.queued_for_capacity,
    },
    systemClock.now(),
  );
  return (
    // As wide for the usual states, so that it stays where it is.
    <span className="min-w-16 shrink-0" title={reason ?? undefined}>
      <Badge tone={tone}>{words}</Badge>
    </span>
  );
}
