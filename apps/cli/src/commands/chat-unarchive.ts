/** `atelier chat unarchive`. */
import { simpleChatCommand } from "../chat/chat-command.ts";
import { changeChat } from "../chat/chat-operations.ts";

export const chatUnarchive = simpleChatCommand({
  name: "chat unarchive",
  summary: "Take a chat out of the archive",
  example: "atelier chat unarchive 3f2a9c11",
  done: "It is out of the archive.",
  run: (api, { id }) => changeChat(api, id, { archived: false }),
});
