/** `atelier chat-limits show`. */
import { ok } from "@atelier/base/result";
import {
  getChatUsageLimits,
  listChatUsageLimitOverrides,
  type ChatUsageLimitOverride,
} from "@atelier/contract/http/chat-spending";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { limitsText } from "../output/spending.ts";
import { collectPages } from "../paging.ts";

export const chatLimitsShow = defineCommand({
  name: "chat-limits show",
  summary: "Show what people may spend on agents, and who has a limit of their own",
  examples: ["atelier chat-limits show"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const limits = await api.value.call(getChatUsageLimits, {});
    if (!limits.ok) return limits;
    const every = { limit: undefined, all: true, after: undefined };
    const own = await collectPages<ChatUsageLimitOverride>(every, {
      pageMax: 1_000,
      idOf: ({ user }) => user.id,
      load: async ({ limit, after: after_id }) => {
        const query = { limit, after_id };
        const page = await api.value.call(listChatUsageLimitOverrides, { query });
        return page.ok ? ok({ items: page.value.overrides, count: page.value.count }) : page;
      },
    });
    if (!own.ok) return own;
    const overrides = own.value.items.toSorted((a, b) =>
      a.user.username < b.user.username ? -1 : 1,
    );
    const text = (): string => limitsText(cli.look, limits.value, overrides);
    return ok(shown({ json: { ...limits.value, overrides }, text }));
  },
});
