/**
 * Answers what comes to hosts below the wildcard, and nothing else does: whoever is let in gets what their
 * workspace serves, others are sent for a ticket or told what is wrong. No path of these hosts is one of the
 * API or the dashboard.
 */
import type { Logger } from "@atelier/base/logger";
import type { Result } from "@atelier/base/result";
import { PREVIEW_AUTH_PATH } from "@atelier/contract/http/workspace-previews";
import {
  parsePreviewLabel,
  previewLabelOf,
  previewOrigin,
  type PreviewTarget,
  type PreviewWildcard,
} from "@atelier/contract/preview-address";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { originOf, type TrustedProxies } from "../http/client-address.ts";
import { refuseSocket, sendElsewhere, sendPage, sendText } from "./preview-answer-io.ts";
import {
  cookiesNamed,
  hostCookie,
  previewCookies,
  type PreviewCookies,
} from "./preview-headers.ts";
import { previewPage, type PreviewTrouble } from "./preview-page.ts";
import { PASS_MS_MAX, stateOf, type PreviewPass, type PreviewPasses } from "./preview-passes.ts";
import {
  relayRequest,
  relayUpgrade,
  type PreviewAsk,
  type PreviewRelayDeps,
} from "./preview-relay-io.ts";
import type { EntryRefusal, PreviewSessions, PreviewVisit } from "./preview-sessions.ts";
import { enterPathOf, sentBackTo } from "./preview-ways.ts";

export type PreviewHostDeps = PreviewRelayDeps & {
  readonly log: Logger;
  readonly wildcard: PreviewWildcard;
  /** Without a slash at its end. */
  readonly accessUrl: string;
  readonly trustedProxies: TrustedProxies;
  readonly passes: PreviewPasses;
  readonly sessions: PreviewSessions;
};

type Place = { readonly label: string; readonly origin: string; readonly target: PreviewTarget };

/** What is sent instead of what a workspace serves. */
type Instead =
  | { readonly page: PreviewTrouble }
  | { readonly goTo: string; readonly cookies: readonly string[] }
  /** For requests that no person follows by the eye. */
  | { readonly unauthorized: true };

/** To find the way in and back, and no longer. */
const BROWSER_TEXT_SECONDS = 600;
const BROWSER_TEXT = /^[A-Za-z0-9]{32}$/;

export class PreviewHost {
  readonly #deps: PreviewHostDeps;
  readonly #cookies: PreviewCookies;
  readonly #isSecure: boolean;
  readonly #framedBy: readonly string[];

