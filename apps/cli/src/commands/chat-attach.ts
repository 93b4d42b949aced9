/** `atelier chat attach`. */
import { CHAT_ARGUMENT, findChat } from "../chat/chat-lookup.ts";
import { runSession } from "../chat/chat-session.ts";
import { followTurn, screenOf } from "../chat/follow-turn.ts";
import { latestMessages, printedMessages } from "../chat/transcript.ts";
import { signedIn } from "../cli.ts";
import { argument, countOption, defineCommand, switchOption } from "../command.ts";

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 10_000;

export const chatAttach = defineCommand({
  name: "chat attach",
  summary: "Watch a chat and talk to it; without a terminal, until its turn is over",
  details:
    "On a terminal what you type is sent when you press Enter, and waits while the agent works. /help shows what\nelse there is. Ctrl-C leaves: the chat works on.",
  examples: ["atelier chat attach last", "atelier chat attach 3f2a9c11 --follow --json"],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: {
    follow: switchOption("-f, --follow", "only watch, also when the turn is over"),
    limit: countOption(
      "-l, --limit <count>",
      `earlier messages that are shown (default: ${LIMIT_DEFAULT})`,
      LIMIT_MAX,
    ),
    quiet: switchOption("-q, --quiet", "print only the final answer"),
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findChat(api.value, args.chat);
    if (!found.ok) return found;
    const chat = found.value;
    const isShown = !options.quiet && !cli.flags.isJson;
    let afterId = 0;
    if (isShown) {
      const limit = options.limit ?? LIMIT_DEFAULT;
      const latest = await latestMessages(api.value, chat.id, limit);
      if (!latest.ok) return latest;
      const { messages } = latest.value;
      const screen = screenOf(cli);
      screen.print(printedMessages(cli.look, messages));
      screen.close();
      afterId = messages.at(-1)?.id ?? 0;
    }
    const canType = cli.prompts !== null && cli.streams.isOutputTerminal;
    if (canType && isShown && !options.follow) return runSession(cli, api.value, { chat, afterId });
    return followTurn(cli, api.value, {
      chatId: chat.id,
      afterId,
      sent: null,
      isQuiet: options.quiet,
      isEndless: options.follow,
    });
  },
});
