/**
 * On our own origin: changes a person's session into a ticket for one preview of theirs, and sends the
 * browser back with it. Whoever is not signed in goes to the sign-in first.
 */
import type { Logger } from "@atelier/base/logger";
import {
  parsePreviewLabel,
  previewOrigin,
  type PreviewTarget,
  type PreviewWildcard,
} from "@atelier/contract/preview-address";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdmitDeps } from "../http/admit.ts";
import { originOf, type TrustedProxies } from "../http/client-address.ts";
import { presentedToken } from "../http/presented-token.ts";
import type { KnownWorkspaceAgent } from "../workspaces/workspace.ts";
import { sendElsewhere, sendPage } from "./preview-answer-io.ts";
import { previewPage, type PreviewTrouble } from "./preview-page.ts";
import type { PreviewPasses } from "./preview-passes.ts";
import { mayEnter } from "./preview-sessions.ts";
import { enterUrl, sentBackTo, ticketWantedOf } from "./preview-ways.ts";

export type PreviewAuthDeps = Pick<AdmitDeps, "authenticate" | "cookies" | "rateLimit"> & {
  readonly log: Logger;
  readonly wildcard: PreviewWildcard;
  /** Without a slash at its end. */
  readonly accessUrl: string;
  readonly trustedProxies: TrustedProxies;
  readonly passes: PreviewPasses;
  readonly findAgent: (target: PreviewTarget) => Promise<KnownWorkspaceAgent | null>;
};

type Decision = { readonly goTo: string } | PreviewTrouble;

export function answerPreviewAuth(
  deps: PreviewAuthDeps,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  decide(deps, request)
    .then((decision) => {
      if ("goTo" in decision) {
        sendElsewhere(decision.goTo, [], response);
        return;
      }
      sendPage(previewPage(decision, deps.accessUrl), [], request, response);
    })
    .catch((error: unknown) => {
      deps.log.error({ error }, "letting into a preview crashed");
      response.destroy();
    });
}

async function decide(deps: PreviewAuthDeps, request: IncomingMessage): Promise<Decision> {
  const { wildcard, accessUrl, trustedProxies, rateLimit, passes } = deps;
  const wanted = ticketWantedOf(request.url);
  const target = wanted === null ? null : parsePreviewLabel(wanted.label);
  if (wanted === null || target === null || request.method !== "GET") {
    return { kind: "no_such_host" };
  }
  const presented = presentedToken(request.headers, deps.cookies);
  // A browser's own session: whoever has a token at hand has no use for a cookie.
  const token = presented?.source === "cookie" ? presented.token : null;
  const actor = token === null ? null : await deps.authenticate(token);
  const { ip } = originOf(request, trustedProxies);
  if (rateLimit.take(actor === null ? `ip:${ip}` : actor.userId) !== null) {
    return { kind: "too_many_requests" };
  }
  const origin = previewOrigin(wildcard, wanted.label);
  if (actor === null) {
    const url = sentBackTo(origin, wanted.path);
    if (isFramed(request)) return { kind: "sign_in_elsewhere", url };
    return { goTo: `${accessUrl}/login?next=${encodeURIComponent(request.url ?? "/")}` };
  }
  const agent = await deps.findAgent(target);
  if (!mayEnter(actor, agent)) return { kind: "not_found" };
  const ticket = passes.issueTicket(actor.apiKeyId, wanted);
  return { goTo: enterUrl(origin, { ticket, path: wanted.path }) };
}

/** The sign-in is never shown in a frame. */
function isFramed({ headers }: IncomingMessage): boolean {
  const place = headers["sec-fetch-dest"];
  return place === "iframe" || place === "frame" || place === "embed" || place === "object";
}
