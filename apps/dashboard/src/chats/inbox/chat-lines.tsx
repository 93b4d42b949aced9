/** Chats in two lines each, for pages on which they are not the matter. */
import type { Chat } from "@atelier/contract/http/chats";
import { Link } from "@tanstack/react-router";
import { Badge } from "../../ui/badge.tsx";
import { chatPath, lastActionWords, stateWords } from "../chat-words.ts";
import { sinceText } from "./inbox-sections.ts";

export function ChatLines({ chats, now }: { readonly chats: readonly Chat[]; readonly now: Date }) {
  return (
    <ul className="space-y-3">
      {chats.map((chat) => {
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
  );
}
