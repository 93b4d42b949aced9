/** Workspaces as they go over the wire, in answers and events alike. */
import type * as contract from "@atelier/contract/http/workspaces";
import type { z } from "zod";
import type { Workspace, WorkspaceAgent } from "./workspace.ts";

export function toWireWorkspace(workspace: Workspace): z.input<typeof contract.Workspace> {
  const failing = workspace.agents.filter(({ status }) => status !== "connected");
  return {
    id: workspace.id,
    name: workspace.name,
    kind: workspace.kind,
    owner_id: workspace.ownerId,
    owner_name: workspace.ownerName,
    organization_id: workspace.organizationId,
    organization_name: workspace.organizationName,
    created_at: workspace.createdAt.toISOString(),
    updated_at: workspace.updatedAt.toISOString(),
    last_used_at: workspace.lastUsedAt.toISOString(),
    status: workspace.status,
    health: { healthy: failing.length === 0, failing_agents: failing.map(({ id }) => id) },
    latest_build: null,
    agents: workspace.agents.map(toWireAgent),
  };
}

export function toWireAgent(agent: WorkspaceAgent): z.input<typeof contract.WorkspaceAgent> {
  return {
    id: agent.id,
    name: agent.name,
    status: agent.status,
    operating_system: agent.operatingSystem,
    architecture: agent.architecture,
    version: agent.version,
    directory: agent.directory,
    first_connected_at: agent.firstConnectedAt?.toISOString() ?? null,
    last_connected_at: agent.lastConnectedAt?.toISOString() ?? null,
    disconnected_at: agent.disconnectedAt?.toISOString() ?? null,
  };
}
