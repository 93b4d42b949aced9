/** A credential together with its user, and whether it lets anybody in at a given time. */
import type { Actor } from "./actor.ts";

export type UserStatus = "active" | "dormant" | "suspended";

export type Principal = {
  readonly actor: Actor;
  readonly userStatus: UserStatus;
  readonly expiresAt: Date;
  readonly lifetimeSeconds: number;
};

/** Uses are collected and written each minute. After a pause of this length the first one is written at once. */
const PAUSE_MS = 3_600_000;

/** A session that is used lives on, but its row is written at most this often. */
const EXTEND_AT_MOST_EVERY_MS = 3_600_000;

/** Suspended users and expired credentials are refused. Dormant users are let in, and wake up. */
export function isAdmitted(principal: Principal, now: Date): boolean {
  return principal.userStatus !== "suspended" && now < principal.expiresAt;
}

/** Whether the credential is in use for the first time, or again after a pause. */
export function isUsedAnew(lastUsedAt: Date | null, now: Date): boolean {
  return lastUsedAt === null || now.getTime() - lastUsedAt.getTime() >= PAUSE_MS;
}

/** When this session ends if it is used at `now`. Null: leave it as it is. API tokens never move. */
export function extendedExpiry(principal: Principal, now: Date): Date | null {
  if (principal.actor.keyKind !== "session") return null;
  const wantedMs = now.getTime() + principal.lifetimeSeconds * 1_000;
  const gainMs = wantedMs - principal.expiresAt.getTime();
  // Short sessions would die of the hourly rule; they move once a tenth of them is gone.
  const gainMinMs = Math.min(EXTEND_AT_MOST_EVERY_MS, principal.lifetimeSeconds * 100);
  return gainMs < gainMinMs ? null : new Date(wantedMs);
}
