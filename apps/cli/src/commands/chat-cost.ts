/** `atelier chat cost`. */
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { costText } from "../chat/chat-operations.ts";
import { argument, defineCommand } from "../command.ts";

export const chatCost = defineCommand({
  name: "chat cost",
  summary: "Show what a chat and its children cost so far",
  examples: ["atelier chat cost last"],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: {},
  run: (cli, { args }) => withChat(cli, args.chat, (api, { id }) => costText(api, id)),
});
