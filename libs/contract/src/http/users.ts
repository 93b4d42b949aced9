/** People: the first user, the user list, roles, status and passwords. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { ROLES } from "../permissions.ts";
import { NoParams, NoQuery, Paging, Timestamp, UserParams } from "./common.ts";

export const USERNAME_PATTERN = /^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$/;
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 256;

/** Other routes stand where a username can stand: such a user could not be reached by name. */
export const RESERVED_USERNAMES: readonly string[] = [
  "me",
  "first",
  "login",
  "logout",
  "authmethods",
  "validate-password",
  "roles",
];

export const Username = z
  .string()
  .min(1)
  .max(32)
  .regex(USERNAME_PATTERN, "Letters and digits, with single hyphens between them.")
  .refine((name) => !RESERVED_USERNAMES.includes(name.toLowerCase()), "This name is reserved.");
export const Email = z.email().max(254);
/** Strength is judged by the server, so that all clients get the same verdict. */
export const Password = z.string().min(1).max(PASSWORD_LENGTH_MAX);
export const DisplayName = z.string().trim().max(128);
export const AssignedRoles = z.array(z.enum(ROLES)).max(ROLES.length);

export const UserStatus = z.enum(["active", "dormant", "suspended"]);

export const User = z.object({
  id: z.uuid(),
  email: z.string(),
  username: z.string(),
  name: z.string(),
  status: UserStatus,
  /** Without `member`, which everybody is. */
  roles: z.array(z.enum(ROLES)),
  organization_ids: z.array(z.uuid()),
  created_at: Timestamp,
  updated_at: Timestamp,
  last_seen_at: Timestamp.nullable(),
});

export const firstUserExists = endpoint({
  tag: "users",
  summary: "Whether the first user exists: 404 until then",
  method: "GET",
  path: "/api/v2/users/first",
  access: "public",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ message: z.string() }) },
  failures: ["resource.not_found"],
  audit: null,
});

export const createFirstUser = endpoint({
  tag: "users",
  summary: "Create the first user, who becomes an owner",
  method: "POST",
  path: "/api/v2/users/first",
  access: "public",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({
    email: Email,
    username: Username,
    name: DisplayName.optional(),
    password: Password,
    /** Accepted and ignored: other clients of this route send it. */
    trial: z.boolean().optional(),
  }),
  success: { status: 201, body: z.object({ user_id: z.uuid(), organization_id: z.uuid() }) },
  failures: ["setup.already_done"],
  audit: { action: "register", resource: "user" },
});

export const listUsers = endpoint({
  tag: "users",
  summary: "List users by username",
  method: "GET",
  path: "/api/v2/users",
  access: "user:read",
  params: NoParams,
  query: z.strictObject({
    ...Paging,
    /** A part of the username, name or email. */
    q: z.string().max(256).optional(),
    status: UserStatus.optional(),
    role: z.enum(ROLES).optional(),
  }),
  body: null,
  success: { status: 200, body: z.object({ users: z.array(User), count: z.int() }) },
  failures: [],
  audit: null,
});

export const createUser = endpoint({
  tag: "users",
  summary: "Create a user",
  method: "POST",
  path: "/api/v2/users",
  access: "user:create",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({
    email: Email,
    username: Username,
    name: DisplayName.optional(),
    password: Password,
    roles: AssignedRoles.optional(),
  }),
  success: { status: 201, body: User },
  failures: ["user.email_taken", "user.username_taken", "user.role_not_assignable"],
  audit: { action: "create", resource: "user" },
});

export const getUser = endpoint({
  tag: "users",
  summary: "One user, by id, username or `me`",
  method: "GET",
  path: "/api/v2/users/:user",
  access: "user:read",
  params: UserParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: User },
  failures: [],
  audit: null,
});

export const updateUserProfile = endpoint({
  tag: "users",
  summary: "Change a user's username or name",
  method: "PUT",
  path: "/api/v2/users/:user/profile",
  access: "user:update",
  params: UserParams,
  query: NoQuery,
  body: z.strictObject({ username: Username.optional(), name: DisplayName.optional() }),
  success: { status: 200, body: User },
  failures: ["user.username_taken"],
  audit: { action: "write", resource: "user" },
});

export const updateUserPassword = endpoint({
  tag: "users",
  summary: "Set a password; all other sessions and API tokens of the user end",
  method: "PUT",
  path: "/api/v2/users/:user/password",
  access: "user:update",
  params: UserParams,
  query: NoQuery,
  /** Your own needs the old one, also for owners. */
  body: z.strictObject({ old_password: z.string().max(256).optional(), password: Password }),
  success: { status: 204, body: null },
  failures: ["user.password_wrong", "user.role_not_assignable"],
  audit: { action: "write", resource: "user" },
});

export const updateUserRoles = endpoint({
  tag: "users",
  summary: "Set a user's roles",
  method: "PUT",
  path: "/api/v2/users/:user/roles",
  access: "user:assign_roles",
  params: UserParams,
  query: NoQuery,
  body: z.strictObject({ roles: AssignedRoles }),
  success: { status: 200, body: User },
  failures: ["user.role_not_assignable", "user.last_owner"],
  audit: { action: "write", resource: "user" },
});

export const suspendUser = endpoint({
  tag: "users",
  summary: "Suspend a user: their tokens are refused at once",
  method: "PUT",
  path: "/api/v2/users/:user/status/suspend",
  access: "user:delete",
  params: UserParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: User },
  failures: ["user.last_owner", "user.self_forbidden", "user.role_not_assignable"],
  audit: { action: "write", resource: "user" },
});

export const activateUser = endpoint({
  tag: "users",
  summary: "Activate a suspended user",
  method: "PUT",
  path: "/api/v2/users/:user/status/activate",
  access: "user:delete",
  params: UserParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: User },
  failures: ["user.role_not_assignable"],
  audit: { action: "write", resource: "user" },
});

export const deleteUser = endpoint({
  tag: "users",
  summary: "Delete a user; what they did stays on record",
  method: "DELETE",
  path: "/api/v2/users/:user",
  access: "user:delete",
  params: UserParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: ["user.last_owner", "user.self_forbidden", "user.role_not_assignable"],
  audit: { action: "delete", resource: "user" },
});

export const validatePassword = endpoint({
  tag: "users",
  summary: "Whether a password is strong enough",
  method: "POST",
  path: "/api/v2/users/validate-password",
  access: "public",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ password: z.string().max(PASSWORD_LENGTH_MAX) }),
  success: { status: 200, body: z.object({ valid: z.boolean(), details: z.string() }) },
  failures: [],
  audit: null,
});

export const listRoles = endpoint({
  tag: "users",
  summary: "The roles, and which of them you may assign",
  method: "GET",
  path: "/api/v2/users/roles",
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      roles: z.array(
        z.object({
          name: z.enum(ROLES),
          assignable: z.boolean(),
          permissions: z.object({ any: z.array(z.string()), own: z.array(z.string()) }),
        }),
      ),
      count: z.int(),
    }),
  },
  failures: [],
  audit: null,
});
