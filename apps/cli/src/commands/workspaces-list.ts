/** `atelier workspaces list`. */
import { ok } from "@atelier/base/result";
import { LIMIT_MAX } from "@atelier/contract/http/common";
import { listWorkspaces, WORKSPACE_STATUSES } from "@atelier/contract/http/workspaces";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, textOption } from "../command.ts";
import { since } from "../output/people.ts";
import { workspaceStatusCell } from "../output/workspace-fields.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";
import { searchQuery } from "../search-query.ts";

export const workspacesList = defineCommand({
  name: "workspaces list",
  summary: "List workspaces by owner and name: those that you may see",
  examples: ["atelier workspaces list", "atelier workspaces list --owner me --status connected"],
  args: {},
  options: {
    owner: textOption("--owner <user>", "of this user; `me` for your own"),
    name: textOption("--name <text>", "with this in the name"),
    status: choiceOption("--status <status>", "in this state", WORKSPACE_STATUSES),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { owner, name, status } = options;
    const q = searchQuery({ owner, name, status });
    return pagedTable(cli.look, options, {
      name: "workspaces",
      empty: "No such workspaces. Make one with `atelier workspaces create`.",
      pageMax: LIMIT_MAX,
      load: async ({ limit, after }) => {
        const query = { q, limit, after_id: after };
        const answer = await api.value.call(listWorkspaces, { query });
        return answer.ok
          ? ok({ items: answer.value.workspaces, count: answer.value.count })
          : answer;
      },
      columns: ["WORKSPACE", "STATUS", "LAST USED", "CREATED"].map((title) => ({ title })),
      row: (workspace) => [
        `${workspace.owner_name}/${workspace.name}`,
        workspaceStatusCell(workspace.status),
        since(cli.look, workspace.last_used_at),
        since(cli.look, workspace.created_at),
      ],
    });
  },
});
