/** The audit log in Postgres: rows are added and read, and leave only by retention. */
import type { AuditAction, AuditResource } from "@atelier/contract/audit-words";
import type { ServiceAuditPiece } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import { CompiledQuery, sql, type RawBuilder } from "kysely";
import type { AuditEvent } from "./audit-event.ts";
import type { AuditDiff } from "./audit-trail.ts";

export async function insertAuditEvent(db: Sql, event: AuditEvent): Promise<void> {
  const { text, values } = auditEventPiece(event);
  await db.executeQuery(CompiledQuery.raw(text(1, "(select) as by_itself"), [...values]));
}

/** The same in the statement that makes the change: written for each row of `changed`. */
export function auditEventPiece(event: AuditEvent): Omit<ServiceAuditPiece, "written"> {
  const values = [
    ...[event.id, event.time.toISOString(), event.userId, event.action, event.resource],
    ...[event.resourceId, event.target, JSON.stringify(event.diff), String(event.statusCode)],
    ...[JSON.stringify(event.additionalFields), event.requestId, event.ip, event.userAgent],
  ];
  return { name: "audit", text: auditEventText, values };
}

const EVENT_TYPES = [
  ...["uuid", "timestamptz", "uuid", "text", "text", "text", "text", "jsonb", "integer"],
  ...["jsonb", "text", "text", "text"],
];

const auditEventText = (first: number, changed: string): string => `
  insert into audit_events (
    id, time, user_id, action, resource_type, resource_id, resource_target, diff, status_code,
    additional_fields, request_id, ip_address, user_agent)
  select ${EVENT_TYPES.map((type, place) => `$${first + place}::${type}`).join(", ")}
  from ${changed}`;

/** Fields that are given must match; times are inclusive at the start and exclusive at the end. */
export type AuditFilter = {
  readonly action?: AuditAction | undefined;
  readonly resource?: AuditResource | undefined;
  readonly resourceId?: string | undefined;
  readonly target?: string | undefined;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  readonly requestId?: string | undefined;
  readonly statusCode?: number | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
};

export type ListedAuditEvent = AuditEvent & {
  readonly user: { readonly id: string; readonly username: string; readonly email: string } | null;
};

export type AuditPlace = { readonly time: Date; readonly id: string };

/** Where a page ended. Undefined: no such event, or it is past its retention. */
export async function findAuditPlace(db: Sql, id: string): Promise<AuditPlace | undefined> {
  // The milliseconds that JavaScript's dates lack do not matter: our own clock gave the time.
  const { rows } = await sql<AuditPlace>`
    select time, id from audit_events where id = ${id}`.execute(db);
  return rows[0];
}

/** Latest first, after `after` when it is given. */
export async function listAuditEvents(
  db: Sql,
  filter: AuditFilter,
  page: { readonly after: AuditPlace | null; readonly limit: number },
): Promise<ListedAuditEvent[]> {
  const after =
    page.after === null ? sql`` : sql`and (e.time, e.id) < (${page.after.time}, ${page.after.id})`;
  const { rows } = await sql<Row>`
    select e.id, e.time, e.user_id, e.action, e.resource_type, e.resource_id, e.resource_target,
           e.diff, e.status_code, e.additional_fields, e.request_id, e.ip_address, e.user_agent,
           u.username, u.email
    from audit_events e
    left join users u on u.id = e.user_id
    where ${matches(filter)} ${after}
    order by e.time desc, e.id desc
    limit ${page.limit}`.execute(db);
  return rows.map(fromRow);
}

/** How many match, counted up to `max`. */
export async function countAuditEvents(db: Sql, filter: AuditFilter, max: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select 1
      from audit_events e
      left join users u on u.id = e.user_id
      where ${matches(filter)}
      limit ${max}
    ) matching`.execute(db);
  return rows[0]?.count ?? 0;
}

function matches(filter: AuditFilter): RawBuilder<unknown> {
  const conditions = [sql`true`];
  const add = <T>(value: T | undefined, condition: (value: T) => RawBuilder<unknown>): void => {
    if (value !== undefined) conditions.push(condition(value));
  };
  add(filter.action, (action) => sql`e.action = ${action}`);
  add(filter.resource, (resource) => sql`e.resource_type = ${resource}`);
  add(filter.resourceId, (id) => sql`e.resource_id = ${id}`);
  add(filter.target, (target) => sql`e.resource_target = ${target}`);
  add(filter.username, (username) => sql`lower(u.username) = lower(${username})`);
  add(filter.email, (email) => sql`lower(u.email) = lower(${email})`);
  add(filter.requestId, (id) => sql`e.request_id = ${id}`);
  add(filter.statusCode, (status) => sql`e.status_code = ${status}`);
  add(filter.from, (from) => sql`e.time >= ${from}`);
  add(filter.until, (until) => sql`e.time < ${until}`);
  return sql.join(conditions, sql` and `);
}

type Row = {
  readonly id: string;
  readonly time: Date;
  readonly user_id: string | null;
  readonly action: AuditAction;
  readonly resource_type: AuditResource;
  readonly resource_id: string | null;
  readonly resource_target: string;
  readonly diff: AuditDiff;
  readonly status_code: number;
  readonly additional_fields: Record<string, unknown>;
  readonly request_id: string;
  readonly ip_address: string;
  readonly user_agent: string;
  readonly username: string | null;
  readonly email: string | null;
};

function fromRow(row: Row): ListedAuditEvent {
  const { user_id: userId, username, email } = row;
  return {
    id: row.id,
    time: row.time,
    userId,
    action: row.action,
    resource: row.resource_type,
    resourceId: row.resource_id,
    target: row.resource_target,
    diff: row.diff,
    statusCode: row.status_code,
    additionalFields: row.additional_fields,
    requestId: row.request_id,
    ip: row.ip_address,
    userAgent: row.user_agent,
    user:
      userId === null || username === null || email === null
        ? null
        : { id: userId, username, email },
  };
}
