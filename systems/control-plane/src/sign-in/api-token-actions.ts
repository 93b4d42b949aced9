/** API tokens: named credentials for programs. Their values are shown once. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import type { Failure } from "@atelier/contract/failures";
import { drawApiKey } from "../access/api-key.ts";
import { publishPrincipalChange } from "../access/principal-change-store.ts";
import type { Actor } from "../access/actor.ts";
import { diffAudit } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { RequestFacts } from "../http/route.ts";
import {
  countApiKeys,
  deleteApiKey,
  deleteExpiredToken,
  findApiKey,
  insertApiKey,
  listApiKeys,
  type ApiKey,
} from "./api-key-store.ts";
import { grantLifetime, grantScopes } from "./api-token-grant.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { noSuchPlace, type KeyPage } from "./sign-in-actions.ts";

export type ApiTokenWish = {
  /** Null: the token is called by its id. */
  readonly name: string | null;
  readonly lifetime: number | string | undefined;
  readonly scopes: readonly string[] | undefined;
};

export type MadeApiToken = {
  readonly id: string;
  readonly token: Secret;
  readonly expiresAt: Date;
};

type MakeFailure = Failure<
  | "request.invalid"
  | "resource.not_found"
  | "api_token.name_taken"
  | "api_token.scope_exceeds_yours"
>;

export type Maker = {
  readonly actor: Actor;
  readonly userId: string;
  readonly facts: RequestFacts;
  readonly audit: AuditTrail;
};

export async function addApiToken(
  deps: SignInDeps,
  wish: ApiTokenWish,
  { actor, userId, facts, audit }: Maker,
): Promise<Result<MadeApiToken, MakeFailure>> {
  audit.attempted({ resourceId: null, target: wish.name ?? "" });
  // A token acts as its user: nobody makes one for somebody else, whatever their roles.
  if (userId !== actor.userId) return fail({ code: "resource.not_found" });
  const lifetime = grantLifetime(wish.lifetime, deps.tokenLifetimes);
  if (!lifetime.ok) return lifetime;
  const scopes = grantScopes(wish.scopes, actor.scopes);
  if (!scopes.ok) return scopes;
  const drawn = drawApiKey(deps.random);
  const now = deps.clock.now();
  const key: ApiKey = {
    id: drawn.id,
    kind: "token",
    userId,
    tokenName: wish.name ?? drawn.id,
    scopes: scopes.value,
    lifetimeSeconds: lifetime.value,
    createdAt: now,
    lastUsedAt: null,
    expiresAt: new Date(now.getTime() + lifetime.value * 1_000),
    ip: facts.ip,
    userAgent: facts.userAgent,
  };
  return deps.database.transaction(async (db) => {
    await deleteExpiredToken(db, { userId, name: key.tokenName, now });
    if (!(await insertApiKey(db, key, drawn.hashedSecret))) {
      return fail({ code: "api_token.name_taken" });
    }
    const diff = diffAudit(null, auditedToken(key));
    await audit.record(db, { resourceId: key.id, target: key.tokenName, diff });
    return ok({ id: key.id, token: drawn.token, expiresAt: key.expiresAt });
  });
}

export async function showApiTokens(
  deps: SignInDeps,
  userId: string,
  page: {
    readonly afterId: string | null;
    readonly limit: number;
    readonly includeExpired: boolean;
  },
): Promise<Result<KeyPage, Failure<"request.invalid">>> {
  const expiresAfter = page.includeExpired ? new Date(0) : deps.clock.now();
  const filter = { userId, kind: "token", expiresAfter } as const;
  return deps.database.readOnlyTransaction(async (db) => {
    const { afterId, limit } = page;
    const after =
      afterId === null ? null : await findApiKey(db, { userId, kind: "token", ref: afterId });
    if (after === undefined) return noSuchPlace("API token");
    const keys = await listApiKeys(db, filter, { after, limit });
    return ok({ keys, count: await countApiKeys(db, filter) });
  });
}

export async function showApiToken(
  deps: SignInDeps,
  token: { readonly userId: string; readonly ref: string },
): Promise<Result<ApiKey, Failure<"resource.not_found">>> {
  const found = await findApiKey(deps.database.sql, { ...token, kind: "token" });
  return found === undefined ? fail({ code: "resource.not_found" }) : ok(found);
}

export async function dropApiToken(
  deps: SignInDeps,
  token: { readonly userId: string; readonly ref: string },
  audit: AuditTrail,
): Promise<Result<undefined, Failure<"resource.not_found">>> {
  const { userId, ref } = token;
  return deps.database.transaction(async (db) => {
    const found = await findApiKey(db, { userId, kind: "token", ref });
    if (found === undefined || !(await deleteApiKey(db, { userId, id: found.id }))) {
      return fail({ code: "resource.not_found" });
    }
    const diff = diffAudit(auditedToken(found), null);
    await audit.record(db, { resourceId: found.id, target: found.tokenName, diff });
    await publishPrincipalChange(db, { kind: "key", keyId: found.id });
    return ok(undefined);
  });
}

function auditedToken(key: ApiKey): Readonly<Record<string, unknown>> {
  const { tokenName, scopes, lifetimeSeconds, expiresAt } = key;
  return {
    token_name: tokenName,
    scopes,
    lifetime_seconds: lifetimeSeconds,
    expires_at: expiresAt,
  };
}
