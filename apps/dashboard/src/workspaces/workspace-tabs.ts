/** The parts of a workspace's page. */
import { WORKSPACE_PANELS, type WorkspacePanelId } from "./panel/workspace-panels.tsx";

export type WorkspaceTab = {
  /** As the address names it; empty for what is shown first. */
  readonly id: "" | "connections" | WorkspacePanelId;
  readonly title: string;
};

/** What is on a machine is its person's alone; that it is there, and who came, others may see. */
export function workspaceTabs({ isOwn }: { readonly isOwn: boolean }): readonly WorkspaceTab[] {
  return [
    { id: "", title: "Machine" },
    ...(isOwn ? WORKSPACE_PANELS : []),
    { id: "connections", title: "Connections" },
  ];
}
