/** `atelier users delete`. */
import { ok } from "@atelier/base/result";
import { deleteUser } from "@atelier/contract/http/users";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";

export const usersDelete = defineCommand({
  name: "users delete",
  summary: "Delete a user; what they did stays on record",
  examples: ["atelier users delete bob", "atelier users delete bob -y"],
  args: { user: argument("a username or user id") },
  options: { yes: YES_OPTION },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const sure = await confirmed(cli, options.yes, `Delete user ${args.user}?`);
    if (!sure.ok) return sure;
    const deleted = await api.value.call(deleteUser, { params: args });
    if (!deleted.ok) return deleted;
    return ok(
      shown({ json: { deleted: args.user }, text: () => safe`Deleted user ${args.user}.` }),
    );
  },
});
