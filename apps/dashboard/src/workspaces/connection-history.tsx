/** Who was connected to a workspace, and how it ended. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  CONNECTION_COUNT_MAX,
  listConnections,
  listWorkspaceConnections,
  type ConnectionLogEntry,
} from "@atelier/contract/http/connection-log";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
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
  workspace_preview: "Preview in a browser",
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
  /** The server's search terms. Undefined: all workspaces. */
  readonly q: string | undefined;
};

/** Of all workspaces that one may see, which are named. */
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
  return <History columns={[WORKSPACE_COLUMN, ...COLUMNS]} pages={pages} />;
}

/** Of one workspace, for everybody who may see that. */
export function WorkspaceConnections({ workspaceId }: { readonly workspaceId: string }) {
  const params = { workspace: workspaceId };
  const pages = usePages(
    listWorkspaceConnections,
    { params, query: { limit: PAGE_SIZE } },
    ({ connection_logs: entries }) =>
      entries.length < PAGE_SIZE
        ? null
        : { params, query: { limit: PAGE_SIZE, after_id: entries.at(-1)?.id } },
    { everyMs: LOOK_AGAIN_MS, keepsFormer: true },
  );
  return <History columns={COLUMNS} pages={pages} />;
}

type HistoryProps = {
  readonly pages: UseInfiniteQueryResult<InfiniteData<CallAnswer<typeof listConnections>>>;
  readonly columns: readonly Column<Entry>[];
};

function History({ pages, columns }: HistoryProps) {
  return (
    <Loaded query={pages} what="connections">
      {({ pages: answers }) => {
        const rows = answers.flatMap((answer) => answer.connection_logs);
        if (rows.length === 0) return <p className="text-muted">Nobody was connected yet.</p>;
        return (
          <>
            <DataTable
              columns={columns}
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
