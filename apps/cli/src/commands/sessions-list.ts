/** `atelier sessions list`. */
import { ok } from "@atelier/base/result";
import { LIMIT_MAX } from "@atelier/contract/http/common";
import { listSessions } from "@atelier/contract/http/sign-in";
import { signedIn } from "../cli.ts";
import { defineCommand, textOption } from "../command.ts";
import { orDash, since } from "../output/people.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";

export const sessionsList = defineCommand({
  name: "sessions list",
  summary: "List where you are signed in, latest first",
  examples: ["atelier sessions list", "atelier sessions list --user bob"],
  args: {},
  options: {
    user: textOption("--user <user>", "of this user; default: yourself"),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const params = { user: options.user ?? "me" };
    return pagedTable(cli.look, options, {
      name: "sessions",
      empty: "No sessions.",
      pageMax: LIMIT_MAX,
      load: async ({ limit, after }) => {
        const query = { limit, after_id: after };
        const answer = await api.value.call(listSessions, { params, query });
        return answer.ok ? ok({ items: answer.value.sessions, count: answer.value.count }) : answer;
      },
      columns: [
        { title: "ID", isWhole: true },
        { title: "LAST USED" },
        { title: "EXPIRES" },
        { title: "ADDRESS" },
        { title: "PROGRAM" },
        { title: "" },
      ],
      row: (session) => [
        session.id,
        since(cli.look, session.last_used_at),
        since(cli.look, session.expires_at),
        orDash(session.ip_address),
        orDash(session.user_agent),
        session.current ? "this one" : "",
      ],
    });
  },
});
