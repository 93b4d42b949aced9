/** Reads who a credential belongs to, and which user a path means. Writes nothing. */
import { ROLES, type Role } from "@atelier/contract/permissions";
import type { Database, Sql } from "@atelier/database/database";
import { runTextStatement, type TextRow } from "@atelier/database/text-statement";
import { sql } from "kysely";
import type { ChatSubject } from "./actor.ts";
import { secretMatches, type ApiKeyParts } from "./api-key.ts";
import { isSharedWithText } from "./chat-owner-store.ts";
import type { Principal, UserStatus } from "./principal.ts";

export type PresentedPrincipal = {
  readonly principal: Principal;
  /** As written: later uses may be collected still. */
  readonly lastUsedAt: Date | null;
};

type Pool = Pick<Database, "pool">;

/** Undefined: no such key, another secret, or its user is deleted. Expiry is the caller's to judge. */
export async function findPrincipal(
  { pool }: Pool,
  key: ApiKeyParts,
): Promise<PresentedPrincipal | undefined> {
  const [row] = await runTextStatement(pool, FIND_PRINCIPAL, [key.id]);
  return row && presented(key, row);
}

/** The same with a chat as this user finds it, for requests about one: both in one round trip. */
export async function findPrincipalAndChat(
  { pool }: Pool,
  key: ApiKeyParts,
  chatId: string,
): Promise<(PresentedPrincipal & { readonly chat: ChatSubject | undefined }) | undefined> {
  const [row] = await runTextStatement(pool, FIND_PRINCIPAL_AND_CHAT, [key.id, chatId]);
  const found = row && presented(key, row);
  if (row === undefined || found === undefined) return undefined;
  const [ownerId = null, isShared] = row.slice(PRESENTED_COLUMNS);
  return { ...found, chat: ownerId === null ? undefined : { ownerId, isShared: isShared === "t" } };
}

/** Of every request: what is read of it comes as texts, which cost least. */
const PRINCIPAL_TEXTS = `/* by key */ select k.id, k.kind, encode(k.hashed_secret, 'hex'),
  to_json(k.scopes), extract(epoch from k.expires_at) * 1000, k.lifetime_seconds, u.id, u.username,
  u.email, to_json(u.roles), u.status, extract(epoch from k.last_used_at) * 1000`;
const PRESENTED_COLUMNS = 12;

const FIND_PRINCIPAL = {
  name: "find_principal",
  text: `${PRINCIPAL_TEXTS} from api_keys k
    join users u on u.id = k.user_id
    where k.id = $1 and u.deleted_at is null`,
};

const FIND_PRINCIPAL_AND_CHAT = {
  name: "find_principal_and_chat",
  text: `${PRINCIPAL_TEXTS}, c.owner_id, ${isSharedWithText("u.id")}
    from api_keys k
    join users u on u.id = k.user_id
    left join chats c on c.id = $2
    where k.id = $1 and u.deleted_at is null`,
};

function presented(key: ApiKeyParts, row: TextRow): PresentedPrincipal | undefined {
  const [id, kind, secret, scopes, expiresMs, lifetime, ...ofUser] = row.map((text) => text ?? "");
  const [userId = "", username = "", email = "", roles = "[]", status, lastUsedMs = ""] = ofUser;
  if (!secretMatches(key.secret, Buffer.from(secret ?? "", "hex"))) return undefined;
  const principal = fromRow({
    ...{ id: id ?? "", user_id: userId, username, email },
    kind: kind as PrincipalRow["kind"], // As the database constrains it.
    status: status as UserStatus,
    scopes: JSON.parse(scopes ?? "[]") as string[],
    roles: JSON.parse(roles) as string[],
    expires_at: new Date(Number(expiresMs)),
    lifetime_seconds: Number(lifetime),
  });
  return { principal, lastUsedAt: lastUsedMs === "" ? null : new Date(Number(lastUsedMs)) };
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

const PRINCIPAL_COLUMNS = sql.raw(
  `k.id, k.kind, k.scopes, k.expires_at, k.lifetime_seconds, u.id as user_id, u.username, u.email, u.roles, u.status`,
);

type PrincipalRow = {
  readonly id: string;
  readonly kind: "session" | "token";
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
