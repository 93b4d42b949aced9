/** `atelier providers delete`. */
import { deleteModelProvider } from "@atelier/contract/http/ai-providers";
import { argument, defineCommand } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";

export const providersDelete = defineCommand({
  name: "providers delete",
  summary: "Delete a model provider and its keys; its records stay readable",
  examples: ["atelier providers delete local -y"],
  args: { provider: argument("its name or id") },
  options: { yes: YES_OPTION },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `Delete model provider ${args.provider} and its keys?`,
      remove: (api) => api.call(deleteModelProvider, { params: args }),
      json: { deleted: args.provider },
      text: safe`Deleted model provider ${args.provider}.`,
    }),
});
