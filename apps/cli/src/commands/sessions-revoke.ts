/** `atelier sessions revoke`. */
import { ok } from "@atelier/base/result";
import { revokeSession } from "@atelier/contract/http/sign-in";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, textOption } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";

export const sessionsRevoke = defineCommand({
  name: "sessions revoke",
  summary: "End one session: it is refused at once",
  examples: ["atelier sessions revoke aB3dE6gH9k -y"],
  args: { session: argument("its id, from `atelier sessions list`") },
  options: {
    user: textOption("--user <user>", "of this user; default: yourself"),
    yes: YES_OPTION,
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const sure = await confirmed(cli, options.yes, `End session ${args.session}?`);
    if (!sure.ok) return sure;
    const params = { user: options.user ?? "me", session: args.session };
    const ended = await api.value.call(revokeSession, { params });
    if (!ended.ok) return ended;
    return ok(
      shown({ json: { revoked: args.session }, text: () => safe`Ended session ${args.session}.` }),
    );
  },
});
