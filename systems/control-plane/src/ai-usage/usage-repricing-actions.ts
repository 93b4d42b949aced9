/**
 * Counting recorded requests again. By itself the server only does it for requests whose price came in
 * a moment after them; everything else is what an administrator asks for.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Database } from "@atelier/database/database";
import type { AuditTrail } from "../audit/audit-trail.ts";
import {
  repriceRequests,
  type Repriced,
  type Repricing,
  type RepricingPosition,
} from "./usage-repricing-store.ts";

export type RepricingDeps = { readonly database: Database; readonly clock: Clock };

/** Requests in one transaction: others wait for it who end requests of the same people. */
const BATCH_MAX = 500;
/** Of one call, so that it answers within seconds. */
const PART_MAX = 5_000;
const LATE_MS = 24 * 60 * 60_000;
/** Records of a moment ago may still be on their way; a request may take hours. */
const AHEAD_MS = 60_000;

/** Requests of the last day, by prices that were in force when they began and were not known yet. */
export async function priceLateRequests(
  { database, clock }: RepricingDeps,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now().getTime();
  const repricing: Repricing = {
    from: new Date(now - LATE_MS),
    to: new Date(now + AHEAD_MS),
    provider: null,
    model: null,
    isUnpricedOnly: true,
    pricesAt: null,
  };
  let after: RepricingPosition | null = null;
  while (!signal.aborted) {
    const page: Parameters<typeof repriceRequests>[2] = { after, limit: BATCH_MAX };
    const part: Repriced = await database.transaction((sql) =>
      repriceRequests(sql, repricing, page),
    );
    if (part.last === null || part.examined < BATCH_MAX) return;
    after = part.last;
  }
}

export type AppliedPrices = Omit<Repriced, "last"> & { readonly next: string | null };

/** The next part of a span, with the prices of now. */
export async function applyPrices(
  { database, clock }: RepricingDeps,
  audit: AuditTrail,
  asked: Omit<Repricing, "pricesAt"> & { readonly after: string | null },
): Promise<Result<AppliedPrices, Failure<"request.invalid">>> {
  const { after: cursor, ...span } = asked;
  const start = cursor === null ? null : parsePosition(cursor);
  if (start === undefined) {
    const detail = "It is not the `next` of an answer.";
    return fail({ code: "request.invalid", validations: [{ field: "after", detail }] });
  }
  const repricing = { ...span, pricesAt: clock.now() };
  let sum: Repriced = { examined: 0, changed: 0, costChangeMicros: 0, last: start };
  let isLast = false;
  while (!isLast && sum.examined < PART_MAX) {
    const page = { after: sum.last, limit: BATCH_MAX };
    const part = await database.transaction((sql) => repriceRequests(sql, repricing, page));
    isLast = part.examined < BATCH_MAX;
    sum = {
      examined: sum.examined + part.examined,
      changed: sum.changed + part.changed,
      costChangeMicros: sum.costChangeMicros + part.costChangeMicros,
      last: part.last ?? sum.last,
    };
  }
  const { last, ...counts } = sum;
  await database.transaction((sql) =>
    audit.record(sql, {
      resourceId: null,
      target: `requests from ${span.from.toISOString()} to ${span.to.toISOString()}`,
      additionalFields: { ...counts, provider: span.provider, model: span.model },
    }),
  );
  return ok({ ...counts, next: isLast || last === null ? null : formatPosition(last) });
}

function formatPosition({ startedAt, id }: RepricingPosition): string {
  return `${startedAt.toISOString()}/${id}`;
}

function parsePosition(cursor: string): RepricingPosition | undefined {
  const [time = "", id = ""] = cursor.split("/");
  const startedAt = new Date(time);
  const isId = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(id);
  return Number.isNaN(startedAt.getTime()) || !isId ? undefined : { startedAt, id };
}
