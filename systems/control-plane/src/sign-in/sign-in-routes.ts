/** Signing in and out, and sessions, over HTTP. */
import { assert } from "@atelier/base/assert";
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/sign-in";
import type { z } from "zod";
import { route, type RequestFacts, type Route } from "../http/route.ts";
import { clearedCookies, sessionCookies } from "./session-cookies.ts";
import { dropSession, logIn, logOut, showSessions, type KeyPage } from "./sign-in-actions.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

export function signInRoutes(deps: SignInDeps): Route[] {
  const isSecure = (facts: RequestFacts): boolean => facts.isSecure || deps.isAccessUrlSecure;
  return [
    route(contract.login, async ({ body, facts, audit }) => {
      const loggedIn = await logIn(deps, body, { facts, audit });
      if (!loggedIn.ok) return loggedIn;
      const lifetimeSeconds = Math.floor(deps.sessionDurationMs / 1_000);
      const options = { names: deps.cookies, isSecure: isSecure(facts), lifetimeSeconds };
      for (const cookie of sessionCookies(loggedIn.value, options)) {
        facts.setHeader("set-cookie", cookie);
      }
      // The one time that the token is shown.
      return ok({ session_token: loggedIn.value.reveal() });
    }),

    route(contract.logout, async ({ actor, facts, audit }) => {
      await logOut(deps, actor, audit);
      for (const cookie of clearedCookies(deps.cookies, { isSecure: isSecure(facts) })) {
        facts.setHeader("set-cookie", cookie);
      }
      return ok({ message: "You are signed out." });
    }),

    route(contract.authMethods, async () => ok({ password: { enabled: true } })),

    route(contract.listSessions, async ({ actor, subjectId, query }) => {
      assert(subjectId !== null, "the edge resolves `:user`");
      const { after_id: afterId = null, limit } = query;
      const page = await showSessions(deps, subjectId, { afterId, limit });
      if (!page.ok) return page;
      const sessions = page.value.keys.map((key) => toWire(key, actor.apiKeyId));
      return ok({ sessions, count: page.value.count });
    }),

    route(contract.revokeSession, ({ subjectId, params, audit }) => {
      assert(subjectId !== null, "the edge resolves `:user`");
      return dropSession(deps, { userId: subjectId, id: params.session }, audit);
    }),
  ];
}

function toWire(
  key: KeyPage["keys"][number],
  currentId: string,
): z.input<typeof contract.UserSession> {
  return {
    id: key.id,
    current: key.id === currentId,
    user_agent: key.userAgent,
    ip_address: key.ip,
    created_at: key.createdAt.toISOString(),
    last_used_at: (key.lastUsedAt ?? key.createdAt).toISOString(),
    expires_at: key.expiresAt.toISOString(),
  };
}
