/** `atelier ai clients`: the values that filters can have. */
import { ok } from "@atelier/base/result";
import { listUsedClients } from "@atelier/contract/http/ai-usage";
import { signedIn } from "../cli.ts";
import { countOption, defineCommand, shown, textOption } from "../command.ts";
import { terminalSafe } from "../output/terminal-safe.ts";

export const aiClients = defineCommand({
  name: "ai clients",
  summary: "List the clients that the gateway has seen, for filters",
  examples: ["atelier ai clients", "atelier ai clients --prefix Claude"],
  args: {},
  options: {
    prefix: textOption("-q, --prefix <text>", "those that begin with this"),
    limit: countOption("-l, --limit <count>", "how many (default: 100)", 1_000),
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const query = { q: options.prefix, limit: options.limit };
    const answer = await api.value.call(listUsedClients, { query });
    if (!answer.ok) return answer;
    const { results } = answer.value;
    return ok(
      shown({
        json: answer.value,
        text: () =>
          results.length === 0
            ? "No clients seen yet."
            : results.map((each) => terminalSafe(each)).join("\n"),
      }),
    );
  },
});
