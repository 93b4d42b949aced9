/** `atelier chat clear`. */
import { simpleChatCommand } from "../chat/chat-command.ts";
import { actOnChat } from "../chat/chat-operations.ts";

export const chatClear = simpleChatCommand({
  name: "chat clear",
  summary: "Go on with an empty context; the history stays visible",
  example: "atelier chat clear last",
  done: "The context is empty.",
  run: (api, { id }) => actOnChat(api, id, "clear"),
});
