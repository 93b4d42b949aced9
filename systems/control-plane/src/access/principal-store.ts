/** Reads who a credential belongs to, and which user a path means. Writes nothing. */
import { ROLES, type Role } from "@atelier/contract/permissions";
import type { ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import type { Database, Sql } from "@atelier/database/database";
import { runTextStatement, type TextRow } from "@atelier/database/text-statement";
import { sql } from "kysely";
import type { ChatSubject } from "./actor.ts";
import { secretMatches, type ApiKeyParts } from "./api-key.ts";
import { isSharedWithText } from "./chat-owner-store.ts";
import type { KeyAtChat } from "./known-keys.ts";
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
  const found = row && toFound(row);
  return found && presented(key, JSON.parse(found.facts) as PrincipalFacts, found.lastUsedAt);
}

/** For requests about a chat: all in one round trip. Undefined: no such key, or its user is deleted. */
export async function findKeyAtChat(
  { pool }: Pool,
  keyId: string,
  chatId: string,
): Promise<KeyAtChat | undefined> {
  const [row] = await runTextStatement(pool, FIND_KEY_AT_CHAT, [keyId, chatId]);
  return row && toFound(row);
}

/** Whether `findKeyAtChat` finds these facts. */
export function factsHold(keyId: string, chatId: string, facts: string): ServiceCondition {
  return { name: "asks", text: factsHoldText, values: [keyId, chatId, facts] };
}

/** Undefined: another secret. `chat`: undefined where there is none. */
export function presentedAtChat(
  key: ApiKeyParts,
  { facts, lastUsedAt }: KeyAtChat,
): (PresentedPrincipal & { readonly chat: ChatSubject | undefined }) | undefined {
  const [ownerId, isShared, ...ofKey] = JSON.parse(facts) as FactsAtChat;
  const found = presented(key, ofKey, lastUsedAt);
  return found && { ...found, chat: ownerId === null ? undefined : { ownerId, isShared } };
}

/** Of every request: one JSON costs less than its columns. */
const PRINCIPAL_FACTS = [
  ...["k.id", "k.kind", "encode(k.hashed_secret, 'hex')", "k.scopes"],
  ...["extract(epoch from k.expires_at) * 1000", "k.lifetime_seconds"],
  ...["u.id", "u.username", "u.email", "u.roles", "u.status"],
] as const;
const CHAT_FACTS = ["c.owner_id", isSharedWithText("u.id")];
const FACTS_AT_CHAT_TEXT = `json_build_array(${[...CHAT_FACTS, ...PRINCIPAL_FACTS].join(", ")})::text`;
const LAST_USED_TEXT = "extract(epoch from k.last_used_at) * 1000";

/** As the database constrains them. */
type PrincipalFacts = readonly [
  ...[id: string, kind: PrincipalRow["kind"], hashedSecret: string, scopes: readonly string[]],
  ...[expiresMs: number, lifetimeSeconds: number],
  ...[userId: string, username: string, email: string],
  ...[roles: readonly string[], status: UserStatus],
];
type FactsAtChat = readonly [ownerId: string | null, isShared: boolean, ...PrincipalFacts];

const FIND_PRINCIPAL = {
  name: "find_principal",
  text: `/* by key */ select json_build_array(${PRINCIPAL_FACTS.join(", ")}), ${LAST_USED_TEXT}
    from api_keys k
    join users u on u.id = k.user_id
    where k.id = $1 and u.deleted_at is null`,
};

/** Key and chat are the values from the number `first` on. */
const keyAtChatText = (first: number): string => `
  from api_keys k
  join users u on u.id = k.user_id
  left join chats c on c.id = $${first + 1}::uuid
  where k.id = $${first}::text and u.deleted_at is null`;

const FIND_KEY_AT_CHAT = {
  name: "find_key_at_chat",
  text: `/* by key */ select ${FACTS_AT_CHAT_TEXT}, ${LAST_USED_TEXT} ${keyAtChatText(1)}`,
};

const factsHoldText = (first: number): string =>
  `exists (select ${keyAtChatText(first)} and ${FACTS_AT_CHAT_TEXT} = $${first + 2}::text)`;

function toFound([facts, lastUsedMs]: TextRow): KeyAtChat {
  const isUsed = lastUsedMs !== null && lastUsedMs !== undefined;
  return { facts: facts ?? "[]", lastUsedAt: isUsed ? new Date(Number(lastUsedMs)) : null };
}

function presented(
  key: ApiKeyParts,
  facts: PrincipalFacts,
  lastUsedAt: Date | null,
): PresentedPrincipal | undefined {
  const [id, kind, hashedSecret, scopes, expiresMs, lifetimeSeconds, ...ofUser] = facts;
  const [userId, username, email, roles, status] = ofUser;
  if (!secretMatches(key.secret, Buffer.from(hashedSecret, "hex"))) return undefined;
  const principal = fromRow({
    ...{ id, kind, scopes, user_id: userId, username, email, roles, status },
    expires_at: new Date(expiresMs),
    lifetime_seconds: lifetimeSeconds,
  });
  return { principal, lastUsedAt };
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
