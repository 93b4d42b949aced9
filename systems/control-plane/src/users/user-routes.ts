/** Users over HTTP. Paths, schemas and permissions: libs/contract/src/http/users.ts. */
import { assert } from "@atelier/base/assert";
import { fail, ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/users";
import { ROLE_GRANTS, ROLES } from "@atelier/contract/permissions";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import {
  activateUser,
  changePassword,
  changeRoles,
  dropUser,
  suspendUser,
} from "./account-actions.ts";
import { addFirstUser, hasFirstUser } from "./first-user-actions.ts";
import { passwordComplaint } from "./password-rules.ts";
import { assignableRoles } from "./role-rules.ts";
import { addUser, changeProfile, showUser, showUsers, type UserView } from "./user-actions.ts";
import type { UserChange, UserDeps } from "./user-deps.ts";

export function userRoutes(deps: UserDeps): Route[] {
  return [...firstUserRoutes(deps), ...listRoutes(deps), ...accountRoutes(deps), ...ruleRoutes()];
}

function firstUserRoutes(deps: UserDeps): Route[] {
  return [
    route(contract.firstUserExists, async () =>
      (await hasFirstUser(deps))
        ? ok({ message: "The first user exists." })
        : fail({ code: "resource.not_found", detail: "The first user does not exist yet." }),
    ),

    route(contract.createFirstUser, async ({ body, audit }) => {
      const { email, username, name = "", password } = body;
      const added = await addFirstUser(deps, { email, username, name, password }, audit);
      if (!added.ok) return added;
      const { userId, organizationId } = added.value;
      return ok({ user_id: userId, organization_id: organizationId });
    }),
  ];
}

function listRoutes(deps: UserDeps): Route[] {
  return [
    route(contract.listUsers, async ({ query }) => {
      const { q: text, status, role, after_id: afterId = null, limit } = query;
      const page = await showUsers(deps, { text, status, role }, { afterId, limit });
      if (!page.ok) return page;
      return ok({ users: page.value.users.map(toWire), count: page.value.count });
    }),

    route(contract.createUser, async ({ actor, body, audit }) => {
      const { email, username, name = "", password, roles = [] } = body;
      const input = { email, username, name, password, roles };
      const added = await addUser(deps, input, { actor, audit });
      return added.ok ? ok(toWire(added.value)) : added;
    }),

    route(contract.getUser, async ({ subjectId }) => {
      const user = await showUser(deps, subjectOf(subjectId));
      return user.ok ? ok(toWire(user.value)) : user;
    }),

    route(contract.updateUserProfile, async ({ body, ...request }) => {
      const changed = await changeProfile(deps, changeOf(request), body);
      return changed.ok ? ok(toWire(changed.value)) : changed;
    }),
  ];
}

function accountRoutes(deps: UserDeps): Route[] {
  return [
    route(contract.updateUserPassword, ({ body, ...request }) => {
      const { password, old_password: oldPassword = null } = body;
      return changePassword(deps, changeOf(request), { password, oldPassword });
    }),

    route(contract.updateUserRoles, async ({ body, ...request }) => {
      const changed = await changeRoles(deps, changeOf(request), body.roles);
      return changed.ok ? ok(toWire(changed.value)) : changed;
    }),

    route(contract.suspendUser, async (request) => {
      const changed = await suspendUser(deps, changeOf(request));
      return changed.ok ? ok(toWire(changed.value)) : changed;
    }),

    route(contract.activateUser, async (request) => {
      const changed = await activateUser(deps, changeOf(request));
      return changed.ok ? ok(toWire(changed.value)) : changed;
    }),

    route(contract.deleteUser, (request) => dropUser(deps, changeOf(request))),
  ];
}

function ruleRoutes(): Route[] {
  return [
    route(contract.validatePassword, async ({ body }) => {
      const complaint = passwordComplaint(body.password, []);
      return ok({ valid: complaint === null, details: complaint ?? "" });
    }),

    route(contract.listRoles, async ({ actor }) => {
      const assignable = assignableRoles(actor);
      const roles = ROLES.map((name) => ({
        name,
        assignable: assignable.includes(name),
        permissions: { any: [...ROLE_GRANTS[name].any], own: [...ROLE_GRANTS[name].own] },
      }));
      return ok({ roles, count: roles.length });
    }),
  ];
}

function changeOf(
  request: Pick<UserChange, "actor" | "audit"> & { readonly subjectId: string | null },
): UserChange {
  const { actor, audit, subjectId } = request;
  return { actor, audit, userId: subjectOf(subjectId) };
}

function subjectOf(subjectId: string | null): string {
  assert(subjectId !== null, "the edge resolves `:user`");
  return subjectId;
}

function toWire(user: UserView): z.input<typeof contract.User> {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    name: user.name,
    status: user.status,
    roles: [...user.roles],
    organization_ids: [...user.organizationIds],
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
    last_seen_at: user.lastSeenAt?.toISOString() ?? null,
  };
}
