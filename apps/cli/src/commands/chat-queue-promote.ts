/** `atelier chat queue promote`. */
import { ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { promoteQueued } from "../chat/chat-operations.ts";
import { parseQueued, QUEUED_ARGUMENT } from "../chat/queued-argument.ts";
import { argument, defineCommand } from "../command.ts";

export const chatQueuePromote = defineCommand({
  name: "chat queue promote",
  summary: "Let a queued message be the next; work under way is interrupted",
  examples: ["atelier chat queue promote last 17"],
  args: { chat: argument(CHAT_ARGUMENT), id: QUEUED_ARGUMENT },
  options: {},
  run: async (cli, { args }) => {
    const queued = parseQueued(args.id);
    if (!queued.ok) return queued;
    return withChat(cli, args.chat, async (api, { id }) => {
      const done = await promoteQueued(api, id, queued.value);
      return done.ok ? ok({ json: done.value, text: "It is the next." }) : done;
    });
  },
});
