/** What one's agents did last. Those that need the person stand elsewhere. Nothing while there are none. */
import { listChats } from "@atelier/contract/http/chats";
import { Link } from "@tanstack/react-router";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { useNow } from "../../browser/ticks.ts";
import { Panel } from "../../ui/panel.tsx";
import { ChatLines } from "./chat-lines.tsx";

const SHOWN_MAX = 5;
const ASKED_MAX = 15;
const LOOK_AGAIN_MS = 5_000;

export function LatestAgents() {
  const { data = [] } = useEndpoint(
    listChats,
    { query: { limit: ASKED_MAX } },
    { everyMs: LOOK_AGAIN_MS },
  );
  const now = useNow(LOOK_AGAIN_MS);
  const chats = data.filter(({ inbox_section: section }) => section !== "needs_you");
  if (chats.length === 0) return null;
  return (
    <Panel
      actions={
        <Link className="text-accent underline underline-offset-2" to="/chats">
          All agents
        </Link>
      }
      title="Your latest agents"
    >
      <ChatLines chats={chats.slice(0, SHOWN_MAX)} now={now} />
    </Panel>
  );
}
