/** `atelier chat archive`. */
import { simpleChatCommand } from "../chat/chat-command.ts";
import { changeChat } from "../chat/chat-operations.ts";

export const chatArchive = simpleChatCommand({
  name: "chat archive",
  summary: "Put a chat into the archive; its work stops",
  example: "atelier chat archive 3f2a9c11",
  done: "It is in the archive.",
  run: (api, { id }) => changeChat(api, id, { archived: true }),
});
