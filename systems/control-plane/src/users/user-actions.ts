/** Use cases of the user list: look, create, rename. Accounts and passwords have their own files. */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { Failure } from "@atelier/contract/failures";
import type { Role } from "@atelier/contract/permissions";
import type { Sql } from "@atelier/database/database";
import { publishPrincipalChange } from "../access/principal-change-store.ts";
import { diffAudit } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Actor } from "../access/actor.ts";
import { getDefaultOrganizationId } from "../organizations/organization-store.ts";
import { mayChangeRoles } from "./role-rules.ts";
import { passwordFailure, type UserChange, type UserDeps } from "./user-deps.ts";
import {
  countUsers,
  findUser,
  findUserForUpdate,
  insertUser,
  isEmailTaken,
  isUsernameConflict,
  listUsers,
  updateProfile,
  type UserFilter,
} from "./user-store.ts";
import { assignedRoles, auditedUser, type User } from "./user.ts";

/** A user with the organizations they are in. */
export type UserView = User & { readonly organizationIds: readonly string[] };

export type UserPage = { readonly users: readonly UserView[]; readonly count: number };

export async function showUser(
  deps: UserDeps,
  userId: string,
): Promise<Result<UserView, Failure<"resource.not_found">>> {
  const user = await findUser(deps.database.sql, userId);
  return user === undefined ? fail({ code: "resource.not_found" }) : ok(await toView(deps, user));
}

export async function showUsers(
  deps: UserDeps,
  filter: UserFilter,
  page: { readonly afterId: string | null; readonly limit: number },
): Promise<Result<UserPage, Failure<"request.invalid">>> {
  return deps.database.readOnlyTransaction(async (db) => {
    const last = page.afterId === null ? null : await findListed(page.afterId);
    if (last === undefined) {
      const validations = [{ field: "after_id", detail: "No such user." }];
      return fail({ code: "request.invalid", validations });
    }
    const { limit } = page;
    const users = await listUsers(db, filter, { afterUsername: last?.username ?? null, limit });
    const organizationIds = [await getDefaultOrganizationId(db)];
    const count = await countUsers(db, filter);
    return ok({ users: users.map((user) => ({ ...user, organizationIds })), count });

    async function findListed(id: string): Promise<User | undefined> {
      return UUID.test(id) ? findUser(db, id) : undefined;
    }
  });
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type NewUser = {
  readonly email: string;
  readonly username: string;
  readonly name: string;
  readonly password: string;
  readonly roles: readonly Role[];
};

type AddFailure = Failure<
  "user.email_taken" | "user.username_taken" | "user.role_not_assignable" | "request.invalid"
>;

export async function addUser(
  deps: UserDeps,
  input: NewUser,
  { actor, audit }: { readonly actor: Actor; readonly audit: AuditTrail },
): Promise<Result<UserView, AddFailure>> {
  audit.attempted({ resourceId: null, target: input.username });
  const roles = assignedRoles(input.roles);
  if (!mayChangeRoles(actor, { from: [], to: roles })) {
    return fail({ code: "user.role_not_assignable" });
  }
  const { email, username, name } = input;
  const complaint = passwordFailure(input.password, [username, email]);
  if (complaint !== null) return fail(complaint);
  const passwordHash = await deps.hasher.hash(new Secret(input.password));
  const now = deps.clock.now();
  const times = { createdAt: now, updatedAt: now, lastSeenAt: null };
  const id = deps.random.uuid();
  const user: User = { id, email, username, name, status: "dormant", roles, ...times };
  return deps.database.transaction(async (db) => {
    const added = await insertUser(db, user, passwordHash);
    if (added === undefined) {
      const isEmail = await isEmailTaken(db, email);
      return fail({ code: isEmail ? "user.email_taken" : "user.username_taken" });
    }
    const diff = diffAudit(null, { ...auditedUser(user), password: "set" }, ["password"]);
    await audit.record(db, { resourceId: id, target: username, diff });
    return ok({ ...added, organizationIds: [await getDefaultOrganizationId(db)] });
  });
}

export type ProfileInput = {
  readonly username?: string | undefined;
  readonly name?: string | undefined;
};

type ProfileResult = Result<UserView, Failure<"user.username_taken" | "resource.not_found">>;

export async function changeProfile(
  deps: UserDeps,
  change: UserChange,
  input: ProfileInput,
): Promise<ProfileResult> {
  try {
    return await deps.database.transaction((db) => changeProfileIn(db, deps, { change, input }));
  } catch (error) {
    // The transaction is undone: somebody else has the name, perhaps since a moment ago.
    if (isUsernameConflict(error)) return fail({ code: "user.username_taken" });
    throw error;
  }
}

async function changeProfileIn(
  db: Sql,
  deps: UserDeps,
  { change, input }: { readonly change: UserChange; readonly input: ProfileInput },
): Promise<ProfileResult> {
  const { userId, audit } = change;
  const before = await findUserForUpdate(db, userId);
  if (before === undefined) return fail({ code: "resource.not_found" });
  audit.attempted({ resourceId: userId, target: before.username });
  const { username = before.username, name = before.name } = input;
  const after: User = { ...before, username, name, updatedAt: deps.clock.now() };
  await updateProfile(db, after);
  const diff = diffAudit(auditedUser(before), auditedUser(after));
  await audit.record(db, { resourceId: userId, target: username, diff });
  // Records of the gateway carry the username.
  await publishPrincipalChange(db, { kind: "user", userId });
  return ok({ ...after, organizationIds: [await getDefaultOrganizationId(db)] });
}

async function toView(deps: UserDeps, user: User): Promise<UserView> {
  return { ...user, organizationIds: [await getDefaultOrganizationId(deps.database.sql)] };
}
