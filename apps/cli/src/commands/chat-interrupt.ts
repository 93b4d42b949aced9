/** `atelier chat interrupt`. */
import { simpleChatCommand } from "../chat/chat-command.ts";
import { stopChat } from "../chat/chat-operations.ts";

export const chatInterrupt = simpleChatCommand({
  name: "chat interrupt",
  summary: "Stop the work; what was written so far stays",
  example: "atelier chat interrupt last",
  done: "It stops.",
  run: (api, { id, turn_message_id: turn }) => stopChat(api, id, turn),
});
