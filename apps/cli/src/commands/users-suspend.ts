/** `atelier users suspend`. */
import { ok } from "@atelier/base/result";
import { suspendUser } from "@atelier/contract/http/users";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";

export const usersSuspend = defineCommand({
  name: "users suspend",
  summary: "Suspend a user: their sessions and tokens are refused at once",
  examples: ["atelier users suspend bob"],
  args: { user: argument("a username or user id") },
  options: { yes: YES_OPTION },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const sure = await confirmed(cli, options.yes, `Suspend user ${args.user}?`);
    if (!sure.ok) return sure;
    const user = await api.value.call(suspendUser, { params: args });
    if (!user.ok) return user;
    return ok(
      shown({ json: user.value, text: () => safe`Suspended user ${user.value.username}.` }),
    );
  },
});
