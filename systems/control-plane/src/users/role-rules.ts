/** Who may change whose roles and accounts: nobody may touch somebody above themselves. */
import { ASSIGNABLE_ROLES, type Role } from "@atelier/contract/permissions";
import { may, type Actor } from "../access/actor.ts";

/** What the actor may grant or take away, given their roles and the scopes of their credential. */
export function assignableRoles(actor: Actor): readonly Role[] {
  if (!may(actor, "user:assign_roles", null)) return [];
  return [...new Set(actor.roles.flatMap((role) => ASSIGNABLE_ROLES[role]))];
}

export function mayChangeRoles(
  actor: Actor,
  change: { readonly from: readonly Role[]; readonly to: readonly Role[] },
): boolean {
  const { from, to } = change;
  const changed = [
    ...from.filter((role) => !to.includes(role)),
    ...to.filter((role) => !from.includes(role)),
  ];
  const assignable = assignableRoles(actor);
  return changed.every((role) => assignable.includes(role));
}

/**
 * Whether the actor may suspend, delete, activate or set the password of a user with these roles:
 * each of them must be one that the actor could grant. Else a user admin could become an owner by
 * way of an owner's account. The actor's scopes are checked by the endpoint's permission.
 */
export function mayGovern(actor: Actor, roles: readonly Role[]): boolean {
  return roles.every((role) => actor.roles.some((own) => ASSIGNABLE_ROLES[own].includes(role)));
}
