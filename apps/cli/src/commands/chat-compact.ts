/** `atelier chat compact`. */
import { simpleChatCommand } from "../chat/chat-command.ts";
import { actOnChat } from "../chat/chat-operations.ts";

export const chatCompact = simpleChatCommand({
  name: "chat compact",
  summary: "Summarise the history so far, to free context",
  example: "atelier chat compact last",
  done: "The history is being summed up.",
  run: (api, { id }) => actOnChat(api, id, "compact"),
});
