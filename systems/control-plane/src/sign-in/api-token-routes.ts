/** API tokens over HTTP. */
import { assert } from "@atelier/base/assert";
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/sign-in";
import { SCOPES } from "@atelier/contract/permissions";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import { addApiToken, dropApiToken, showApiToken, showApiTokens } from "./api-token-actions.ts";
import type { KeyPage } from "./sign-in-actions.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

export function apiTokenRoutes(deps: SignInDeps): Route[] {
  return [
    route(contract.createApiToken, async ({ actor, subjectId, body = {}, facts, audit }) => {
      const { token_name: name = null, lifetime, scope } = body;
      const scopes = body.scopes ?? (scope === undefined ? undefined : [scope]);
      const maker = { actor, userId: subjectOf(subjectId), facts, audit };
      const made = await addApiToken(deps, { name, lifetime, scopes }, maker);
      if (!made.ok) return made;
      const { id, token, expiresAt } = made.value;
      // The one time that the token is shown.
      return ok({ key: token.reveal(), id, expires_at: expiresAt.toISOString() });
    }),

    route(contract.listApiTokens, async ({ subjectId, query }) => {
      const { after_id: afterId = null, limit, include_expired: includeExpired } = query;
      const page = { afterId, limit, includeExpired };
      const shown = await showApiTokens(deps, subjectOf(subjectId), page);
      if (!shown.ok) return shown;
      return ok({ tokens: shown.value.keys.map(toWire), count: shown.value.count });
    }),

    route(contract.getApiToken, async ({ subjectId, params }) => {
      const shown = await showApiToken(deps, { userId: subjectOf(subjectId), ref: params.key });
      return shown.ok ? ok(toWire(shown.value)) : shown;
    }),

    route(contract.deleteApiToken, ({ subjectId, params, audit }) =>
      dropApiToken(deps, { userId: subjectOf(subjectId), ref: params.key }, audit),
    ),

    route(contract.listScopes, async () => ok({ scopes: [...SCOPES], count: SCOPES.length })),
  ];
}

function subjectOf(subjectId: string | null): string {
  assert(subjectId !== null, "the edge resolves `:user`");
  return subjectId;
}

function toWire(key: KeyPage["keys"][number]): z.input<typeof contract.ApiToken> {
  return {
    id: key.id,
    token_name: key.tokenName,
    user_id: key.userId,
    scopes: [...key.scopes],
    lifetime_seconds: key.lifetimeSeconds,
    created_at: key.createdAt.toISOString(),
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    expires_at: key.expiresAt.toISOString(),
  };
}
