/** `atelier chat rename`. */
import { fail, ok } from "@atelier/base/result";
import { withChat } from "../chat/chat-command.ts";
import { CHAT_ARGUMENT } from "../chat/chat-lookup.ts";
import { changeChat } from "../chat/chat-operations.ts";
import { usageFailure } from "../cli-failure.ts";
import { argument, defineCommand, restArgument } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const chatRename = defineCommand({
  name: "chat rename",
  summary: "Give a chat another title",
  examples: ["atelier chat rename last The slow build"],
  args: { chat: argument(CHAT_ARGUMENT), title: restArgument("the title") },
  options: {},
  run: async (cli, { args }) => {
    const title = args.title.join(" ").trim();
    if (title === "") return fail(usageFailure("There is no title."));
    return withChat(cli, args.chat, async (api, { id }) => {
      const done = await changeChat(api, id, { title });
      return done.ok ? ok({ json: { chat: id, title }, text: safe`It is called ${title}.` }) : done;
    });
  },
});