  constructor(deps: PreviewHostDeps) {
    this.#deps = deps;
    this.#isSecure = deps.wildcard.scheme === "https";
    this.#cookies = previewCookies(this.#isSecure);
    this.#framedBy = [new URL(deps.accessUrl).origin];
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((error: unknown) => {
      this.#deps.log.error({ error }, "a preview's request crashed");
      response.destroy();
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    this.#serveUpgrade(request, socket, head).catch((error: unknown) => {
      this.#deps.log.error({ error }, "a preview's socket crashed");
      socket.destroy();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const place = this.#placeOf(request);
    if (place === null) return this.#answer({ page: NO_SUCH_HOST }, request, response);
    if (enterPathOf(request.url) !== null) {
      return this.#answer(this.#enter(request, place), request, response);
    }
    const entered = await this.#letIn(request, place);
    if (!entered.ok)
      return this.#answer(this.#refused(entered.failure, request, place), request, response);
    using visit = entered.value;
    const ask = this.#askOf(request, place, visit);
    const trouble = await relayRequest(this.#deps, ask, request, response);
    if (trouble !== null) this.#answer({ page: trouble }, request, response);
  }

  async #serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const place = this.#placeOf(request);
    if (place === null) return this.#answerSocket(NO_SUCH_HOST, socket);
    const entered = await this.#letIn(request, place);
    if (!entered.ok) {
      const instead = this.#refused(entered.failure, request, place);
      return this.#answerSocket("page" in instead ? instead.page : null, socket);
    }
    using visit = entered.value;
    const ask = this.#askOf(request, place, visit);
    const trouble = await relayUpgrade(this.#deps, ask, request, { socket, head });
    if (trouble !== null) this.#answerSocket(trouble, socket);
  }

  /** Null: the host's name means nothing. */
  #placeOf({ headers }: IncomingMessage): Place | null {
    const { wildcard } = this.#deps;
    const label = previewLabelOf(headers.host, wildcard);
    const target = label === null ? null : parsePreviewLabel(label);
    if (label === null || target === null) return null;
    return { label, target, origin: previewOrigin(wildcard, label) };
  }

  async #letIn(
    request: IncomingMessage,
    { label, target }: Place,
  ): Promise<Result<PreviewVisit, EntryRefusal>> {
    const { sessions, trustedProxies } = this.#deps;
    let refused: Result<never, EntryRefusal> = { ok: false, failure: "signed_out" };
    for (const pass of this.#passesIn(request, label)) {
      const visitor = originOf(request, trustedProxies);
      const entered = await sessions.enter({ pass, target, visitor });
      if (entered.ok) return entered;
      refused = entered;
    }
    return refused;
  }

  #passesIn({ headers }: IncomingMessage, label: string): readonly PreviewPass[] {
    return cookiesNamed(headers.cookie, this.#cookies.pass)
      .map((text) => this.#deps.passes.readPass(text, label))
      .filter((pass) => pass !== null);
  }

  /** A browser comes back with a ticket: it is changed into this host's cookie. */
  #enter(request: IncomingMessage, { label, origin }: Place): Instead {
    const { passes } = this.#deps;
    const { ticket, path } = enterPathOf(request.url) ?? { ticket: "", path: "/" };
    const goTo = sentBackTo(origin, path);
    for (const text of cookiesNamed(request.headers.cookie, this.#cookies.browser)) {
      const apiKeyId = passes.takeTicket(ticket, { label, state: stateOf(text) });
      if (apiKeyId === null) continue;
      const seconds = Math.floor(PASS_MS_MAX / 1_000);
      const cookies = [
        this.#cookie(this.#cookies.pass, passes.issuePass(apiKeyId, label), seconds),
        this.#cookie(this.#cookies.browser, "", 0),
      ];
      return { goTo, cookies };
    }
    // Another tab was faster, or the button "back" was used: it is let in already.
    if (this.#passesIn(request, label).length > 0) return { goTo, cookies: [] };
    return { page: { kind: "not_let_in", url: `${origin}/` } };
  }

  #refused(refusal: EntryRefusal, request: IncomingMessage, place: Place): Instead {
    switch (refusal) {
      case "signed_out":
        return isNavigation(request) ? this.#begin(request, place) : { unauthorized: true };
      case "not_found":
        return { page: { kind: "not_found" } };
      case "too_many":
        return { page: { kind: "too_many_requests" } };
      case "server_stops":
        return { page: { kind: "server_stops" } };
    }
  }

  /** To our own origin, where the person's session is: it comes back with a ticket. */
  #begin(request: IncomingMessage, { label }: Place): Instead {
    const { passes, accessUrl } = this.#deps;
    const [given] = cookiesNamed(request.headers.cookie, this.#cookies.browser);
    // Tabs that begin at once share one.
    const text = given !== undefined && BROWSER_TEXT.test(given) ? given : passes.drawBrowserText();
    const query = new URLSearchParams({ label, state: stateOf(text), path: request.url ?? "/" });
    return {
      goTo: `${accessUrl}${PREVIEW_AUTH_PATH}?${query.toString()}`,
      cookies: [this.#cookie(this.#cookies.browser, text, BROWSER_TEXT_SECONDS)],
    };
  }

  #cookie(name: string, value: string, seconds: number): string {
    return hostCookie(name, value, { isSecure: this.#isSecure, seconds });
  }

  #askOf(
    request: IncomingMessage,
    { label, origin, target }: Place,
    visit: PreviewVisit,
  ): PreviewAsk {
    const { accessUrl, wildcard, trustedProxies } = this.#deps;
    const { ownerName, workspaceName } = visit.agent;
    const scheme = target.isHttps ? "https" : "http";
    const other = label.replace(/^(\d+)s?/, target.isHttps ? "$1" : "$1s");
    return {
      visit,
      target,
      place: {
        origin,
        localOrigin: `${scheme}://localhost:${target.port}`,
        framedBy: this.#framedBy,
      },
      ip: originOf(request, trustedProxies).ip,
      workspaceUrl: `${accessUrl}/${ownerName}/${workspaceName}`,
      otherSchemeUrl: `${previewOrigin(wildcard, other)}/`,
    };
  }

  #answer(instead: Instead, request: IncomingMessage, response: ServerResponse): void {
    if (response.headersSent || response.destroyed) return;
    // What is still to come of the request is not wanted.
    if (!request.complete) response.shouldKeepAlive = false;
    if ("goTo" in instead) sendElsewhere(instead.goTo, instead.cookies, response);
    else if ("page" in instead) {
      const page = previewPage(instead.page, this.#deps.accessUrl);
      sendPage(page, this.#framedBy, request, response);
    } else sendText(401, SIGNED_OUT, response);
  }

  /** Null: not signed in. */
  #answerSocket(trouble: PreviewTrouble | null, socket: Duplex): void {
    if (trouble === null) return refuseSocket(401, SIGNED_OUT, socket);
    const { status, text } = previewPage(trouble, this.#deps.accessUrl);
    refuseSocket(status, text, socket);
  }
}

const NO_SUCH_HOST: PreviewTrouble = { kind: "no_such_host" };
const SIGNED_OUT = "You are not signed in to this preview: open it in a tab of a browser.\n";

/** Whether a person goes there, and can be led elsewhere. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const mode = headers["sec-fetch-mode"];
  return mode === undefined ? headers.accept?.includes("text/html") === true : mode === "navigate";
}
