/** `atelier chat edit`. */
import { ok } from "@atelier/base/result";
import { CHAT_ARGUMENT, findChat } from "../chat/chat-lookup.ts";
import { editMessage } from "../chat/chat-operations.ts";
import { MESSAGE_OPTIONS, messageSettings, WATCH_OPTIONS } from "../chat/chat-options.ts";
import { followTurn } from "../chat/follow-turn.ts";
import { messageInput, showUnsent } from "../chat/message-input.ts";
import { signedIn } from "../cli.ts";
import { argument, countOption, defineCommand, restArgument, shown } from "../command.ts";

export const chatEdit = defineCommand({
  name: "chat edit",
  summary: "Replace a message of yours; what came after it is gone, and the agent answers anew",
  examples: [
    'atelier chat edit last "I meant the other file."',
    'atelier chat edit last --message 412 "Another question."',
  ],
  args: { chat: argument(CHAT_ARGUMENT), text: restArgument("the message in its place") },
  options: {
    message: countOption(
      "--message <id>",
      "which one, as `chat show --json` names it; default: your last",
      999_999_999,
    ),
    ...MESSAGE_OPTIONS,
    ...WATCH_OPTIONS,
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const chat = await findChat(api.value, args.chat);
    if (!chat.ok) return chat;
    const settings = await messageSettings(api.value, options);
    if (!settings.ok) return settings;
    const text = await messageInput(cli, args.text);
    if (!text.ok) return text;
    const edit = { message: options.message, text: text.value, ...settings.value };
    const edited = await editMessage(api.value, chat.value.id, edit);
    if (!edited.ok) {
      showUnsent(cli, args.text, text.value);
      return edited;
    }
    if (options.detach) return ok(shown({ json: edited.value, text: () => "Replaced." }));
    return followTurn(cli, api.value, {
      chatId: chat.value.id,
      afterId: edited.value.id,
      sent: { text: text.value, queuedId: null },
      isQuiet: options.quiet,
      isEndless: false,
    });
  },
});
