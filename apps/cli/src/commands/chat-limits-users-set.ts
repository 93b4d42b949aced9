/** `atelier chat-limits users set`. */
import { fail, ok } from "@atelier/base/result";
import { putChatUsageLimitOverride } from "@atelier/contract/http/chat-spending";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { dollars, microsOf } from "../output/prices.ts";
import { safe } from "../output/terminal-safe.ts";

export const chatLimitsUsersSet = defineCommand({
  name: "chat-limits users set",
  summary: "Give a person a limit of their own, in place of everybody's",
  examples: ["atelier chat-limits users set ann 200"],
  args: {
    user: argument("a username or user id"),
    dollars: argument("what they may spend in each period, such as 200"),
  },
  options: {},
  run: async (cli, { args }) => {
    const micros = microsOf(args.dollars);
    if (micros === null || micros === 0) {
      return fail(usageFailure("This is no amount.", "Write dollars above 0, such as 200."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const set = await api.value.call(putChatUsageLimitOverride, {
      params: { user: args.user },
      body: { spend_limit_micros: micros },
    });
    if (!set.ok) return set;
    const { user } = set.value;
    const text = (): string => safe`${user.username} may spend ${dollars(micros)}.`;
    return ok(shown({ json: set.value, text }));
  },
});
