/** The chats that wait for the person, for pages on which they are not the matter. Nothing while none do. */
import { Link } from "@tanstack/react-router";
import { useNow } from "../../browser/ticks.ts";
import { Panel } from "../../ui/panel.tsx";
import { useAttention } from "../attention/attention-store.ts";
import { ChatLines } from "./chat-lines.tsx";
import { chatsOf } from "./inbox-list.tsx";
import { countText } from "./inbox-sections.ts";
import { useChatList } from "./use-inbox.ts";

const SHOWN_MAX = 5;
const LOOK_AGAIN_MS = 15_000;

export function NeedsYou() {
  const { isLive: isConnected } = useAttention();
  const pages = useChatList("needs_you", "", { isConnected });
  const now = useNow(LOOK_AGAIN_MS);
  const chats = chatsOf(pages);
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
      <ChatLines chats={chats.slice(0, SHOWN_MAX)} now={now} />
    </Panel>
  );
}
