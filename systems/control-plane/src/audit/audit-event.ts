/** One row of the audit log, and the difference between two states of a thing. */
import { isDeepStrictEqual } from "node:util";
import type { AuditAction, AuditResource } from "@atelier/contract/audit-words";
import type { AuditDiff } from "./audit-trail.ts";

export type AuditEvent = {
  readonly id: string;
  readonly time: Date;
  readonly userId: string | null;
  readonly action: AuditAction;
  readonly resource: AuditResource;
  readonly resourceId: string | null;
  readonly target: string;
  readonly diff: AuditDiff;
  readonly statusCode: number;
  readonly additionalFields: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields that differ. `before` is null for something created, `after` for something deleted; a
 * field that is missing on one side counts as null. Of `secretFields` no value is kept.
 */
export function diffAudit(
  before: Fields | null,
  after: Fields | null,
  secretFields: readonly string[] = [],
): AuditDiff {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const changes = [...names].flatMap((name) => {
    const old = plain(before?.[name]);
    const now = plain(after?.[name]);
    if (isDeepStrictEqual(old, now)) return [];
    const change = secretFields.includes(name) ? ({ secret: true } as const) : { old, new: now };
    return [[name, change] as const];
  });
  return Object.fromEntries(changes);
}

/** As it reads in JSON, so that dates compare by time and absence is null. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
