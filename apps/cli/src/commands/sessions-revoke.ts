/** `atelier sessions revoke`. */
import { revokeSession } from "@atelier/contract/http/sign-in";
import { argument, defineCommand, textOption } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";

export const sessionsRevoke = defineCommand({
  name: "sessions revoke",
  summary: "End one session: it is refused at once",
  examples: ["atelier sessions revoke aB3dE6gH9k -y"],
  args: { session: argument("its id, from `atelier sessions list`") },
  options: {
    user: textOption("--user <user>", "of this user; default: yourself"),
    yes: YES_OPTION,
  },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `End session ${args.session}?`,
      remove: (api) => {
        const params = { user: options.user ?? "me", session: args.session };
        return api.call(revokeSession, { params });
      },
      json: { revoked: args.session },
      text: safe`Ended session ${args.session}.`,
    }),
});
