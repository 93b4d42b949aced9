/** `atelier tokens remove`. */
import { deleteApiToken } from "@atelier/contract/http/sign-in";
import { argument, defineCommand, textOption } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";

export const tokensRemove = defineCommand({
  name: "tokens remove",
  summary: "Revoke an API token: it is refused at once",
  examples: ["atelier tokens remove laptop", "atelier tokens remove laptop --user bob -y"],
  args: { token: argument("its name or id") },
  options: {
    user: textOption("--user <user>", "of this user; default: yourself"),
    yes: YES_OPTION,
  },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `Revoke API token ${args.token}?`,
      remove: (api) => {
        const params = { user: options.user ?? "me", key: args.token };
        return api.call(deleteApiToken, { params });
      },
      json: { deleted: args.token },
      text: safe`Revoked API token ${args.token}.`,
    }),
});
