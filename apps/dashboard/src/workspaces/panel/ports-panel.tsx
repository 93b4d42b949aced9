/**
 * Programs in a workspace that wait for connections, and how one reaches them. Pages of them are not
 * shown from here: they would run on this site's own address, with its cookies.
 */
import { watchWorkspacePorts } from "@atelier/contract/http/workspace-live";
import { getWorkspace, listListeningPorts } from "@atelier/contract/http/workspaces";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { CopyButton } from "../../ui/copy-text.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { LiveNotice } from "./live-notice.tsx";
import type { WorkspacePanelProps } from "./panel-props.ts";
import { useLive } from "./use-live.ts";

export function PortsPanel({ workspaceId, agentId }: WorkspacePanelProps) {
  const workspace = useEndpoint(getWorkspace, { params: { workspace: workspaceId } }).data;
  const schema = listListeningPorts.success.body;
  const { data, state } = useLive(watchWorkspacePorts, { params: { agent: agentId } }, schema);
  const name = workspace?.name ?? workspaceId;
  return (
    <div className="@container">
      <LiveNotice state={state} what="what listens there" />
      {data?.ports.length === 0 && (
        <EmptyState icon="connect" title="Nothing listens there">
          <p>
            A program that waits for connections appears here by itself, such as a development
            server.
          </p>
        </EmptyState>
      )}
      {data !== null && data.ports.length > 0 && (
        <>
          <p className="mb-3 max-w-2xl text-muted">
            <code className="font-mono text-xs">atelier port-forward</code> brings a port to your
            own machine, where only you reach it.
          </p>
          <DataTable
            columns={[
              { title: "Port", cell: ({ port }) => <code className="font-mono">{port}</code> },
              {
                title: "Program",
                cell: ({ process_name: program, pid }) => (
                  <>
                    {program === "" ? "unknown" : program}
                    {pid !== null && <div className="text-xs text-muted">pid {pid}</div>}
                  </>
                ),
              },
              { title: "Address", cell: ({ address }) => address, isMinor: true },
              {
                title: "Reach it",
                isActions: true,
                cell: ({ port }) => {
                  const command = `atelier port-forward ${name} ${port}`;
                  return (
                    <span className="inline-flex items-center gap-2">
                      <code className="hidden font-mono text-xs @2xl:inline">{command}</code>
                      <CopyButton text={command} what={`the command for port ${port}`} />
                    </span>
                  );
                },
              },
            ]}
            label="Listening ports"
            rowKey={({ port, address }) => `${address} ${port}`}
            rows={data.ports}
          />
        </>
      )}
    </div>
  );
}
