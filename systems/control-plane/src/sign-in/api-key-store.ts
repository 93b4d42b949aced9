/** Sessions and API tokens in Postgres. Only hashes of their secrets are stored. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

export type ApiKeyKind = "session" | "token";

export type ApiKey = {
  readonly id: string;
  readonly kind: ApiKeyKind;
  readonly userId: string;
  readonly tokenName: string;
  readonly scopes: readonly string[];
  readonly lifetimeSeconds: number;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date;
  readonly ip: string;
  readonly userAgent: string;
};

const COLUMNS = sql`
  id, kind, user_id, token_name, scopes, lifetime_seconds, created_at, last_used_at, expires_at,
  ip_address, user_agent`;

/** False: the user has a token of this name already; the transaction goes on. */
export async function insertApiKey(
  db: Sql,
  key: ApiKey,
  hashedSecret: Uint8Array,
): Promise<boolean> {
  const { rows } = await sql`
    insert into api_keys (
      id, kind, user_id, hashed_secret, token_name, scopes, lifetime_seconds, created_at,
      last_used_at, expires_at, ip_address, user_agent)
    values (
      ${key.id}, ${key.kind}, ${key.userId}, ${Buffer.from(hashedSecret)}, ${key.tokenName},
      ${key.scopes}, ${key.lifetimeSeconds}, ${key.createdAt}, ${key.lastUsedAt}, ${key.expiresAt},
      ${key.ip}, ${key.userAgent})
    on conflict (user_id, lower(token_name)) where kind = 'token' do nothing
    returning id`.execute(db);
  return rows.length === 1;
}

/** The name of a token that nobody can use any more is free. */
export async function deleteExpiredToken(
  db: Sql,
  token: { readonly userId: string; readonly name: string; readonly now: Date },
): Promise<void> {
  await sql`
    delete from api_keys
    where user_id = ${token.userId} and kind = 'token' and lower(token_name) = lower(${token.name})
      and expires_at <= ${token.now}`.execute(db);
}

export type ApiKeyPage = {
  /** Null: with the first. */
  readonly after: Pick<ApiKey, "id" | "createdAt"> | null;
  readonly limit: number;
};

export type ApiKeyFilter = {
  readonly userId: string;
  readonly kind: ApiKeyKind;
  /** Those that end later than this. */
  readonly expiresAfter: Date;
};

/** Latest first. */
export async function listApiKeys(
  db: Sql,
  filter: ApiKeyFilter,
  { after, limit }: ApiKeyPage,
): Promise<ApiKey[]> {
  const beyond =
    after === null ? sql`` : sql`and (created_at, id) < (${after.createdAt}, ${after.id})`;
  const { rows } = await sql<Row>`
    select ${COLUMNS} from api_keys
    where user_id = ${filter.userId} and kind = ${filter.kind}
      and expires_at > ${filter.expiresAfter} ${beyond}
    order by created_at desc, id desc
    limit ${limit}`.execute(db);
  return rows.map(fromRow);
}

export async function countApiKeys(db: Sql, filter: ApiKeyFilter): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from api_keys
    where user_id = ${filter.userId} and kind = ${filter.kind}
      and expires_at > ${filter.expiresAfter}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Of this user, by id or, for tokens, by name. An id wins over a name. */
export async function findApiKey(
  db: Sql,
  key: { readonly userId: string; readonly kind: ApiKeyKind; readonly ref: string },
): Promise<ApiKey | undefined> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from api_keys
    where user_id = ${key.userId} and kind = ${key.kind}
      and (id = ${key.ref} or (token_name <> '' and lower(token_name) = lower(${key.ref})))
    order by id = ${key.ref} desc
    limit 1`.execute(db);
  return rows.map(fromRow)[0];
}

/** False when it is gone already. */
export async function deleteApiKey(
  db: Sql,
  key: { readonly userId: string; readonly id: string },
): Promise<boolean> {
  const { rows } = await sql`
    delete from api_keys where user_id = ${key.userId} and id = ${key.id} returning id`.execute(db);
  return rows.length === 1;
}

export async function deleteApiKeysOf(
  db: Sql,
  keys: { readonly userId: string; readonly exceptKeyId: string | null },
): Promise<void> {
  await sql`
    delete from api_keys
    where user_id = ${keys.userId} and id <> ${keys.exceptKeyId ?? ""}`.execute(db);
}

/** Never shortens: two replicas may extend the same session. */
export async function extendSession(db: Sql, id: string, expiresAt: Date): Promise<void> {
  await sql`
    update api_keys set expires_at = ${expiresAt}
    where id = ${id} and kind = 'session' and expires_at < ${expiresAt}`.execute(db);
}

export async function updateLastUsed(
  db: Sql,
  uses: readonly { readonly keyId: string; readonly usedAt: Date }[],
): Promise<void> {
  await sql`
    update api_keys k set last_used_at = u.used_at
    from unnest(
      ${uses.map(({ keyId }) => keyId)}::text[],
      ${uses.map(({ usedAt }) => usedAt.toISOString())}::timestamptz[]) as u (id, used_at)
    where k.id = u.id and (k.last_used_at is null or k.last_used_at < u.used_at)`.execute(db);
}

/** A batch of what ended long ago. Returns how many went. */
export async function deleteEndedApiKeys(
  db: Sql,
  ended: { readonly kind: ApiKeyKind; readonly before: Date; readonly limit: number },
): Promise<number> {
  const { rows } = await sql`
    delete from api_keys where id in (
      select id from api_keys
      where kind = ${ended.kind} and expires_at < ${ended.before}
      limit ${ended.limit}
      for update skip locked)
    returning id`.execute(db);
  return rows.length;
}

type Row = {
  readonly id: string;
  readonly kind: ApiKeyKind;
  readonly user_id: string;
  readonly token_name: string;
  readonly scopes: readonly string[];
  readonly lifetime_seconds: number;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date;
  readonly ip_address: string;
  readonly user_agent: string;
};

function fromRow(row: Row): ApiKey {
  return {
    id: row.id,
    kind: row.kind,
    userId: row.user_id,
    tokenName: row.token_name,
    scopes: row.scopes,
    lifetimeSeconds: row.lifetime_seconds,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    ip: row.ip_address,
    userAgent: row.user_agent,
  };
}
