/** `atelier chat queue move`. */
import { fail, ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { changeQueued } from "../chat/chat-operations.ts";
import { parseQueued, QUEUED_ARGUMENT } from "../chat/queued-argument.ts";
import { usageFailure } from "../cli-failure.ts";
import { argument, defineCommand } from "../command.ts";

export const chatQueueMove = defineCommand({
  name: "chat queue move",
  summary: "Move a message within the queue",
  examples: ["atelier chat queue move last 17 1"],
  args: {
    chat: argument(CHAT_ARGUMENT),
    id: QUEUED_ARGUMENT,
    place: argument("its new place; 1 is the first"),
  },
  options: {},
  run: async (cli, { args }) => {
    const queued = parseQueued(args.id);
    if (!queued.ok) return queued;
    const place = /^\d{1,6}$/.test(args.place) ? Number(args.place) : 0;
    if (place === 0) return fail(usageFailure("The place is a whole number from 1 on."));
    return withChat(cli, args.chat, async (api, { id: chat }) => {
      const at = { chat, queued: queued.value };
      const done = await changeQueued(api, at, { index: place - 1 });
      return done.ok ? ok({ json: done.value, text: "Moved." }) : done;
    });
  },
});
