/** `atelier audit list`. */
import { ok } from "@atelier/base/result";
import { AUDIT_ACTIONS, AUDIT_RESOURCES } from "@atelier/contract/audit-words";
import { listAuditEvents } from "@atelier/contract/http/audit";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, textOption } from "../command.ts";
import { faint, orDash, since, type Cell } from "../output/people.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";
import { isoTimeOf, momentOption, searchQuery } from "../search-query.ts";

export const auditList = defineCommand({
  name: "audit list",
  summary: "List audit events, latest first",
  examples: [
    "atelier audit list --since 24h",
    "atelier audit list --resource ai_provider --action delete --json",
  ],
  args: {},
  options: {
    user: textOption("--user <username>", "done by this user"),
    action: choiceOption("--action <action>", "this action", AUDIT_ACTIONS),
    resource: choiceOption("--resource <type>", "on this kind of thing", AUDIT_RESOURCES),
    target: textOption("--target <name>", "on the thing of this name"),
    requestId: textOption("--request-id <id>", "of this request"),
    since: momentOption("--since <when>", "after"),
    until: momentOption("--until <when>", "before"),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const q = searchQuery({
      username: options.user,
      action: options.action,
      resource_type: options.resource,
      resource_target: options.target,
      request_id: options.requestId,
      date_from: isoTimeOf(options.since, cli.look.now),
      date_to: isoTimeOf(options.until, cli.look.now),
    });
    return pagedTable(cli.look, options, {
      name: "audit_logs",
      empty: "No such audit events.",
      pageMax: 1_000,
      load: async ({ limit, after }) => {
        const query = { q, limit, after_id: after };
        const answer = await api.value.call(listAuditEvents, { query });
        return answer.ok
          ? ok({ items: answer.value.audit_logs, count: answer.value.count })
          : answer;
      },
      columns: ["TIME", "USER", "ACTION", "THING", "NAME", "STATUS", "ADDRESS"].map((title) => ({
        title,
      })),
      row: (event): Cell[] => [
        since(cli.look, event.time),
        event.user === null ? faint("nobody") : event.user.username,
        event.action,
        event.resource_type,
        orDash(event.resource_target),
        event.status_code < 400
          ? String(event.status_code)
          : { text: String(event.status_code), tone: "bad" },
        orDash(event.ip),
      ],
    });
  },
});
