/** `atelier chat queue list`. */
import { ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { queueOf } from "../chat/chat-operations.ts";
import { messageText } from "../chat/message-text.ts";
import { argument, defineCommand } from "../command.ts";
import { since, table } from "../output/people.ts";

export const chatQueueList = defineCommand({
  name: "chat queue list",
  summary: "List the messages that wait until the chat is free",
  examples: ["atelier chat queue list last"],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: {},
  run: (cli, { args }) =>
    withChat(cli, args.chat, async (api, { id }) => {
      const queue = await queueOf(api, id);
      if (!queue.ok) return queue;
      const columns = ["ID", "MESSAGE", "SENT"].map((title) => ({
        title,
        isWhole: title === "ID",
      }));
      const rows = queue.value.map((each) => [
        String(each.id),
        messageText(each.content),
        since(cli.look, each.created_at),
      ]);
      const text = rows.length === 0 ? "Nothing waits." : table(cli.look, columns, rows);
      return ok({ json: { queued_messages: queue.value }, text });
    }),
});
