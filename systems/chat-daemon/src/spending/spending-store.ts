/** What administrators let people spend, in Postgres. */
import type { SpendingPeriod } from "@atelier/contract/http/chat-spending";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import { NO_LIMITS, type UsageLimits } from "./spending.ts";

type ConfigRow = {
  readonly enabled: boolean;
  readonly limit: number;
  /** As the table's constraint has it. */
  readonly period: SpendingPeriod;
};

export async function getLimits(db: Sql): Promise<UsageLimits> {
  const { rows } = await sql<ConfigRow>`
    select enabled, default_limit_micros as limit, period from chat_usage_limit_config`.execute(db);
  return toLimits(rows[0]);
}

/** A condition for statements of others: nobody's spending is limited. */
export const NO_LIMITS_HOLD_TEXT =
  "not exists (select from chat_usage_limit_config as limits where limits.enabled)";

/** Of one moment: what holds for everybody, and the person's own. */
export async function getLimitsFor(
  db: Sql,
  userId: string,
): Promise<{ readonly limits: UsageLimits; readonly ownLimitMicros: number | null }> {
  const { rows } = await sql<ConfigRow & { readonly own: number | null }>`
    select c.enabled, c.default_limit_micros as limit, c.period, o.limit_micros as own
    from chat_usage_limit_config c
    left join chat_usage_limit_overrides o on o.user_id = ${userId}`.execute(db);
  return { limits: toLimits(rows[0]), ownLimitMicros: rows[0]?.own ?? null };
}

function toLimits(row: ConfigRow | undefined): UsageLimits {
  if (row === undefined) return NO_LIMITS;
  const { enabled, limit, period } = row;
  return { isEnabled: enabled, defaultLimitMicros: limit, period };
}

/** Changes wait for each other, so that each is told with what was before it. */
export async function lockLimits(db: Sql): Promise<void> {
  await sql`lock table chat_usage_limit_config in share row exclusive mode`.execute(db);
}

export async function putLimits(db: Sql, limits: UsageLimits, at: Date): Promise<void> {
  const row = {
    enabled: limits.isEnabled,
    default_limit_micros: limits.defaultLimitMicros,
    period: limits.period,
    updated_at: at,
  };
  await db
    .insertInto("chat_usage_limit_config")
    .values(row)
    .onConflict((conflict) => conflict.column("is_only").doUpdateSet(row))
    .execute();
}

export type StoredOverride = { readonly userId: string; readonly limitMicros: number };

/** By person's id. */
export async function listOverrides(
  db: Sql,
  { limit, afterId }: { readonly limit: number; readonly afterId: string | null },
): Promise<{ readonly overrides: readonly StoredOverride[]; readonly count: number }> {
  const { rows } = await sql<{ userId: string | null; limitMicros: number; count: number }>`
    with counted as (
      select count(*) as count from chat_usage_limit_overrides
    ), page as (
      select user_id, limit_micros from chat_usage_limit_overrides
      where ${afterId}::uuid is null or user_id > ${afterId}::uuid
      order by user_id
      limit ${limit}
    )
    select count, user_id as "userId", limit_micros as "limitMicros"
    from counted left join page on true
    order by user_id`.execute(db);
  const overrides = rows.flatMap(({ userId, limitMicros }) =>
    userId === null ? [] : [{ userId, limitMicros }],
  );
  return { overrides, count: rows[0]?.count ?? 0 };
}

export async function findOverride(db: Sql, userId: string): Promise<number | undefined> {
  const row = await db
    .selectFrom("chat_usage_limit_overrides")
    .select("limit_micros")
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return row?.limit_micros;
}

export async function putOverride(
  db: Sql,
  { userId, limitMicros }: StoredOverride,
  at: Date,
): Promise<void> {
  const row = { limit_micros: limitMicros, updated_at: at };
  await db
    .insertInto("chat_usage_limit_overrides")
    .values({ user_id: userId, ...row })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet(row))
    .execute();
}

export async function deleteOverride(db: Sql, userId: string): Promise<void> {
  await db.deleteFrom("chat_usage_limit_overrides").where("user_id", "=", userId).execute();
}

/** Of chats of this person. */
export async function listTitles(
  db: Sql,
  ownerId: string,
  chatIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (chatIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("chats")
    .select(["id", "title"])
    .where("owner_id", "=", ownerId)
    .where("id", "in", [...chatIds])
    .execute();
  return new Map(rows.map(({ id, title }) => [id, title]));
}
