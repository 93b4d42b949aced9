/** Says that most of what one's agents may cost is spent, before a message is written for nothing. */
import { getChatUsageLimitStatus } from "@atelier/contract/http/chat-spending";
import { Link } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { noticeText } from "./spending-words.ts";

/** Nothing, as long as there is enough. */
export function SpendingNotice() {
  const { data } = useEndpoint(getChatUsageLimitStatus, {});
  const text = data === undefined ? "" : noticeText(data);
  if (text === "") return null;
  return (
    <p className="mb-4 rounded-md border border-line bg-warn-soft p-3" role="status">
      {text}{" "}
      <Link className="text-accent underline" to="/settings/agents">
        What was spent
      </Link>
    </p>
  );
}
