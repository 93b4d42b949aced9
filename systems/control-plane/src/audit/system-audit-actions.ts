/** The audit trail of what the server does by itself, such as at its start: nobody asked, no request. */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { AuditAction, AuditResource } from "@atelier/contract/audit-words";
import type { AuditTrail } from "./audit-trail.ts";
import { insertAuditEvent } from "./audit-store.ts";

const STATUS_DONE = 200;

export function systemAudit(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  words: { readonly action: AuditAction; readonly resource: AuditResource },
): AuditTrail {
  return {
    record: (sql, entry) =>
      insertAuditEvent(sql, {
        id: random.uuid(),
        time: clock.now(),
        userId: entry.userId ?? null,
        action: entry.action ?? words.action,
        resource: entry.resource ?? words.resource,
        resourceId: entry.resourceId,
        target: entry.target,
        diff: entry.diff ?? {},
        statusCode: STATUS_DONE,
        additionalFields: { ...entry.additionalFields, system: true },
        requestId: "",
        ip: "",
        userAgent: "",
      }),
    attempted: () => {}, // What fails here fails its caller, and the log says why.
  };
}
