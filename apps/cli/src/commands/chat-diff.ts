/** `atelier chat diff`. */
import { ok } from "@atelier/base/result";
import { getChatDiff } from "@atelier/contract/http/chat-diff";
import { diffStat, paintedDiff } from "../chat/chat-diff-text.ts";
import { CHAT_ARGUMENT, findChat } from "../chat/chat-lookup.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, switchOption } from "../command.ts";

export const chatDiff = defineCommand({
  name: "chat diff",
  summary: "Show what a chat changed in its workspace",
  details:
    "A unified diff of what the chat and its children changed in the repositories of its workspace: committed, in the work tree, and new files. It is read on the workspace's machine now.",
  examples: [
    "atelier chat diff last",
    "atelier chat diff 3f2a9c11 --stat",
    "atelier chat diff last --json | jq -r .diff | git apply --check",
  ],
  args: { chat: argument(CHAT_ARGUMENT) },
  options: { stat: switchOption("--stat", "which files, and how many lines of each") },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const chat = await findChat(api.value, args.chat);
    if (!chat.ok) return chat;
    const read = await api.value.call(getChatDiff, {
      params: { chat: chat.value.id },
      query: {},
    });
    if (!read.ok) return read;
    const { diff, repositories, is_cut: isCut } = read.value;
    const isNone = repositories.every(({ changed_files: files }) => files === 0);
    return ok(
      shown({
        json: read.value,
        text: () =>
          options.stat ? diffStat(cli.look, repositories, { isCut }) : paintedDiff(cli.look, diff),
        note: noteOf({ isNone, isCut, hasRepositories: repositories.length > 0 }),
      }),
    );
  },
});

function noteOf(about: {
  readonly isNone: boolean;
  readonly isCut: boolean;
  readonly hasRepositories: boolean;
}): string | null {
  if (!about.hasRepositories) return "There is no git repository in the workspace's directory.";
  if (about.isNone) return "Nothing changed.";
  return about.isCut ? "There is more than is shown: it is cut." : null;
}
