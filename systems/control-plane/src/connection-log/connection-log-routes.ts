/** The connection log over HTTP. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/connection-log";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import { readConnections, type ConnectionLogDeps } from "./connection-log-actions.ts";
import type { LoggedConnection } from "./connection.ts";

export function connectionLogRoutes(deps: Pick<ConnectionLogDeps, "database">): Route[] {
  return [
    route(contract.listConnections, async ({ query }) => {
      const { q = "", after_id: afterId = null, limit } = query;
      const page = await readConnections(deps, { q, afterId, limit });
      if (!page.ok) return page;
      const { connections, count } = page.value;
      return ok({ connection_logs: connections.map(toWire), count });
    }),

    route(contract.listWorkspaceConnections, async ({ params, query }) => {
      const { after_id: afterId = null, limit, type } = query;
      const own = `workspace_id:${params.workspace}`;
      const q = type === undefined ? own : `${own} type:${type}`;
      const page = await readConnections(deps, { q, afterId, limit });
      if (!page.ok) return page;
      const { connections, count } = page.value;
      return ok({ connection_logs: connections.map(toWire), count });
    }),
  ];
}

function toWire(entry: LoggedConnection): z.input<typeof contract.ConnectionLogEntry> {
  return {
    id: entry.id,
    connect_time: entry.connectedAt.toISOString(),
    disconnect_time: entry.disconnectedAt?.toISOString() ?? null,
    type: entry.type,
    workspace_id: entry.workspaceId,
    workspace_name: entry.workspaceName,
    workspace_owner_id: entry.ownerId,
    workspace_owner_username: entry.ownerName,
    agent_id: entry.agentId,
    agent_name: entry.agentName,
    user: entry.user,
    ip: entry.ip,
    user_agent: entry.userAgent,
    reason: entry.reason,
  };
}
