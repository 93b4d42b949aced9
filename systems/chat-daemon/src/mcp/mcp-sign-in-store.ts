/** Who is signed in to which tool server, and who is about to be, in Postgres. Tokens are not here. */
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";

export type SignIn = {
  readonly id: string;
  readonly serverId: string;
  readonly version: number;
  readonly expiresAt: Date | null;
};

type Whose = { readonly serverId: string; readonly userId: string };

export async function findSignIn(sql: Sql, whose: Whose): Promise<SignIn | undefined> {
  const { rows } = await text<SignIn>`
    select id, server_id as "serverId", version, expires_at as "expiresAt" from mcp_sign_ins
    where server_id = ${whose.serverId} and user_id = ${whose.userId}`.execute(sql);
  return rows[0];
}

/** Of one person. */
export async function listSignIns(sql: Sql, userId: string): Promise<readonly SignIn[]> {
  const { rows } = await text<SignIn>`
    select id, server_id as "serverId", version, expires_at as "expiresAt" from mcp_sign_ins
    where user_id = ${userId}`.execute(sql);
  return rows;
}

export async function insertSignIn(
  sql: Sql,
  signIn: Whose & { readonly id: string; readonly expiresAt: Date | null; readonly now: Date },
): Promise<void> {
  await text`
    insert into mcp_sign_ins (id, server_id, user_id, version, expires_at, created_at)
    values (${signIn.id}, ${signIn.serverId}, ${signIn.userId}, 1, ${signIn.expiresAt}, ${signIn.now})
  `.execute(sql);
}

/** The ids of what was there: their secrets go with them. Null: of everybody. */
export async function deleteSignIns(
  sql: Sql,
  { serverId, userId }: { readonly serverId: string; readonly userId: string | null },
): Promise<readonly string[]> {
  const { rows } = await text<{ id: string }>`
    delete from mcp_sign_ins
    where server_id = ${serverId} and (${userId}::uuid is null or user_id = ${userId})
    returning id`.execute(sql);
  return rows.map(({ id }) => id);
}

/** False: somebody else renews it, or has. */
export async function claimRenewal(
  sql: Sql,
  claim: {
    readonly signIn: SignIn;
    readonly refresher: string;
    readonly now: Date;
    readonly until: Date;
  },
): Promise<boolean> {
  const { rows } = await text`
    update mcp_sign_ins set refresher = ${claim.refresher}, refreshing_until = ${claim.until}
    where id = ${claim.signIn.id} and version = ${claim.signIn.version}
      and (refreshing_until is null or refreshing_until <= ${claim.now})
    returning id`.execute(sql);
  return rows.length === 1;
}

/** False: it is not there any more, or somebody else took over. */
export async function endRenewal(
  sql: Sql,
  { id, refresher }: { readonly id: string; readonly refresher: string },
  /** Null: the tokens stay. */
  renewed: { readonly expiresAt: Date | null } | null,
): Promise<boolean> {
  const change =
    renewed === null
      ? text``
      : text`, version = version + 1, expires_at = ${renewed.expiresAt}::timestamptz`;
  const { rows } = await text`
    update mcp_sign_ins set refresher = null, refreshing_until = null ${change}
    where id = ${id} and refresher = ${refresher} returning id`.execute(sql);
  return rows.length === 1;
}

/** False: somebody else took over. */
export async function deleteRenewed(
  sql: Sql,
  { id, refresher }: { readonly id: string; readonly refresher: string },
): Promise<boolean> {
  const { rows } = await text`
    delete from mcp_sign_ins where id = ${id} and refresher = ${refresher} returning id`.execute(
    sql,
  );
  return rows.length === 1;
}

export async function insertAttempt(
  sql: Sql,
  attempt: Whose & {
    readonly id: string;
    readonly stateHash: Buffer;
    readonly expiresAt: Date;
  },
): Promise<void> {
  await text`
    insert into mcp_sign_in_attempts (id, server_id, user_id, state_hash, expires_at)
    values (${attempt.id}, ${attempt.serverId}, ${attempt.userId}, ${attempt.stateHash},
      ${attempt.expiresAt})`.execute(sql);
}

export type Attempt = { readonly id: string; readonly serverId: string; readonly expiresAt: Date };

/** Only for the person who began it. */
export async function findAttempt(
  sql: Sql,
  given: { readonly stateHash: Buffer; readonly userId: string },
): Promise<Attempt | undefined> {
  const { rows } = await text<Attempt>`
    select id, server_id as "serverId", expires_at as "expiresAt" from mcp_sign_in_attempts
    where state_hash = ${given.stateHash} and user_id = ${given.userId}`.execute(sql);
  return rows[0];
}

/** False: somebody took it before. It serves once. */
export async function takeAttempt(sql: Sql, id: string): Promise<boolean> {
  const { rows } = await text`
    delete from mcp_sign_in_attempts where id = ${id} returning id`.execute(sql);
  return rows.length === 1;
}

/** The ids of what was there: their secrets go with them. */
export async function deleteAttempts(
  sql: Sql,
  which: { readonly serverId: string } | { readonly expiredBy: Date },
): Promise<readonly string[]> {
  const condition =
    "serverId" in which
      ? text`server_id = ${which.serverId}`
      : text`expires_at < ${which.expiredBy}`;
  const { rows } = await text<{ id: string }>`
    delete from mcp_sign_in_attempts where ${condition} returning id`.execute(sql);
  return rows.map(({ id }) => id);
}
