/** What people type to search the audit log, as a filter. */
import type { Result } from "@atelier/base/result";
import { AUDIT_ACTIONS, AUDIT_RESOURCES } from "@atelier/contract/audit-words";
import type { Failure } from "@atelier/contract/failures";
import { z } from "zod";
import { parseSearch } from "@atelier/contract/search-query";

/** A day in UTC, or a moment. */
const Moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

const Terms = z.object({
  resource_type: z.enum(AUDIT_RESOURCES).optional(),
  resource_id: z.string().optional(),
  resource_target: z.string().optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  username: z.string().optional(),
  email: z.string().optional(),
  request_id: z.string().optional(),
  status_code: z.coerce.number().int().min(100).max(599).optional(),
  date_from: Moment.optional(),
  date_to: Moment.optional(),
});

export type AuditSearch = z.output<typeof Terms>;

export function parseAuditSearch(text: string): Result<AuditSearch, Failure<"request.invalid">> {
  return parseSearch(text, Terms);
}

/** The first moment that a `date_to` leaves out: a bare day counts whole. */
export function endOf(dateTo: string): Date {
  const isDay = !dateTo.includes("T");
  return new Date(new Date(dateTo).getTime() + (isDay ? 86_400_000 : 1));
}
