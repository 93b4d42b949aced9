/**
 * Who a presented credential lets in, and what being let in changes: sessions live on, users wake, and
 * whoever is back was seen.
 */
import type { Clock } from "@atelier/base/clock";
import type { Database } from "@atelier/database/database";
import { parseApiKey } from "../access/api-key.ts";
import type { KeyUsage, KeyUse } from "../access/key-usage.ts";
import { findPrincipal, findPrincipalOfKey } from "../access/principal-store.ts";
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
  if (key === null) return null;
  const db = deps.database.sql;
  const found = await findPrincipal(db, key);
  const now = deps.clock.now();
  if (found === undefined || !isAdmitted(found.principal, now)) return null;
  const { principal, lastUsedAt } = found;
  const { userId } = principal.actor;
  const use = { keyId: key.id, userId, usedAt: now };
  deps.usage.note(use);
  if (isUsedAnew(lastUsedAt, now)) await writeUse(deps, use);
  if (principal.userStatus === "dormant") await activateDormantUser(db, userId, now);
  const expiresAt = extendedExpiry(principal, now);
  if (expiresAt !== null) await extendSession(db, key.id, expiresAt);
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
