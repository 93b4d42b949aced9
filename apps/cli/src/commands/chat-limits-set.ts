/** `atelier chat-limits set`. */
import { fail, ok } from "@atelier/base/result";
import {
  getChatUsageLimits,
  putChatUsageLimits,
  SPENDING_PERIODS,
} from "@atelier/contract/http/chat-spending";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, optionalArgument, shown, switchOption } from "../command.ts";
import { microsOf } from "../output/prices.ts";
import { limitsText } from "../output/spending.ts";

export const chatLimitsSet = defineCommand({
  name: "chat-limits set",
  summary: "Limit what everybody may spend on agents, or stop limiting it",
  details:
    "What is not given stays. With 0 only people with a limit of their own send anything. It is asked when " +
    "a message is sent: a turn under way ends, and may cost more.",
  examples: [
    "atelier chat-limits set 50",
    "atelier chat-limits set 5 --period day",
    "atelier chat-limits set --off",
  ],
  args: { dollars: optionalArgument("what everybody may spend, such as 50 or 2.5") },
  options: {
    period: choiceOption(
      "--period <period>",
      "after which it begins anew, in UTC",
      SPENDING_PERIODS,
    ),
    off: switchOption("--off", "limit nobody"),
  },
  run: async (cli, { args, options }) => {
    const given = args.dollars === undefined ? undefined : microsOf(args.dollars);
    if (given === null)
      return fail(usageFailure("This is no amount.", "Write dollars, such as 50."));
    if (options.off && given !== undefined) {
      return fail(usageFailure("Give an amount, or --off, and not both."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const before = await api.value.call(getChatUsageLimits, {});
    if (!before.ok) return before;
    const { default_limit_micros: old, period, enabled } = before.value;
    if (!options.off && !enabled && given === undefined && old === 0) {
      return fail(usageFailure("There is no limit yet.", "Give one: atelier chat-limits set 50"));
    }
    const limits = await api.value.call(putChatUsageLimits, {
      body: {
        enabled: !options.off,
        default_limit_micros: given ?? old,
        period: options.period ?? period,
      },
    });
    if (!limits.ok) return limits;
    const text = (): string => limitsText(cli.look, limits.value, null);
    return ok(shown({ json: limits.value, text }));
  },
});
