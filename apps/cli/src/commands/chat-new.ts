/** `atelier chat new`. */
import { ok } from "@atelier/base/result";
import { createChat, updateChat } from "@atelier/contract/http/chats";
import { runSession } from "../chat/chat-session.ts";
import { chatFields, chatNames } from "../chat/chat-fields.ts";
import {
  LABEL_OPTION,
  labelsOf,
  MESSAGE_OPTIONS,
  messageSettings,
  WATCH_OPTIONS,
} from "../chat/chat-options.ts";
import { followTurn } from "../chat/follow-turn.ts";
import { messageInput, showUnsent } from "../chat/message-input.ts";
import { signedIn } from "../cli.ts";
import { defineCommand, restArgument, shown, switchOption, textOption } from "../command.ts";
import { findWorkspace, WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const chatNew = defineCommand({
  name: "chat new",
  summary: "Begin a chat with an agent, and watch it work",
  details:
    "The text comes from the words, from stdin, or is asked for; then you stay in the chat. Ctrl-C leaves: the\nchat works on. In a pipe the answer goes to stdout, and what the agent does to stderr.",
  examples: [
    'atelier chat new --workspace dev "Why does the build fail?"',
    "git diff | atelier chat new --quiet",
    'atelier chat new --model claude-opus-4-6 --effort high --plan --detach "Plan the migration."',
  ],
  args: { text: restArgument("the message") },
  options: {
    workspace: textOption("-w, --workspace <workspace>", WORKSPACE_ARGUMENT),
    ...MESSAGE_OPTIONS,
    plan: switchOption("--plan", "only plan; change nothing"),
    label: LABEL_OPTION,
    title: textOption("--title <title>", "default: made from the message"),
    ...WATCH_OPTIONS,
  },
  run: async (cli, { args, options }) => {
    const labels = labelsOf(options.label);
    if (!labels.ok) return labels;
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const settings = await messageSettings(api.value, options);
    if (!settings.ok) return settings;
    const workspace =
      options.workspace === undefined
        ? ok(null)
        : await findWorkspace(api.value, options.workspace);
    if (!workspace.ok) return workspace;
    const text = await messageInput(cli, args.text);
    if (!text.ok) return text;
    const created = await api.value.call(createChat, {
      body: {
        content: [{ type: "text", text: text.value }],
        ...settings.value,
        ...(workspace.value === null ? {} : { workspace_id: workspace.value.id }),
        ...(options.label.length === 0 ? {} : { labels: labels.value }),
        ...(options.plan ? { plan_mode: "plan" } : {}),
        idempotency_key: cli.random.uuid(),
      },
    });
    if (!created.ok) {
      showUnsent(cli, args.text, text.value);
      return created;
    }
    const chat = { ...created.value, title: options.title ?? created.value.title };
    if (options.title !== undefined) {
      const params = { chat: chat.id };
      const named = await api.value.call(updateChat, { params, body: { title: options.title } });
      if (!named.ok) return named;
    }
    for (const warning of chat.warnings ?? []) cli.note(`Warning: ${warning}`);
    if (options.detach) {
      if (options.quiet) return ok(shown({ json: chat, text: () => chat.id }));
      const names = await chatNames(api.value, [chat]);
      const note = `Watch it: atelier chat attach ${chat.id}`;
      return ok(shown({ json: chat, text: () => chatFields(cli.look, chat, names), note }));
    }
    if (args.text.length === 0 && cli.prompts !== null && !options.quiet) {
      return runSession(cli, api.value, { chat, afterId: 0 });
    }
    if (!options.quiet) cli.note(`Chat ${chat.id}`);
    return followTurn(cli, api.value, {
      chatId: chat.id,
      afterId: 0,
      sent: { text: text.value, queuedId: null },
      isQuiet: options.quiet,
      isEndless: false,
    });
  },
});
