/** With whose key the calls of the running turn are made (spec agents 8.5). */
import { isVisible, type HistoryMessage } from "./history-message.ts";

/**
 * Of the newest message that a person sent. Null where that one has none: older messages belong to
 * other requests, so their keys say nothing of this turn. Rows that only the model sees are no requests.
 */
export function activeApiKeyId(
  messages: readonly (Pick<HistoryMessage, "role" | "visibility"> & {
    readonly apiKeyId: string | null;
  })[],
): string | null {
  const newest = messages.findLast((message) => message.role === "user" && isVisible(message));
  return newest?.apiKeyId ?? null;
}
