/**
 * Who a presented credential lets in, and what being let in changes: sessions live on, users wake, and
 * whoever is back was seen.
 */
import type { Clock } from "@atelier/base/clock";
import type { Database } from "@atelier/database/database";
import type { ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import { parseApiKey, type ApiKeyParts } from "../access/api-key.ts";
import type { KeyUsage, KeyUse } from "../access/key-usage.ts";
import type { ChatSubject } from "../access/actor.ts";
import type { KnownKeys } from "../access/known-keys.ts";
import {
  factsHold,
  findKeyAtChat,
  findPrincipal,
  findPrincipalOfKey,
  presentedAtChat,
  type PresentedPrincipal,
} from "../access/principal-store.ts";
import { extendedExpiry, isAdmitted, isUsedAnew, type Principal } from "../access/principal.ts";
import { activateDormantUser, updateLastSeen } from "../users/user-store.ts";
import { extendSession, updateLastUsed } from "./api-key-store.ts";

export type PrincipalDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly usage: KeyUsage;
};

/** Null: unknown, revoked, expired, or of a user who is suspended or deleted. */
export async function authenticate(deps: PrincipalDeps, token: string): Promise<Principal | null> {
  const key = parseApiKey(token);
  return key === null ? null : enter(deps, await findPrincipal(deps.database, key));
}

export type EnteredForChat = {
  readonly principal: Principal;
  /** As this user finds it. Undefined: there is none. */
  readonly chat: ChatSubject | undefined;
};

type ChatPrincipalDeps = PrincipalDeps & { readonly knownKeys: KnownKeys };

/** The same, for a request about a chat. */
export async function authenticateForChat(
  deps: ChatPrincipalDeps,
  token: string,
  chatId: string,
): Promise<EnteredForChat | null> {
  const key = parseApiKey(token);
  return key && enterForChat(deps, key, chatId);
}

async function enterForChat(
  deps: ChatPrincipalDeps,
  key: ApiKeyParts,
  chatId: string,
): Promise<EnteredForChat | null> {
  const { database, knownKeys } = deps;
  const atChat = await findKeyAtChat(database, key.id, chatId);
  const found = atChat && presentedAtChat(key, atChat);
  const principal = await enter(deps, found);
  if (atChat === undefined || principal === null) {
    knownKeys.forget(key.id, chatId);
    return null;
  }
  knownKeys.keep(key.id, chatId, atChat);
  return { principal, chat: found?.chat };
}

/** Somebody who was let in before, if nothing has changed since, which nobody has looked at yet. */
export type AssumedForChat = EnteredForChat & {
  /** Nothing has changed. */
  readonly condition: ServiceCondition;
  /** To be called once that is known. */
  readonly entered: () => void;
  /** Looks, and lets them in where it is so. */
  readonly look: () => Promise<boolean>;
};

/** Null: nobody is known by this credential, or letting them in would change something. */
export function assumeForChat(
  deps: ChatPrincipalDeps,
  token: string,
  chatId: string,
): AssumedForChat | null {
  const { clock, usage, knownKeys } = deps;
  const key = parseApiKey(token);
  const known = key && knownKeys.get(key.id, chatId);
  const found = key && known && presentedAtChat(key, known);
  const now = clock.now();
  if (!key || !known || !found || !isEnteredAsIs(found, now)) return null;
  const { principal, chat } = found;
  const { apiKeyId: keyId, userId } = principal.actor;
  return {
    ...{ principal, chat },
    condition: factsHold(keyId, chatId, known.facts),
    entered: () => usage.note({ keyId, userId, usedAt: now }),
    look: async () => {
      const entered = await enterForChat(deps, key, chatId);
      return entered !== null && knownKeys.get(key.id, chatId)?.facts === known.facts;
    },
  };
}

/** Being let in changes nothing but that they were seen. */
function isEnteredAsIs({ principal, lastUsedAt }: PresentedPrincipal, now: Date): boolean {
  if (principal.userStatus !== "active" || !isAdmitted(principal, now)) return false;
  return !isUsedAnew(lastUsedAt, now) && extendedExpiry(principal, now) === null;
}

async function enter(
  deps: PrincipalDeps,
  found: PresentedPrincipal | undefined,
): Promise<Principal | null> {
  const now = deps.clock.now();
  if (found === undefined || !isAdmitted(found.principal, now)) return null;
  const { principal, lastUsedAt } = found;
  const { userId, apiKeyId: keyId } = principal.actor;
  const db = deps.database.sql;
  const use = { keyId, userId, usedAt: now };
  deps.usage.note(use);
  if (isUsedAnew(lastUsedAt, now)) await writeUse(deps, use);
  if (principal.userStatus === "dormant") await activateDormantUser(db, userId, now);
  const expiresAt = extendedExpiry(principal, now);
  if (expiresAt !== null) await extendSession(db, keyId, expiresAt);
  return { ...principal, userStatus: "active", expiresAt: expiresAt ?? principal.expiresAt };
}

async function writeUse({ database }: PrincipalDeps, use: KeyUse): Promise<void> {
  try {
    await updateLastUsed(database.sql, [use]);
    await updateLastSeen(database.sql, [use]);
  } catch {
    // It is noted: the upkeep writes it, and nobody is kept out for it.
  }
}

/**
 * Whom the server itself may act for, by the id of the API key that the request came with which asked
 * for it. Null as above, and for dormant users: work in the background wakes nobody, and keeps no
 * session alive (spec gateway 3.2).
 */
export async function authenticateDelegated(
  { database, clock }: Pick<PrincipalDeps, "database" | "clock">,
  apiKeyId: string,
): Promise<Principal | null> {
  const found = await findPrincipalOfKey(database.sql, apiKeyId);
  return found?.userStatus === "active" && isAdmitted(found, clock.now()) ? found : null;
}
