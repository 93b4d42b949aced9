/** `atelier ai models`: the values that filters can have. */
import { ok } from "@atelier/base/result";
import { listUsedModels } from "@atelier/contract/http/ai-usage";
import { signedIn } from "../cli.ts";
import { countOption, defineCommand, shown, textOption } from "../command.ts";
import { terminalSafe } from "../output/terminal-safe.ts";

export const aiModels = defineCommand({
  name: "ai models",
  summary: "List the models that the gateway has seen, for filters",
  examples: ["atelier ai models", "atelier ai models --prefix claude"],
  args: {},
  options: {
    prefix: textOption("-q, --prefix <text>", "those that begin with this"),
    limit: countOption("-l, --limit <count>", "how many (default: 100)", 1_000),
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const query = { q: options.prefix, limit: options.limit };
    const answer = await api.value.call(listUsedModels, { query });
    if (!answer.ok) return answer;
    const { results } = answer.value;
    return ok(
      shown({
        json: answer.value,
        text: () =>
          results.length === 0
            ? "No models seen yet."
            : results.map((each) => terminalSafe(each)).join("\n"),
      }),
    );
  },
});
