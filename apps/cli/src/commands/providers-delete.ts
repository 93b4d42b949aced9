/** `atelier providers delete`. */
import { ok } from "@atelier/base/result";
import { deleteModelProvider } from "@atelier/contract/http/ai-providers";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";

export const providersDelete = defineCommand({
  name: "providers delete",
  summary: "Delete a model provider and its keys; its records stay readable",
  examples: ["atelier providers delete local -y"],
  args: { provider: argument("its name or id") },
  options: { yes: YES_OPTION },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const question = `Delete model provider ${args.provider} and its keys?`;
    const sure = await confirmed(cli, options.yes, question);
    if (!sure.ok) return sure;
    const deleted = await api.value.call(deleteModelProvider, { params: args });
    if (!deleted.ok) return deleted;
    return ok(
      shown({
        json: { deleted: args.provider },
        text: () => safe`Deleted model provider ${args.provider}.`,
      }),
    );
  },
});
