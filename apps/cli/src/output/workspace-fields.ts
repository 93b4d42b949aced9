/** One workspace, as people read it. */
import type { WorkspaceAnswer } from "../workspace-lookup.ts";
import { fields, orDash, since, type Cell, type Look } from "./people.ts";

export function workspaceFields(look: Look, workspace: WorkspaceAnswer): string {
  const [machine] = workspace.agents;
  return fields(look, [
    ["Workspace", `${workspace.owner_name}/${workspace.name}`],
    ["Kind", workspace.kind],
    ["Status", workspaceStatusCell(workspace.status)],
    ["Machine", orDash(systemOf(machine))],
    ["Directory", orDash(machine?.directory ?? "")],
    ["Agent version", orDash(machine?.version ?? "")],
    ["Connected", since(look, machine?.last_connected_at ?? null)],
    ["Last used", since(look, workspace.last_used_at)],
    ["Created", since(look, workspace.created_at)],
    ["Id", workspace.id],
  ]);
}

export function workspaceStatusCell(status: WorkspaceAnswer["status"]): Cell {
  return status === "disconnected" ? { text: status, tone: "bad" } : status;
}

function systemOf(machine: WorkspaceAnswer["agents"][number] | undefined): string {
  return [machine?.operating_system, machine?.architecture].filter(Boolean).join(" ");
}
