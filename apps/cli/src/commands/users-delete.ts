/** `atelier users delete`. */
import { deleteUser } from "@atelier/contract/http/users";
import { argument, defineCommand } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";

export const usersDelete = defineCommand({
  name: "users delete",
  summary: "Delete a user; what they did stays on record",
  examples: ["atelier users delete bob", "atelier users delete bob -y"],
  args: { user: argument("a username or user id") },
  options: { yes: YES_OPTION },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `Delete user ${args.user}?`,
      remove: (api) => api.call(deleteUser, { params: args }),
      json: { deleted: args.user },
      text: safe`Deleted user ${args.user}.`,
    }),
});
