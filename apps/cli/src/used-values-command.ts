/** The commands that list which values the filters of AI use can have. */
import { ok } from "@atelier/base/result";
import type { listUsedModels } from "@atelier/contract/http/ai-usage";
import { signedIn } from "./cli.ts";
import {
  countOption,
  defineCommand,
  shown,
  textOption,
  type CommandDefinition,
} from "./command.ts";
import { terminalSafe } from "./output/terminal-safe.ts";

export function usedValuesCommand(about: {
  /** In the plural, as the command is called. */
  readonly noun: "models" | "clients";
  /** One of those for used values, which are of one type. */
  readonly endpoint: typeof listUsedModels;
  readonly examplePrefix: string;
}): CommandDefinition {
  const { noun, endpoint, examplePrefix } = about;
  const name = `ai ${noun}`;
  return defineCommand({
    name,
    summary: `List the ${noun} that the gateway has seen, for filters`,
    examples: [`atelier ${name}`, `atelier ${name} --prefix ${examplePrefix}`],
    args: {},
    options: {
      prefix: textOption("-q, --prefix <text>", "those that begin with this"),
      limit: countOption("-l, --limit <count>", "how many (default: 100)", 1_000),
    },
    run: async (cli, { options }) => {
      const api = await signedIn(cli);
      if (!api.ok) return api;
      const query = { q: options.prefix, limit: options.limit };
      const answer = await api.value.call(endpoint, { query });
      if (!answer.ok) return answer;
      const { results } = answer.value;
      return ok(
        shown({
          json: answer.value,
          text: () =>
            results.length === 0
              ? `No ${noun} seen yet.`
              : results.map((each) => terminalSafe(each)).join("\n"),
        }),
      );
    },
  });
}
