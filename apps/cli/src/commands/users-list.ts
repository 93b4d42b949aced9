/** `atelier users list`. */
import { ok } from "@atelier/base/result";
import { LIMIT_MAX } from "@atelier/contract/http/common";
import { listUsers, UserStatus } from "@atelier/contract/http/users";
import { ROLES } from "@atelier/contract/permissions";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, textOption } from "../command.ts";
import { orDash, since } from "../output/people.ts";
import { rolesText, statusCell } from "../output/user-fields.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";

export const usersList = defineCommand({
  name: "users list",
  summary: "List users by username",
  examples: ["atelier users list", "atelier users list --status suspended --json"],
  args: {},
  options: {
    search: textOption("-q, --search <text>", "a part of the username, name or email"),
    status: choiceOption("--status <status>", "with this status", UserStatus.options),
    role: choiceOption("--role <role>", "with this role", ROLES),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { search: q, status, role } = options;
    return pagedTable(cli.look, options, {
      name: "users",
      empty: "No such users.",
      pageMax: LIMIT_MAX,
      load: async ({ limit, after }) => {
        const query = { q, status, role, limit, after_id: after };
        const answer = await api.value.call(listUsers, { query });
        return answer.ok ? ok({ items: answer.value.users, count: answer.value.count }) : answer;
      },
      columns: [
        { title: "USERNAME", isWhole: true },
        { title: "EMAIL" },
        { title: "NAME" },
        { title: "ROLES" },
        { title: "STATUS" },
        { title: "LAST SEEN" },
      ],
      row: (user) => [
        user.username,
        user.email,
        orDash(user.name),
        rolesText(user.roles),
        statusCell(user.status),
        since(cli.look, user.last_seen_at),
      ],
    });
  },
});
