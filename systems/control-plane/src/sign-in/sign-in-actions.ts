/** Signing in and out, and a user's sessions. */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { Failure } from "@atelier/contract/failures";
import type { Sql } from "@atelier/database/database";
import { drawApiKey, type DrawnApiKey } from "../access/api-key.ts";
import { publishPrincipalChange } from "../access/principal-change-store.ts";
import type { Actor } from "../access/actor.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { RequestFacts } from "../http/route.ts";
import {
  activateDormantUser,
  findPasswordHash,
  findUserForLogin,
  findUserForUpdate,
  updateLastSeen,
} from "../users/user-store.ts";
import {
  countApiKeys,
  deleteApiKey,
  findApiKey,
  insertApiKey,
  listApiKeys,
  type ApiKey,
} from "./api-key-store.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

export type Credentials = { readonly email: string; readonly password: string };

type From = { readonly facts: RequestFacts; readonly audit: AuditTrail };

type LoginFailure = Failure<"login.refused" | "login.throttled" | "user.suspended">;

/** An unknown email and a wrong password give one answer, after the same work. */
export async function logIn(
  deps: SignInDeps,
  { email, password }: Credentials,
  from: From,
): Promise<Result<Secret, LoginFailure>> {
  const attempt = { ip: from.facts.ip, email };
  const waitSeconds = deps.hasher.isBusy ? 1 : deps.throttle.begin(attempt);
  if (waitSeconds !== null) {
    return fail({ code: "login.throttled", retryAfterSeconds: waitSeconds });
  }
  const found = await findUserForLogin(deps.database.sql, email);
  const userId = found === undefined ? {} : { userId: found.user.id };
  from.audit.attempted({ resourceId: null, target: email, ...userId });
  const passwordHash = found?.passwordHash ?? null;
  const isRight = await deps.hasher.matches(new Secret(password), passwordHash);
  if (!isRight || found === undefined) return fail({ code: "login.refused" });
  deps.throttle.succeeded(attempt);
  return deps.database.transaction((db) =>
    startSession(db, deps, { userId: found.user.id, passwordHash, from }),
  );
}

async function startSession(
  db: Sql,
  deps: SignInDeps,
  login: {
    readonly userId: string;
    readonly passwordHash: string | null;
    readonly from: From;
  },
): Promise<Result<Secret, LoginFailure>> {
  const { userId, from } = login;
  const user = await findUserForUpdate(db, userId);
  // While the password was checked it may have been changed, which ends all sessions made with it.
  const isStillRight = (await findPasswordHash(db, userId)) === login.passwordHash;
  if (user === undefined || !isStillRight) return fail({ code: "login.refused" });
  if (user.status === "suspended") return fail({ code: "user.suspended" });
  const drawn = drawApiKey(deps.random);
  await insertApiKey(
    db,
    newSession(deps, { drawn, userId, facts: from.facts }),
    drawn.hashedSecret,
  );
  const now = deps.clock.now();
  await activateDormantUser(db, userId, now);
  await updateLastSeen(db, [{ userId, usedAt: now }]);
  await from.audit.record(db, { resourceId: drawn.id, target: user.username, userId });
  return ok(drawn.token);
}

function newSession(
  deps: SignInDeps,
  made: { readonly drawn: DrawnApiKey; readonly userId: string; readonly facts: RequestFacts },
): ApiKey {
  const now = deps.clock.now();
  const { ip, userAgent } = made.facts;
  return {
    id: made.drawn.id,
    kind: "session",
    userId: made.userId,
    tokenName: "",
    scopes: ["all"],
    lifetimeSeconds: Math.floor(deps.sessionDurationMs / 1_000),
    createdAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + deps.sessionDurationMs),
    ip,
    userAgent,
  };
}

/** Ends the credential that the request came with, whichever kind it is. */
export async function logOut(deps: SignInDeps, actor: Actor, audit: AuditTrail): Promise<void> {
  const { apiKeyId, userId, username, keyKind } = actor;
  await deps.database.transaction(async (db) => {
    await deleteApiKey(db, { userId, id: apiKeyId });
    const resource = keyKind === "session" ? "session" : "api_key";
    await audit.record(db, { resourceId: apiKeyId, target: username, resource });
    await publishPrincipalChange(db, { kind: "key", keyId: apiKeyId });
  });
}

export type KeyPage = { readonly keys: readonly ApiKey[]; readonly count: number };

export async function showSessions(
  deps: SignInDeps,
  userId: string,
  page: { readonly afterId: string | null; readonly limit: number },
): Promise<Result<KeyPage, Failure<"request.invalid">>> {
  const filter = { userId, kind: "session", expiresAfter: deps.clock.now() } as const;
  return deps.database.readOnlyTransaction(async (db) => {
    const { afterId, limit } = page;
    const after =
      afterId === null ? null : await findApiKey(db, { userId, kind: "session", ref: afterId });
    if (after === undefined) return noSuchPlace("session");
    const keys = await listApiKeys(db, filter, { after, limit });
    return ok({ keys, count: await countApiKeys(db, filter) });
  });
}

export async function dropSession(
  deps: SignInDeps,
  session: { readonly userId: string; readonly id: string },
  audit: AuditTrail,
): Promise<Result<undefined, Failure<"resource.not_found">>> {
  const { userId, id } = session;
  return deps.database.transaction(async (db) => {
    const found = await findApiKey(db, { userId, kind: "session", ref: id });
    if (found === undefined || !(await deleteApiKey(db, { userId, id: found.id }))) {
      return fail({ code: "resource.not_found" });
    }
    await audit.record(db, { resourceId: found.id, target: found.id });
    await publishPrincipalChange(db, { kind: "key", keyId: found.id });
    return ok(undefined);
  });
}

export function noSuchPlace(what: string): Result<never, Failure<"request.invalid">> {
  const validations = [{ field: "after_id", detail: `No such ${what}.` }];
  return fail({ code: "request.invalid", validations });
}
