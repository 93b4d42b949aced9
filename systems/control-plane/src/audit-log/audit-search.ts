/** What people type to search the audit log, as a filter. */
import { fail, ok, type Result } from "@atelier/base/result";
import { AUDIT_ACTIONS, AUDIT_RESOURCES } from "@atelier/contract/audit-words";
import type { Failure, Validation } from "@atelier/contract/failures";
import { z } from "zod";
import { parseSearchQuery } from "../http/search-query.ts";

const KEYS = [
  "resource_type",
  "resource_id",
  "resource_target",
  "action",
  "username",
  "email",
  "request_id",
  "status_code",
  "date_from",
  "date_to",
] as const;

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
  const words = parseSearchQuery(text, KEYS);
  if (!words.ok) return fail({ code: "request.invalid", validations: words.failure });
  const terms = Terms.safeParse(Object.fromEntries(words.value));
  if (terms.success) return ok(terms.data);
  const validations: Validation[] = terms.error.issues.map(({ path, message }) => ({
    field: "q",
    detail: `${path.join(".")}: ${message}`,
  }));
  return fail({ code: "request.invalid", validations });
}

/** The first moment that a `date_to` leaves out: a bare day counts whole. */
export function endOf(dateTo: string): Date {
  const isDay = !dateTo.includes("T");
  return new Date(new Date(dateTo).getTime() + (isDay ? 86_400_000 : 1));
}
