/**
 * Who may do what: the one permission table. A permission is `resource:action`.
 *
 * A role grants a permission on everybody's things (`any`) or only on the holder's own (`own`).
 * A token's scopes narrow what its user may do, and never widen it.
 */
export const PERMISSIONS = [
  "user:create",
  "user:read",
  "user:update",
  "user:delete",
  "user:assign_roles",
  "api_key:create",
  "api_key:read",
  "api_key:delete",
  "audit_event:read",
  "ai_provider:create",
  "ai_provider:read",
  "ai_provider:update",
  "ai_provider:delete",
  "ai_user_key:read",
  "ai_user_key:update",
  "ai_user_key:delete",
  "ai_usage:read",
  "ai_gateway:use",
  "workspace:create",
  "workspace:read",
  "workspace:update",
  "workspace:delete",
  "workspace:connect",
  "connection_log:read",
  "chat:create",
  "chat:read",
  "chat:update",
  "chat_model:read",
  "chat_model:update",
  "chat_setting:read",
  "chat_setting:update",
  "deployment:read",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ["owner", "user-admin", "auditor", "member"] as const;
export type Role = (typeof ROLES)[number];

type Grants = { readonly any: readonly Permission[]; readonly own: readonly Permission[] };

/** Everybody is a member; the other roles add to it. */
export const ROLE_GRANTS: Readonly<Record<Role, Grants>> = {
  // In a workspace its person is at home, with files and credentials of theirs: nobody else enters.
  // What a chat is told is done there, as that person: nobody else tells it.
  owner: {
    any: PERMISSIONS.filter((name) => name !== "workspace:connect" && name !== "chat:update"),
    own: [],
  },
  "user-admin": {
    any: [
      "user:create",
      "user:read",
      "user:update",
      "user:delete",
      "user:assign_roles",
      "api_key:read",
      "api_key:delete",
      "ai_user_key:read",
      "ai_user_key:delete",
    ],
    own: [],
  },
  auditor: {
    any: [
      "audit_event:read",
      "user:read",
      "ai_usage:read",
      "ai_provider:read",
      "workspace:read",
      "connection_log:read",
      "deployment:read",
    ],
    own: [],
  },
  member: {
    any: [],
    own: [
      "user:read",
      "user:update",
      "api_key:create",
      "api_key:read",
      "api_key:delete",
      "ai_user_key:read",
      "ai_user_key:update",
      "ai_user_key:delete",
      "ai_usage:read",
      "ai_gateway:use",
      "workspace:create",
      "workspace:read",
      "workspace:update",
      "workspace:delete",
      "workspace:connect",
      "chat:create",
      "chat:read",
      "chat:update",
    ],
  },
};

/** The roles a holder may grant or take away. */
export const ASSIGNABLE_ROLES: Readonly<Record<Role, readonly Role[]>> = {
  owner: ["owner", "user-admin", "auditor"],
  "user-admin": ["auditor"],
  auditor: [],
  member: [],
};

/** A scope is a permission, `resource:*`, or `all` (also spelled `coder:all`, as other clients do). */
export const SCOPES: readonly string[] = [
  "all",
  "coder:all",
  ...new Set(PERMISSIONS.map((permission) => `${permission.split(":")[0]}:*`)),
  ...PERMISSIONS,
];

export function scopeAllows(scopes: readonly string[], permission: Permission): boolean {
  return scopes.some(
    (scope) =>
      scope === "all" ||
      scope === "coder:all" ||
      scope === permission ||
      (scope.endsWith(":*") && permission.startsWith(scope.slice(0, -1))),
  );
}

/** Whether these roles grant a permission on a thing of `isOwn` or of somebody else. Scopes come on top. */
export function rolesAllow(
  roles: readonly Role[],
  permission: Permission,
  { isOwn }: { readonly isOwn: boolean },
): boolean {
  return [...roles, "member" as const].some((role) => {
    const grants = ROLE_GRANTS[role];
    return grants.any.includes(permission) || (isOwn && grants.own.includes(permission));
  });
}
