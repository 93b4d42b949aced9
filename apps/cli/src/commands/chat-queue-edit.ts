/** `atelier chat queue edit`. */
import { ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { changeQueued } from "../chat/chat-operations.ts";
import { messageInput } from "../chat/message-input.ts";
import { parseQueued, QUEUED_ARGUMENT } from "../chat/queued-argument.ts";
import { argument, defineCommand, restArgument } from "../command.ts";

export const chatQueueEdit = defineCommand({
  name: "chat queue edit",
  summary: "Change the text of a queued message",
  examples: ['atelier chat queue edit last 17 "Add tests, too."'],
  args: {
    chat: argument(CHAT_ARGUMENT),
    id: QUEUED_ARGUMENT,
    text: restArgument("the text in its place"),
  },
  options: {},
  run: async (cli, { args }) => {
    const queued = parseQueued(args.id);
    if (!queued.ok) return queued;
    const text = await messageInput(cli, args.text);
    if (!text.ok) return text;
    return withChat(cli, args.chat, async (api, { id: chat }) => {
      const place = { chat, queued: queued.value };
      const done = await changeQueued(api, place, { text: text.value });
      return done.ok ? ok({ json: done.value, text: "Changed." }) : done;
    });
  },
});
