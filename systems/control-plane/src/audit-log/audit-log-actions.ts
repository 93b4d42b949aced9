/** Reading the audit log. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { AUDIT_COUNT_MAX } from "@atelier/contract/http/audit";
import type { Database } from "@atelier/database/database";
import {
  countAuditEvents,
  findAuditPlace,
  listAuditEvents,
  type AuditFilter,
  type ListedAuditEvent,
} from "../audit/audit-store.ts";
import { endOf, parseAuditSearch, type AuditSearch } from "./audit-search.ts";

export type AuditLogDeps = { readonly database: Database };

export type AuditLogPage = { readonly events: readonly ListedAuditEvent[]; readonly count: number };

export async function listAuditLog(
  deps: AuditLogDeps,
  query: { readonly q: string; readonly afterId: string | null; readonly limit: number },
): Promise<Result<AuditLogPage, Failure<"request.invalid">>> {
  const search = parseAuditSearch(query.q);
  if (!search.ok) return search;
  const filter = toFilter(search.value);
  return deps.database.readOnlyTransaction(async (db) => {
    const after = query.afterId === null ? null : await findAuditPlace(db, query.afterId);
    if (after === undefined) {
      const validations = [{ field: "after_id", detail: "No such audit event." }];
      return fail({ code: "request.invalid", validations });
    }
    const events = await listAuditEvents(db, filter, { after, limit: query.limit });
    return ok({ events, count: await countAuditEvents(db, filter, AUDIT_COUNT_MAX) });
  });
}

function toFilter(search: AuditSearch): AuditFilter {
  return {
    action: search.action,
    resource: search.resource_type,
    resourceId: search.resource_id,
    target: search.resource_target,
    username: search.username,
    email: search.email,
    requestId: search.request_id,
    statusCode: search.status_code,
    from: search.date_from === undefined ? undefined : new Date(search.date_from),
    until: search.date_to === undefined ? undefined : endOf(search.date_to),
  };
}
