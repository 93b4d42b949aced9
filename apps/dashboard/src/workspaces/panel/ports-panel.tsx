/**
 * Programs in a workspace that wait for connections, and how one reaches them: in a tab or a frame, on an origin
 * of its own for each port where the server has such; and by a port of one's own machine in any case.
 */
import type { CallAnswer } from "@atelier/contract/client";
import { getPreviewHost } from "@atelier/contract/http/workspace-previews";
import { watchWorkspacePorts } from "@atelier/contract/http/workspace-live";
import { getWorkspace, listListeningPorts } from "@atelier/contract/http/workspaces";
import {
  formatPreviewLabel,
  previewOrigin,
  readPreviewWildcard,
} from "@atelier/contract/preview-address";
import { useState, type ReactNode } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { Button, ExternalLink } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-text.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { LiveNotice } from "./live-notice.tsx";
import type { WorkspacePanelProps } from "./panel-props.ts";
import { PortPreview } from "./port-preview.tsx";
import { useLive } from "./use-live.ts";

type Port = CallAnswer<typeof listListeningPorts>["ports"][number];

/** The address of a port in browsers. Null: ports have none here. */
type OriginOf = ((port: number) => string) | null;

export function PortsPanel({ workspaceId, agentId }: WorkspacePanelProps) {
  const workspace = useEndpoint(getWorkspace, { params: { workspace: workspaceId } }).data;
  const hosts = useEndpoint(getPreviewHost, {}).data;
  const schema = listListeningPorts.success.body;
  const { data, state } = useLive(watchWorkspacePorts, { params: { agent: agentId } }, schema);
  const [previewed, setPreviewed] = useState<number | null>(null);
  const name = workspace?.name ?? workspaceId;
  const originOf =
    workspace === undefined || hosts === undefined
      ? null
      : originsOf(hosts.wildcard_url, workspace, agentId);
  if (previewed !== null && originOf !== null) {
    return (
      <PortPreview
        onClose={() => setPreviewed(null)}
        origin={originOf(previewed)}
        port={previewed}
      />
    );
  }
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
      {data !== null && data.ports.length > 0 && hosts !== undefined && (
        <>
          <p className="mb-3 max-w-2xl text-muted">{introduction(originOf !== null)}</p>
          <DataTable
            columns={columnsOf({ name, originOf, onPreview: setPreviewed })}
            label="Listening ports"
            rowKey={({ port, address }) => `${address} ${port}`}
            rows={data.ports}
          />
        </>
      )}
    </div>
  );
}

function introduction(hasPreviews: boolean): ReactNode {
  const forward = <code className="font-mono text-xs">atelier port-forward</code>;
  return hasPreviews ? (
    <>
      Each port has an address of its own, for you alone. {forward} brings one to your own machine,
      for programs that are no browser.
    </>
  ) : (
    <>
      {forward} brings a port to your own machine, where only you reach it. Whoever runs this server
      can let ports open in the browser, too, by its option{" "}
      <code className="font-mono text-xs">wildcard-access-url</code>.
    </>
  );
}

function columnsOf({
  name,
  originOf,
  onPreview,
}: {
  readonly name: string;
  readonly originOf: OriginOf;
  readonly onPreview: (port: number) => void;
}): readonly Column<Port>[] {
  return [
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
            <code
              className={`hidden font-mono text-xs ${originOf === null ? "@2xl:inline" : "@4xl:inline"}`}
            >
              {command}
            </code>
            {originOf !== null && (
              <>
                {/* Where there is no room for a frame beside anything, a tab shows more. */}
                <span className="hidden @sm:inline">
                  <Button aria-label={`Preview port ${port}`} onClick={() => onPreview(port)}>
                    Preview
                  </Button>
                </span>
                <ExternalLink href={`${originOf(port)}/`} label={`Open port ${port} in a tab`}>
                  Open
                </ExternalLink>
              </>
            )}
            <CopyButton text={command} what={`the command for port ${port}`} />
          </span>
        );
      },
    },
  ];
}

function originsOf(
  wildcardUrl: string | null,
  workspace: CallAnswer<typeof getWorkspace>,
  agentId: string,
): OriginOf {
  const wildcard = wildcardUrl === null ? null : readPreviewWildcard(wildcardUrl);
  const agent = workspace.agents.find(({ id }) => id === agentId);
  if (wildcard === null || agent === undefined) return null;
  const place = { owner: workspace.owner_name, workspace: workspace.name, agent: agent.name };
  return (port) => {
    const previewed = { port, isHttps: false, agentId, ...place };
    return previewOrigin(wildcard, formatPreviewLabel(previewed, wildcard));
  };
}
