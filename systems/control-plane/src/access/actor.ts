/** Who is asking, and what they may do. */
import { rolesAllow, scopeAllows, type Permission, type Role } from "@atelier/contract/permissions";

export type Actor = {
  readonly userId: string;
  readonly username: string;
  readonly email: string;
  readonly roles: readonly Role[];
  /** Of the session or API token that the request came with. */
  readonly scopes: readonly string[];
  readonly apiKeyId: string;
  readonly keyKind: "session" | "token";
};

/** A chat, as far as it decides who may touch it. */
export type ChatSubject = {
  readonly ownerId: string;
  /** With the one who asks: they read it as if it were theirs, and do nothing else. */
  readonly isShared: boolean;
};

/**
 * Whether the actor may do this to a thing of `ownerId`. Null: the thing is nobody's, or
 * everybody's are meant; then only a grant on all of them counts.
 */
export function may(actor: Actor, permission: Permission, ownerId: string | null): boolean {
  const isOwn = ownerId !== null && ownerId === actor.userId;
  return scopeAllows(actor.scopes, permission) && rolesAllow(actor.roles, permission, { isOwn });
}

/** What is shared is read with the right to read one's own. */
export function mayTouch(
  actor: Actor,
  permission: Permission,
  { ownerId, isShared }: { readonly ownerId: string | null; readonly isShared: boolean },
): boolean {
  if (may(actor, permission, ownerId)) return true;
  return isShared && permission === "chat:read" && may(actor, permission, actor.userId);
}
