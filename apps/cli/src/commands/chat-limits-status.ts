/** `atelier chat-limits status`. */
import { ok } from "@atelier/base/result";
import { getChatUsageLimitStatus } from "@atelier/contract/http/chat-spending";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { statusText } from "../output/spending.ts";

export const chatLimitsStatus = defineCommand({
  name: "chat-limits status",
  summary: "Show what you spent on agents in this period, and may",
  examples: ["atelier chat-limits status"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const status = await api.value.call(getChatUsageLimitStatus, {});
    if (!status.ok) return status;
    return ok(shown({ json: status.value, text: () => statusText(cli.look, status.value) }));
  },
});
