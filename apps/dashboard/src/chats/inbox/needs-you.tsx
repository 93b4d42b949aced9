/** The chats that wait for the person, for pages on which they are not the matter. Nothing while none do. */
import { Link } from "@tanstack/react-router";
import { useNow } from "../../browser/ticks.ts";
import { Badge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { chatPath, lastActionWords, stateWords } from "../chat-words.ts";
import { chatsOf } from "./inbox-list.tsx";
import { countText, sinceText } from "./inbox-sections.ts";
import { useTabMark } from "./tab-mark.ts";
import { useChatList, useChatNews } from "./use-inbox.ts";

const SHOWN_MAX = 5;
const LOOK_AGAIN_MS = 15_000;

export function NeedsYou({ page }: { readonly page: string }) {
  useChatNews();
  const pages = useChatList("needs_you", "");
  const now = useNow(LOOK_AGAIN_MS);
  const chats = chatsOf(pages);
  useTabMark(page, chats.length);
  if (chats.length === 0) return null;
  const count = countText(chats.length, pages.hasNextPage);
  return (
    <Panel
      actions={
        <Link className="text-accent underline underline-offset-2" to="/chats">
          All agents
        </Link>
      }
      title={chats.length === 1 ? "An agent needs you" : `${count} agents need you`}
    >
      <ul className="space-y-3">
        {chats.slice(0, SHOWN_MAX).map((chat) => {
          const { tone, words, reason } = stateWords(chat, now);
          const action = lastActionWords(chat);
          return (
            <li key={chat.id}>
              <div className="flex items-baseline gap-2.5">
                <Badge tone={tone}>{words}</Badge>
                <Link
                  className="min-w-0 flex-1 truncate font-medium text-accent underline-offset-2 hover:underline"
                  to={chatPath(chat.id)}
                >
                  {chat.title}
                </Link>
                <span className="shrink-0 text-xs text-muted">{sinceText(chat, now)}</span>
              </div>
              <p className="truncate text-muted">
                {reason ?? (action === null ? "" : `${action.verb} ${action.object}`)}
              </p>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
