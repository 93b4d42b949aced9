/**
 * The panels of a workspace, each loaded when it is first shown. Only its person can use them: all else
 * of who may see them is decided by the server.
 *
 * `<WorkspacePanel panel="changes" workspaceId agentId onComments />` shows one; `WORKSPACE_PANELS` lists
 * them in the order in which tabs show them.
 */
import { lazy, Suspense } from "react";
import type { ChangesPanelProps, ProcessesPanelProps } from "./panel-props.ts";

export const WORKSPACE_PANELS = [
  { id: "changes", title: "Changes" },
  { id: "files", title: "Files" },
  { id: "terminal", title: "Terminals" },
  { id: "processes", title: "Processes" },
  { id: "ports", title: "Ports" },
  { id: "usage", title: "Usage" },
] as const;

export type WorkspacePanelId = (typeof WORKSPACE_PANELS)[number]["id"];

const ChangesPanel = lazy(async () => ({
  default: (await import("./changes-panel.tsx")).ChangesPanel,
}));
const FilesPanel = lazy(async () => ({ default: (await import("./files-panel.tsx")).FilesPanel }));
const TerminalPanel = lazy(async () => ({
  default: (await import("./terminal-panel.tsx")).TerminalPanel,
}));
const ProcessesPanel = lazy(async () => ({
  default: (await import("./processes-panel.tsx")).ProcessesPanel,
}));
const PortsPanel = lazy(async () => ({ default: (await import("./ports-panel.tsx")).PortsPanel }));
const UsagePanel = lazy(async () => ({ default: (await import("./usage-panel.tsx")).UsagePanel }));

type AnyPanelProps = ChangesPanelProps &
  ProcessesPanelProps & {
    readonly panel: WorkspacePanelId;
  };

export function WorkspacePanel({ panel, ...rest }: AnyPanelProps) {
  const { workspaceId, agentId } = rest;
  const place = { workspaceId, agentId };
  return (
    <Suspense fallback={<p className="min-h-40 py-6 text-muted">Loading…</p>}>
      {panel === "changes" && <ChangesPanel {...rest} key={agentId} />}
      {panel === "files" && <FilesPanel {...place} key={agentId} />}
      {panel === "terminal" && <TerminalPanel {...place} key={agentId} />}
      {panel === "processes" && <ProcessesPanel {...rest} key={agentId} />}
      {panel === "ports" && <PortsPanel {...place} key={agentId} />}
      {panel === "usage" && <UsagePanel {...place} key={agentId} />}
    </Suspense>
  );
}
