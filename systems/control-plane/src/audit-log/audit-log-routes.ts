/** The audit log over HTTP. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/audit";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import { listAuditLog, type AuditLogDeps, type AuditLogPage } from "./audit-log-actions.ts";

export function auditLogRoutes(deps: AuditLogDeps): Route[] {
  return [
    route(contract.listAuditEvents, async ({ query }) => {
      const { q = "", after_id: afterId = null, limit } = query;
      const page = await listAuditLog(deps, { q, afterId, limit });
      if (!page.ok) return page;
      return ok({ audit_logs: page.value.events.map(toWire), count: page.value.count });
    }),
  ];
}

function toWire(event: AuditLogPage["events"][number]): z.input<typeof contract.AuditEvent> {
  return {
    id: event.id,
    time: event.time.toISOString(),
    user: event.user,
    action: event.action,
    resource_type: event.resource,
    resource_id: event.resourceId,
    resource_target: event.target,
    diff: { ...event.diff },
    status_code: event.statusCode,
    additional_fields: { ...event.additionalFields },
    request_id: event.requestId,
    ip: event.ip,
    user_agent: event.userAgent,
  };
}
