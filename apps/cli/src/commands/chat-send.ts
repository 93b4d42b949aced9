/** `atelier chat send`. */
import { ok } from "@atelier/base/result";
import { listChatMessages, sendChatMessage } from "@atelier/contract/http/chats";
import { CHAT_ARGUMENT, findChat } from "../chat/chat-lookup.ts";
import { MESSAGE_OPTIONS, messageSettings, WATCH_OPTIONS } from "../chat/chat-options.ts";
import { followTurn } from "../chat/follow-turn.ts";
import { messageInput, showUnsent } from "../chat/message-input.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, restArgument, shown, switchOption } from "../command.ts";

export const chatSend = defineCommand({
  name: "chat send",
  summary: "Send a message to a chat, and watch it work; a busy chat takes it up later",
  examples: [
    'atelier chat send last "Now add a test."',
    'atelier chat send 3f2a9c11 --interrupt "Stop, use the other branch."',
    "cat error.log | atelier chat send last --quiet",
  ],
  args: { chat: argument(CHAT_ARGUMENT), text: restArgument("the message") },
  options: {
    interrupt: switchOption("-i, --interrupt", "stop the work under way for it"),
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
    const params = { chat: chat.value.id };
    const latest = await api.value.call(listChatMessages, { params, query: { limit: 1 } });
    if (!latest.ok) return latest;
    const sent = await api.value.call(sendChatMessage, {
      params,
      body: {
        content: [{ type: "text", text: text.value }],
        ...settings.value,
        ...(options.interrupt ? { busy_behavior: "interrupt" } : {}),
        idempotency_key: cli.random.uuid(),
      },
    });
    if (!sent.ok) {
      showUnsent(cli, args.text, text.value);
      return sent;
    }
    const { queued, queued_message: waiting, warnings = [] } = sent.value;
    for (const warning of warnings) cli.note(`Warning: ${warning}`);
    if (options.detach) {
      const said = queued ? `Queued as #${waiting?.id ?? ""}.` : "Sent.";
      return ok(shown({ json: sent.value, text: () => said }));
    }
    if (queued && !options.quiet) cli.note("The chat is busy: the message waits in its queue.");
    return followTurn(cli, api.value, {
      chatId: chat.value.id,
      afterId: latest.value.messages[0]?.id ?? 0,
      sent: { text: text.value, queuedId: waiting?.id ?? null },
      isQuiet: options.quiet,
      isEndless: false,
    });
  },
});
