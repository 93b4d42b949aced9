/** What a handler says of its change, for the audit log. */
import type { AuditAction, AuditResource } from "@atelier/contract/audit-words";
import type { ServiceAuditPiece } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";

/** Old and new value of a field. Of a secret field only that it changed. */
export type AuditDiff = Readonly<
  Record<string, { readonly old: unknown; readonly new: unknown } | { readonly secret: true }>
>;

export type AuditEntry = {
  readonly resourceId: string | null;
  /** What people call the thing. */
  readonly target: string;
  readonly diff?: AuditDiff;
  readonly additionalFields?: Readonly<Record<string, unknown>>;
  /** For a second entry of another kind, such as a key of a provider. Else the endpoint's words. */
  readonly action?: AuditAction;
  readonly resource?: AuditResource;
  /** Where nobody was signed in before, such as at login: who it turned out to be. */
  readonly userId?: string;
};

/**
 * One request's trail. `record` writes in the caller's transaction, so that a change and its entry
 * are durable together. Refused and crashed attempts are recorded by the HTTP edge.
 */
export interface AuditTrail {
  record(sql: Sql, entry: AuditEntry): Promise<void>;
  /** For an attempt that the handler is about to refuse: names the thing in the edge's entry. */
  attempted(entry: Pick<AuditEntry, "resourceId" | "target" | "userId">): void;
}

export interface RequestTrail extends AuditTrail {
  /** `record` for a change of one statement: the entry is a piece of that. */
  piece(entry: AuditEntry): ServiceAuditPiece;
}
