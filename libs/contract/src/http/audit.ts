/** The audit log: who changed what, when, and what came of it. */
import { z } from "zod";
import { AUDIT_ACTIONS, AUDIT_RESOURCES } from "../audit-words.ts";
import { endpoint } from "../endpoint.ts";
import { LogPaging, NoParams, Timestamp } from "./common.ts";

/** Old and new value of one field. Of a secret field only that it changed. */
export const AuditChange = z.union([
  z.object({ old: z.unknown(), new: z.unknown() }),
  z.object({ secret: z.literal(true) }),
]);

export const AuditEvent = z.object({
  id: z.uuid(),
  time: Timestamp,
  /** Null: nobody was signed in, or the system acted. */
  user: z.object({ id: z.uuid(), username: z.string(), email: z.string() }).nullable(),
  action: z.enum(AUDIT_ACTIONS),
  resource_type: z.enum(AUDIT_RESOURCES),
  resource_id: z.string().nullable(),
  /** What people call the thing: a username, a token's name. */
  resource_target: z.string(),
  diff: z.record(z.string(), AuditChange),
  status_code: z.int(),
  additional_fields: z.record(z.string(), z.unknown()),
  request_id: z.string(),
  ip: z.string(),
  user_agent: z.string(),
});

/** More matches than this are counted as this many. */
export const AUDIT_COUNT_MAX = 10_000;

export const listAuditEvents = endpoint({
  tag: "audit",
  summary: "List audit events, latest first",
  method: "GET",
  path: "/api/v2/audit",
  access: "audit_event:read",
  params: NoParams,
  /** Terms of `q`: resource_type, resource_id, resource_target, action, username, email, request_id, status_code, date_from, date_to. */
  query: z.strictObject(LogPaging),
  body: null,
  /** `count` stops at 10,000. */
  success: { status: 200, body: z.object({ audit_logs: z.array(AuditEvent), count: z.int() }) },
  failures: [],
  audit: null,
});
