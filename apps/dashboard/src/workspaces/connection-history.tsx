/** Who was connected to a workspace, and how it ended. */
import {
  CONNECTION_COUNT_MAX,
  listConnections,
  type ConnectionLogEntry,
} from "@atelier/contract/http/connection-log";
import type { z } from "zod";
import { usePages } from "../api/use-endpoint.ts";
import { userAgentText } from "../pages/user-agent-text.ts";
import { Badge } from "../ui/badge.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";

type Entry = z.output<typeof ConnectionLogEntry>;

const PAGE_SIZE = 25;
const LOOK_AGAIN_MS = 15_000;

const WHAT = {
  workspace_agent: "The machine",
  client_link: "Command line",
  reconnecting_pty: "Terminal",
} as const;

const WORKSPACE_COLUMN: Column<Entry> = {
  title: "Workspace",
  cell: (row) => `${row.workspace_owner_username}/${row.workspace_name}`,
};

const COLUMNS: readonly Column<Entry>[] = [
  {
    title: "What",
    cell: (row) => (
      <>
        {WHAT[row.type]}
        <div className="text-xs text-muted">
          {row.user === null ? row.agent_name : row.user.username}
        </div>
      </>
    ),
  },
  { title: "From", cell: (row) => row.ip, isMinor: true },
  { title: "Program", cell: (row) => userAgentText(row.user_agent), isMinor: true },
  { title: "Since", cell: (row) => <RelativeTime time={row.connect_time} /> },
  {
    title: "Until",
    cell: (row) =>
      row.disconnect_time === null ? (
        <Badge tone="good">connected</Badge>
      ) : (
        <RelativeTime time={row.disconnect_time} />
      ),
  },
  { title: "Why it ended", cell: (row) => row.reason, isMinor: true },
];

type ConnectionHistoryProps = {
  /** The server's search terms. Undefined: all workspaces, which are named then. */
  readonly q: string | undefined;
};

export function ConnectionHistory({ q }: ConnectionHistoryProps) {
  const pages = usePages(
    listConnections,
    { query: { limit: PAGE_SIZE, q } },
    ({ connection_logs: entries }) =>
      entries.length < PAGE_SIZE
        ? null
        : { query: { limit: PAGE_SIZE, q, after_id: entries.at(-1)?.id } },
    { everyMs: LOOK_AGAIN_MS, keepsFormer: true },
  );
  return (
    <Loaded query={pages} what="connections">
      {({ pages: answers }) => {
        const rows = answers.flatMap((answer) => answer.connection_logs);
        if (rows.length === 0) return <p className="text-muted">Nobody was connected yet.</p>;
        return (
          <>
            <DataTable
              columns={q?.startsWith("workspace_id:") ? COLUMNS : [WORKSPACE_COLUMN, ...COLUMNS]}
              label="Connection log"
              rowKey={({ id }) => id}
              rows={rows}
            />
            <LoadMore
              count={answers[0]?.count ?? 0}
              countMax={CONNECTION_COUNT_MAX}
              pages={pages}
              shown={rows.length}
            />
          </>
        );
      }}
    </Loaded>
  );
}
