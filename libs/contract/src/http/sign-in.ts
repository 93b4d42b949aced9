/** Signing in and out, sessions, and API tokens. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { NoParams, NoQuery, Paging, Timestamp, UserParams, UserRef } from "./common.ts";

export const TOKEN_NAME_PATTERN = /^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$/;

export const login = endpoint({
  tag: "sign-in",
  summary: "Sign in with email and password; also sets the session cookie",
  method: "POST",
  path: "/api/v2/users/login",
  access: "public",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ email: z.string().min(1).max(254), password: z.string().min(1).max(256) }),
  success: { status: 201, body: z.object({ session_token: z.string() }) },
  failures: ["login.refused", "login.throttled", "user.suspended"],
  audit: { action: "login", resource: "session" },
});

export const logout = endpoint({
  tag: "sign-in",
  summary: "End this session",
  method: "POST",
  path: "/api/v2/users/logout",
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ message: z.string() }) },
  failures: [],
  audit: { action: "logout", resource: "session" },
});

export const authMethods = endpoint({
  tag: "sign-in",
  summary: "The ways to sign in",
  method: "GET",
  path: "/api/v2/users/authmethods",
  access: "public",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ password: z.object({ enabled: z.boolean() }) }) },
  failures: [],
  audit: null,
});

export const UserSession = z.object({
  id: z.string(),
  /** The session this request was made with. */
  current: z.boolean(),
  user_agent: z.string(),
  ip_address: z.string(),
  created_at: Timestamp,
  last_used_at: Timestamp,
  expires_at: Timestamp,
});

export const listSessions = endpoint({
  tag: "sign-in",
  summary: "A user's sessions, latest first",
  method: "GET",
  path: "/api/v2/users/:user/sessions",
  access: "api_key:read",
  params: UserParams,
  query: z.strictObject(Paging),
  body: null,
  success: { status: 200, body: z.object({ sessions: z.array(UserSession), count: z.int() }) },
  failures: [],
  audit: null,
});

export const revokeSession = endpoint({
  tag: "sign-in",
  summary: "End one session",
  method: "DELETE",
  path: "/api/v2/users/:user/sessions/:session",
  access: "api_key:delete",
  params: z.strictObject({ user: UserRef, session: z.string().min(1).max(64) }),
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "session" },
});

export const ApiToken = z.object({
  id: z.string(),
  token_name: z.string(),
  user_id: z.uuid(),
  scopes: z.array(z.string()),
  lifetime_seconds: z.int(),
  created_at: Timestamp,
  last_used_at: Timestamp.nullable(),
  expires_at: Timestamp,
});

export const createApiToken = endpoint({
  tag: "tokens",
  summary: "Create an API token; its value is shown this once",
  method: "POST",
  path: "/api/v2/users/:user/keys/tokens",
  access: "api_key:create",
  params: UserParams,
  query: NoQuery,
  body: z
    .strictObject({
      token_name: z
        .string()
        .regex(TOKEN_NAME_PATTERN, "1 to 64 letters, digits, dots, hyphens and underscores.")
        .optional(),
      /** Nanoseconds, as other clients of this route send it; or a text such as `720h` or `30d`. */
      lifetime: z.union([z.number().positive(), z.string().min(1).max(32)]).optional(),
      scopes: z.array(z.string().min(1).max(64)).min(1).max(64).optional(),
      /** One scope, the older spelling. */
      scope: z.string().min(1).max(64).optional(),
    })
    .optional(),
  success: {
    status: 201,
    body: z.object({ key: z.string(), id: z.string(), expires_at: Timestamp }),
  },
  failures: ["api_token.name_taken", "api_token.scope_exceeds_yours"],
  audit: { action: "create", resource: "api_key" },
});

export const listApiTokens = endpoint({
  tag: "tokens",
  summary: "A user's API tokens, latest first",
  method: "GET",
  path: "/api/v2/users/:user/keys/tokens",
  access: "api_key:read",
  params: UserParams,
  query: z.strictObject({ ...Paging, include_expired: z.stringbool().default(false) }),
  body: null,
  success: { status: 200, body: z.object({ tokens: z.array(ApiToken), count: z.int() }) },
  failures: [],
  audit: null,
});

export const getApiToken = endpoint({
  tag: "tokens",
  summary: "One API token, by id or name",
  method: "GET",
  path: "/api/v2/users/:user/keys/:key",
  access: "api_key:read",
  params: z.strictObject({ user: UserRef, key: z.string().min(1).max(64) }),
  query: NoQuery,
  body: null,
  success: { status: 200, body: ApiToken },
  failures: [],
  audit: null,
});

export const deleteApiToken = endpoint({
  tag: "tokens",
  summary: "Revoke an API token, by id or name",
  method: "DELETE",
  path: "/api/v2/users/:user/keys/:key",
  aliases: ["/api/v2/users/:user/keys/tokens/:key"],
  access: "api_key:delete",
  params: z.strictObject({ user: UserRef, key: z.string().min(1).max(64) }),
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "api_key" },
});

export const listScopes = endpoint({
  tag: "tokens",
  summary: "The scopes that a token can have",
  method: "GET",
  path: "/api/v2/auth/scopes",
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ scopes: z.array(z.string()), count: z.int() }) },
  failures: [],
  audit: null,
});
