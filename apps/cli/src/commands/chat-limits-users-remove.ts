/** `atelier chat-limits users remove`. */
import { ok } from "@atelier/base/result";
import { deleteChatUsageLimitOverride } from "@atelier/contract/http/chat-spending";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const chatLimitsUsersRemove = defineCommand({
  name: "chat-limits users remove",
  summary: "Take a person's own limit away: everybody's counts again",
  examples: ["atelier chat-limits users remove ann"],
  args: { user: argument("a username or user id") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const removed = await api.value.call(deleteChatUsageLimitOverride, { params: args });
    if (!removed.ok) return removed;
    const text = (): string => safe`For ${args.user} everybody's limit counts.`;
    return ok(shown({ json: { removed: args.user }, text }));
  },
});
