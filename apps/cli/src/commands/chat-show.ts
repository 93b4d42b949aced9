/** `atelier chat show`. */
import { ok } from "@atelier/base/result";
import { chatFields, chatNames } from "../chat/chat-fields.ts";
import { CHAT_ARGUMENT, findChat } from "../chat/chat-lookup.ts";
import { latestMessages, transcriptText } from "../chat/transcript.ts";
import { signedIn } from "../cli.ts";
import { argument, countOption, defineCommand, shown } from "../command.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100_000;

export const chatShow = defineCommand({
  name: "chat show",
  summary: "Show a chat and what was said in it",
  examples: ["atelier chat show last", "atelier chat show 3f2a9c11 --limit 1000 --json"],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: {
    limit: countOption(
      "-l, --limit <count>",
      `how many messages, the latest (default: ${LIMIT_DEFAULT})`,
      LIMIT_MAX,
    ),
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findChat(api.value, args.chat);
    if (!found.ok) return found;
    const chat = found.value;
    const limit = options.limit ?? LIMIT_DEFAULT;
    const latest = await latestMessages(api.value, chat.id, limit);
    if (!latest.ok) return latest;
    const { messages, hasMore } = latest.value;
    const names = await chatNames(api.value, [chat]);
    return ok(
      shown({
        json: { chat, messages, has_more: hasMore },
        text: () =>
          `${chatFields(cli.look, chat, names)}\n${transcriptText(cli.look, messages)}`.trimEnd(),
        note: hasMore ? "There are earlier messages: --limit <count>." : null,
      }),
    );
  },
});
