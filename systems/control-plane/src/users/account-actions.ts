/**
 * Use cases that take power from a user or give it: roles, suspension, deletion, passwords.
 *
 * Invariants: an owner who can sign in always remains; nobody suspends or deletes themselves; nobody
 * governs somebody above themselves; whatever narrows a user's access reaches every replica at once.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { Failure } from "@atelier/contract/failures";
import type { Role } from "@atelier/contract/permissions";
import type { Sql } from "@atelier/database/database";
import { publishPrincipalChange } from "../access/principal-change-store.ts";
import { diffAudit } from "../audit/audit-event.ts";
import { getDefaultOrganizationId } from "../organizations/organization-store.ts";
import { mayChangeRoles, mayGovern } from "./role-rules.ts";
import type { UserView } from "./user-actions.ts";
import { passwordFailure, type UserChange, type UserDeps } from "./user-deps.ts";
import {
  findPasswordHash,
  findUser,
  findUserAndOwnersForUpdate,
  findUserForUpdate,
  softDeleteUser,
  updatePasswordHash,
  updateRoles,
  updateStatus,
} from "./user-store.ts";
import { assignedRoles, auditedUser, type User } from "./user.ts";

type NotFound = "resource.not_found";

export async function changeRoles(
  deps: UserDeps,
  change: UserChange,
  roles: readonly Role[],
): Promise<Result<UserView, Failure<"user.role_not_assignable" | "user.last_owner" | NotFound>>> {
  const { actor, userId, audit } = change;
  return deps.database.transaction(async (db) => {
    const { user: before, ownerIds } = await findUserAndOwnersForUpdate(db, userId);
    if (before === undefined) return fail({ code: "resource.not_found" });
    audit.attempted({ resourceId: userId, target: before.username });
    const after: User = { ...before, roles: assignedRoles(roles), updatedAt: deps.clock.now() };
    if (!mayChangeRoles(actor, { from: before.roles, to: after.roles })) {
      return fail({ code: "user.role_not_assignable" });
    }
    if (!after.roles.includes("owner") && isLastOwner(userId, ownerIds)) {
      return fail({ code: "user.last_owner" });
    }
    await updateRoles(db, after);
    return ok(await recordChange(db, { ...change, before, after }));
  });
}

export async function suspendUser(
  deps: UserDeps,
  change: UserChange,
): Promise<Result<UserView, GovernFailure>> {
  return deps.database.transaction(async (db) => {
    const governed = await findGoverned(db, change);
    if (!governed.ok) return governed;
    const before = governed.value;
    const after: User = { ...before, status: "suspended", updatedAt: deps.clock.now() };
    await updateStatus(db, after);
    return ok(await recordChange(db, { ...change, before, after }));
  });
}

/** Whoever is active already stays so. */
export async function activateUser(
  deps: UserDeps,
  change: UserChange,
): Promise<Result<UserView, Failure<"user.role_not_assignable" | NotFound>>> {
  const { actor, userId, audit } = change;
  return deps.database.transaction(async (db) => {
    const before = await findUserForUpdate(db, userId);
    if (before === undefined) return fail({ code: "resource.not_found" });
    audit.attempted({ resourceId: userId, target: before.username });
    if (!mayGovern(actor, before.roles)) return fail({ code: "user.role_not_assignable" });
    const after: User = { ...before, status: "active", updatedAt: deps.clock.now() };
    await updateStatus(db, after);
    return ok(await recordChange(db, { ...change, before, after }));
  });
}

export async function dropUser(
  deps: UserDeps,
  change: UserChange,
): Promise<Result<undefined, GovernFailure>> {
  const { userId, audit } = change;
  return deps.database.transaction(async (db) => {
    const governed = await findGoverned(db, change);
    if (!governed.ok) return governed;
    await softDeleteUser(db, userId, deps.clock.now());
    await deps.revokeKeys(db, { userId, exceptKeyId: null });
    const diff = diffAudit(auditedUser(governed.value), null);
    await audit.record(db, { resourceId: userId, target: governed.value.username, diff });
    await publishPrincipalChange(db, { kind: "user", userId });
    return ok(undefined);
  });
}

export async function changePassword(
  deps: UserDeps,
  change: UserChange,
  input: { readonly password: string; readonly oldPassword: string | null },
): Promise<
  Result<
    undefined,
    Failure<"user.password_wrong" | "user.role_not_assignable" | "request.invalid" | NotFound>
  >
> {
  const { actor, userId, audit } = change;
  const user = await findUser(deps.database.sql, userId);
  if (user === undefined) return fail({ code: "resource.not_found" });
  audit.attempted({ resourceId: userId, target: user.username });
  const isOwn = userId === actor.userId;
  if (!isOwn && !mayGovern(actor, user.roles)) return fail({ code: "user.role_not_assignable" });
  if (isOwn && !(await knowsPassword(deps, userId, input.oldPassword))) {
    return fail({ code: "user.password_wrong" });
  }
  const complaint = passwordFailure(input.password, [user.username, user.email]);
  if (complaint !== null) return fail(complaint);
  const passwordHash = await deps.hasher.hash(new Secret(input.password));
  return deps.database.transaction(async (db) => {
    // Their roles may have grown while the password was hashed.
    const current = await findUserForUpdate(db, userId);
    if (current === undefined) return fail({ code: "resource.not_found" });
    if (!isOwn && !mayGovern(actor, current.roles)) {
      return fail({ code: "user.role_not_assignable" });
    }
    await updatePasswordHash(db, { id: userId, passwordHash, updatedAt: deps.clock.now() });
    await deps.revokeKeys(db, { userId, exceptKeyId: isOwn ? actor.apiKeyId : null });
    const diff = { password: { secret: true } } as const;
    await audit.record(db, { resourceId: userId, target: current.username, diff });
    await publishPrincipalChange(db, { kind: "user", userId });
    return ok(undefined);
  });
}

type GovernFailure = Failure<
  "user.last_owner" | "user.self_forbidden" | "user.role_not_assignable" | NotFound
>;

/** The user, locked, if the actor may suspend or delete them and an owner remains. */
async function findGoverned(
  db: Sql,
  { actor, userId, audit }: UserChange,
): Promise<Result<User, GovernFailure>> {
  const { user, ownerIds } = await findUserAndOwnersForUpdate(db, userId);
  if (user === undefined) return fail({ code: "resource.not_found" });
  audit.attempted({ resourceId: userId, target: user.username });
  if (isLastOwner(userId, ownerIds)) return fail({ code: "user.last_owner" });
  if (userId === actor.userId) return fail({ code: "user.self_forbidden" });
  return mayGovern(actor, user.roles) ? ok(user) : fail({ code: "user.role_not_assignable" });
}

function isLastOwner(userId: string, ownerIds: readonly string[]): boolean {
  return ownerIds.length === 1 && ownerIds[0] === userId;
}

async function knowsPassword(
  deps: UserDeps,
  userId: string,
  password: string | null,
): Promise<boolean> {
  const hashed = await findPasswordHash(deps.database.sql, userId);
  return deps.hasher.matches(new Secret(password ?? ""), hashed);
}

async function recordChange(
  db: Sql,
  change: UserChange & { readonly before: User; readonly after: User },
): Promise<UserView> {
  const { userId, audit, before, after } = change;
  const diff = diffAudit(auditedUser(before), auditedUser(after));
  await audit.record(db, { resourceId: userId, target: after.username, diff });
  await publishPrincipalChange(db, { kind: "user", userId });
  return { ...after, organizationIds: [await getDefaultOrganizationId(db)] };
}
