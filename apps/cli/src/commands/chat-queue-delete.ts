/** `atelier chat queue delete`. */
import { ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { deleteQueued } from "../chat/chat-operations.ts";
import { parseQueued, QUEUED_ARGUMENT } from "../chat/queued-argument.ts";
import { argument, defineCommand } from "../command.ts";

export const chatQueueDelete = defineCommand({
  name: "chat queue delete",
  summary: "Take a message out of the queue",
  examples: ["atelier chat queue delete last 17"],
  args: { chat: argument(CHAT_ARGUMENT), id: QUEUED_ARGUMENT },
  options: {},
  run: async (cli, { args }) => {
    const queued = parseQueued(args.id);
    if (!queued.ok) return queued;
    return withChat(cli, args.chat, async (api, { id }) => {
      const done = await deleteQueued(api, id, queued.value);
      return done.ok ? ok({ json: { deleted: queued.value }, text: "Deleted." }) : done;
    });
  },
});
