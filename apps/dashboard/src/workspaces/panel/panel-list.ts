/** The panels of a workspace, in the order in which tabs show them. */

export const WORKSPACE_PANELS = [
  { id: "changes", title: "Changes" },
  { id: "files", title: "Files" },
  { id: "terminal", title: "Terminals" },
  { id: "processes", title: "Processes" },
  { id: "ports", title: "Ports" },
  { id: "usage", title: "Usage" },
] as const;

export type WorkspacePanelId = (typeof WORKSPACE_PANELS)[number]["id"];
