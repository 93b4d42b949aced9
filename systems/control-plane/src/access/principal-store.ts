/** Reads who a credential belongs to, and which user a path means. Writes nothing. */
import { ROLES, type Role } from "@atelier/contract/permissions";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { ChatSubject } from "./actor.ts";
import { secretMatches, type ApiKeyParts } from "./api-key.ts";
import { isSharedWith } from "./chat-owner-store.ts";
import type { Principal, UserStatus } from "./principal.ts";

export type PresentedPrincipal = {
  readonly principal: Principal;
  /** As written: later uses may be collected still. */
  readonly lastUsedAt: Date | null;
};

/** Undefined: no such key, another secret, or its user is deleted. Expiry is the caller's to judge. */
export async function findPrincipal(
  db: Sql,
  key: ApiKeyParts,
): Promise<PresentedPrincipal | undefined> {
  const { rows } = await sql<PrincipalRow & { readonly last_used_at: Date | null }>`
    /* by key */ select ${PRINCIPAL_COLUMNS}, k.last_used_at
    from api_keys k
    join users u on u.id = k.user_id
    where k.id = ${key.id} and u.deleted_at is null`.execute(db);
  return presented(key, rows[0]);
}

/** The same with a chat as this user finds it, for requests about one: both in one round trip. */
export async function findPrincipalAndChat(
  db: Sql,
  key: ApiKeyParts,
  chatId: string,
): Promise<(PresentedPrincipal & { readonly chat: ChatSubject | undefined }) | undefined> {
  const { rows } = await sql<
    PrincipalRow & {
      readonly last_used_at: Date | null;
      readonly chat_owner_id: string | null;
      readonly is_chat_shared: boolean;
    }
  >`
    /* by key */ select ${PRINCIPAL_COLUMNS}, k.last_used_at,
           c.owner_id as chat_owner_id, ${isSharedWith(sql.ref("u.id"))} as is_chat_shared
    from api_keys k
    join users u on u.id = k.user_id
    left join chats c on c.id = ${chatId}
    where k.id = ${key.id} and u.deleted_at is null`.execute(db);
  const [row] = rows;
  const found = presented(key, row);
  if (row === undefined || found === undefined) return undefined;
  const { chat_owner_id: ownerId, is_chat_shared: isShared } = row;
  return { ...found, chat: ownerId === null ? undefined : { ownerId, isShared } };
}

function presented(
  key: ApiKeyParts,
  row: (PrincipalRow & { readonly last_used_at: Date | null }) | undefined,
): PresentedPrincipal | undefined {
  return row !== undefined && secretMatches(key.secret, row.hashed_secret)
    ? { principal: fromRow(row), lastUsedAt: row.last_used_at }
    : undefined;
}

/** Without its secret: only for calls that this process itself makes for its user. */
export async function findPrincipalOfKey(db: Sql, keyId: string): Promise<Principal | undefined> {
  const { rows } = await sql<PrincipalRow>`
    /* by key */ select ${PRINCIPAL_COLUMNS}
    from api_keys k
    join users u on u.id = k.user_id
    where k.id = ${keyId} and u.deleted_at is null`.execute(db);
  return rows.map(fromRow)[0];
}

/** By id or, without regard to case, by username. Deleted users are not found. */
export async function findUserId(db: Sql, ref: string): Promise<string | undefined> {
  const { rows } = UUID.test(ref)
    ? await sql<{ id: string }>`
        select id from users where id = ${ref} and deleted_at is null`.execute(db)
    : await sql<{ id: string }>`
        select id from users where lower(username) = lower(${ref}) and deleted_at is null`.execute(
        db,
      );
  return rows[0]?.id;
}

/** Usernames are shorter than this, so nobody can be mistaken for an id. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const PRINCIPAL_COLUMNS = sql.raw(`k.id, k.kind, k.hashed_secret, k.scopes, k.expires_at,
  k.lifetime_seconds, u.id as user_id, u.username, u.email, u.roles, u.status`);

type PrincipalRow = {
  readonly id: string;
  readonly kind: "session" | "token";
  readonly hashed_secret: Uint8Array;
  readonly scopes: readonly string[];
  readonly expires_at: Date;
  readonly lifetime_seconds: number;
  readonly user_id: string;
  readonly username: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly status: UserStatus;
};

function fromRow(row: PrincipalRow): Principal {
  return {
    actor: {
      userId: row.user_id,
      username: row.username,
      email: row.email,
      roles: row.roles.filter((role): role is Role => (ROLES as readonly string[]).includes(role)),
      scopes: row.scopes,
      apiKeyId: row.id,
      keyKind: row.kind,
    },
    userStatus: row.status,
    expiresAt: row.expires_at,
    lifetimeSeconds: row.lifetime_seconds,
  };
}
