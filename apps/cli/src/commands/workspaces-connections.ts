/** `atelier workspaces connections`. */
import { ok } from "@atelier/base/result";
import { CONNECTION_TYPES, listConnections } from "@atelier/contract/http/connection-log";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, textOption } from "../command.ts";
import { faint, orDash, since, type Cell } from "../output/people.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";
import { isoTimeOf, momentOption, searchQuery } from "../search-query.ts";

export const workspacesConnections = defineCommand({
  name: "workspaces connections",
  summary: "List who was connected to which workspace, latest first",
  examples: [
    "atelier workspaces connections --since 24h",
    "atelier workspaces connections --owner ann --status ongoing",
  ],
  args: {},
  options: {
    workspace: textOption("--workspace <name>", "to workspaces of this name"),
    owner: textOption("--owner <username>", "to workspaces of this user"),
    user: textOption("--user <username>", "by this user"),
    type: choiceOption("--type <type>", "of this type", CONNECTION_TYPES),
    status: choiceOption("--status <status>", "in this state", ["ongoing", "completed"]),
    since: momentOption("--since <when>", "begun after"),
    until: momentOption("--until <when>", "begun before"),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const q = searchQuery({
      workspace: options.workspace,
      workspace_owner: options.owner,
      username: options.user,
      type: options.type,
      status: options.status,
      connected_after: isoTimeOf(options.since, cli.look.now),
      connected_before: isoTimeOf(options.until, cli.look.now),
    });
    return pagedTable(cli.look, options, {
      name: "connection_logs",
      empty: "No such connections.",
      pageMax: 1_000,
      load: async ({ limit, after }) => {
        const query = { q, limit, after_id: after };
        const answer = await api.value.call(listConnections, { query });
        return answer.ok
          ? ok({ items: answer.value.connection_logs, count: answer.value.count })
          : answer;
      },
      columns: ["BEGAN", "ENDED", "WORKSPACE", "TYPE", "USER", "ADDRESS", "REASON"].map(
        (title) => ({ title }),
      ),
      row: (entry): Cell[] => [
        since(cli.look, entry.connect_time),
        entry.disconnect_time === null ? "ongoing" : since(cli.look, entry.disconnect_time),
        `${entry.workspace_owner_username}/${entry.workspace_name}`,
        entry.type,
        entry.user === null ? faint("the machine") : entry.user.username,
        orDash(entry.ip),
        orDash(entry.reason),
      ],
    });
  },
});
