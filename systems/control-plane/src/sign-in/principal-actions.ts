/**
 * Who a presented credential lets in, and what being let in changes: sessions live on, users wake, and
 * whoever is back was seen.
 */
import type { Clock } from "@atelier/base/clock";
import type { Database } from "@atelier/database/database";
import { parseApiKey } from "../access/api-key.ts";
import type { KeyUsage, KeyUse } from "../access/key-usage.ts";
import type { ChatSubject } from "../access/actor.ts";
import {
  findPrincipal,
  findPrincipalAndChat,
  findPrincipalOfKey,
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

/** The same, for a request about a chat. `chat`: as this user finds it; undefined: there is none. */
export async function authenticateForChat(
  deps: PrincipalDeps,
  token: string,
  chatId: string,
): Promise<{ readonly principal: Principal; readonly chat: ChatSubject | undefined } | null> {
  const key = parseApiKey(token);
  if (key === null) return null;
  const found = await findPrincipalAndChat(deps.database, key, chatId);
  const principal = await enter(deps, found);
  return principal && { principal, chat: found?.chat };
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
