/** `atelier tokens list`. */
import { ok } from "@atelier/base/result";
import { LIMIT_MAX } from "@atelier/contract/http/common";
import { listApiTokens } from "@atelier/contract/http/sign-in";
import { signedIn } from "../cli.ts";
import { defineCommand, switchOption, textOption } from "../command.ts";
import { orDash, since } from "../output/people.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";

export const tokensList = defineCommand({
  name: "tokens list",
  summary: "List API tokens, latest first",
  examples: ["atelier tokens list", "atelier tokens list --user bob --include-expired"],
  args: {},
  options: {
    user: textOption("--user <user>", "of this user; default: yourself"),
    includeExpired: switchOption("--include-expired", "also those that have expired"),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { user = "me", includeExpired } = options;
    return pagedTable(cli.look, options, {
      name: "tokens",
      empty: "No API tokens. Make one with `atelier tokens create`.",
      pageMax: LIMIT_MAX,
      load: async ({ limit, after }) => {
        const query = { limit, after_id: after, include_expired: includeExpired };
        const answer = await api.value.call(listApiTokens, { params: { user }, query });
        return answer.ok ? ok({ items: answer.value.tokens, count: answer.value.count }) : answer;
      },
      columns: [
        { title: "NAME" },
        { title: "ID", isWhole: true },
        { title: "SCOPES" },
        { title: "LAST USED" },
        { title: "EXPIRES" },
      ],
      row: (token) => [
        orDash(token.token_name),
        token.id,
        token.scopes.join(", "),
        since(cli.look, token.last_used_at),
        since(cli.look, token.expires_at),
      ],
    });
  },
});
