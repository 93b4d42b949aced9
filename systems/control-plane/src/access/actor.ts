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

/**
 * Whether the actor may do this to a thing of `ownerId`. Null: the thing is nobody's, or
 * everybody's are meant; then only a grant on all of them counts.
 */
export function may(actor: Actor, permission: Permission, ownerId: string | null): boolean {
  const isOwn = ownerId !== null && ownerId === actor.userId;
  return scopeAllows(actor.scopes, permission) && rolesAllow(actor.roles, permission, { isOwn });
}
