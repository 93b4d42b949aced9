/** `atelier tokens remove`. */
import { ok } from "@atelier/base/result";
import { deleteApiToken } from "@atelier/contract/http/sign-in";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, textOption } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";

export const tokensRemove = defineCommand({
  name: "tokens remove",
  summary: "Revoke an API token: it is refused at once",
  examples: ["atelier tokens remove laptop", "atelier tokens remove laptop --user bob -y"],
  args: { token: argument("its name or id") },
  options: {
    user: textOption("--user <user>", "of this user; default: yourself"),
    yes: YES_OPTION,
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const sure = await confirmed(cli, options.yes, `Revoke API token ${args.token}?`);
    if (!sure.ok) return sure;
    const params = { user: options.user ?? "me", key: args.token };
    const deleted = await api.value.call(deleteApiToken, { params });
    if (!deleted.ok) return deleted;
    return ok(
      shown({ json: { deleted: args.token }, text: () => safe`Revoked API token ${args.token}.` }),
    );
  },
});
