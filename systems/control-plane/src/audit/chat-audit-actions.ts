/** The audit trail of what becomes of chats by itself: the port ChatAudit. */
import type { ChatAudit } from "@atelier/contract/rpc/chat-ports";
import type { Sql } from "@atelier/database/database";
import { diffAudit } from "./audit-event.ts";
import { systemAudit } from "./system-audit-actions.ts";

export function chatAudit(deps: Parameters<typeof systemAudit>[0]): ChatAudit {
  const trail = systemAudit(deps, { action: "write", resource: "chat" });
  return {
    // The contract does not know databases: both sides are in this process and use the same one.
    record: (transaction, { resourceId, target, before, after, by }) =>
      trail.record(transaction as Sql, {
        ...{ resourceId, target, diff: diffAudit(before, after) },
        additionalFields: { subsystem: by },
      }),
  };
}
