/** Setting the server up: the first user, who becomes an owner. */
import { fail, ok, type Result } from "@atelier/base/result";
import { assert } from "@atelier/base/assert";
import { Secret } from "@atelier/base/secret";
import type { Failure } from "@atelier/contract/failures";
import { diffAudit } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { getDefaultOrganizationId } from "../organizations/organization-store.ts";
import { passwordFailure, type UserDeps } from "./user-deps.ts";
import { insertUser, lockFirstUser, userExists } from "./user-store.ts";
import { auditedUser, type User } from "./user.ts";

export type FirstUser = { readonly userId: string; readonly organizationId: string };

export type FirstUserInput = {
  readonly email: string;
  readonly username: string;
  readonly name: string;
  readonly password: string;
};

/** Also true when all users are deleted again: setup happens once. */
export async function hasFirstUser(deps: UserDeps): Promise<boolean> {
  return userExists(deps.database.sql);
}

export async function addFirstUser(
  deps: UserDeps,
  input: FirstUserInput,
  audit: AuditTrail,
): Promise<Result<FirstUser, Failure<"setup.already_done" | "request.invalid">>> {
  // Before the hash, which is dear: anybody may call this.
  if (await hasFirstUser(deps)) return fail({ code: "setup.already_done" });
  const complaint = passwordFailure(input.password, [input.username, input.email]);
  if (complaint !== null) return fail(complaint);
  const passwordHash = await deps.hasher.hash(new Secret(input.password));
  const { email, username, name } = input;
  const now = deps.clock.now();
  const user: User = {
    id: deps.random.uuid(),
    email,
    username,
    name,
    status: "active",
    roles: ["owner"],
    createdAt: now,
    updatedAt: now,
    lastSeenAt: null,
  };
  return deps.database.transaction(async (db) => {
    await lockFirstUser(db);
    if (await userExists(db)) return fail({ code: "setup.already_done" });
    const added = await insertUser(db, user, passwordHash);
    assert(added !== undefined, "the first user's names are free");
    const diff = diffAudit(null, { ...auditedUser(user), password: "set" }, ["password"]);
    await audit.record(db, { resourceId: user.id, target: username, userId: user.id, diff });
    return ok({ userId: user.id, organizationId: await getDefaultOrganizationId(db) });
  });
}
