/**
 * The server's WebSockets: which path, who may open it, and then the handshake. Nothing is upgraded
 * before its request was let in, and whoever is not let in gets an HTTP answer like any other.
 *
 * Browsers send cookies with a WebSocket that any page opens: with a cookie, the page has to be ours.
 */
import { assert } from "@atelier/base/assert";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { UserSocketEndpoint } from "@atelier/contract/socket-endpoint";
import type { z } from "zod";
import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { AccessGuard } from "./access-guard.ts";
import { admit, thingRefOf, type AdmitDeps } from "./admit.ts";
import { originOf, type RequestOrigin, type TrustedProxies } from "./client-address.ts";
import { presentedToken } from "./presented-token.ts";
import { invalidRequest, toProblem } from "./problem.ts";
import { crashFailure } from "./serve-endpoint.ts";
import type { SocketPulse } from "./socket-pulse-io.ts";
import type { SocketRequest } from "./socket-route.ts";

/** A request for a WebSocket, before it is let in. */
export type UpgradeRequest = RequestOrigin & {
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
};

/** A failure of the API, or plain words for programs that only show them. */
export type UpgradeRefusal = Failure | { readonly status: number; readonly text: string };

/** `wire`: the connection below the socket, for frames that are ready. */
type Accept = (socket: WebSocket, wire: Duplex) => void | Promise<void>;

export type UpgradeRoute = {
  readonly path: `/${string}`;
  /** Of one message. */
  readonly payloadBytesMax: number;
  /** Decides before the handshake, and changes nothing yet. */
  prepare(request: UpgradeRequest): Promise<Result<Accept, UpgradeRefusal>>;
};

export type UpgradeDeps = AdmitDeps & {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly guard: AccessGuard;
  readonly pulse: SocketPulse;
  readonly trustedProxies: TrustedProxies;
  /** Where people reach the deployment. */
  readonly accessUrl: string;
};

/** The server, or something that stands before it, goes away for a while: dial again at once. */
export const CLOSE_RESTART = 1012;
/** Who opened it may not have it any more. */
export const CLOSE_REFUSED = 4403;

export interface Upgrades {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Lets nobody in any more. */
  close(): void;
}

export function createUpgrades(routes: readonly UpgradeRoute[], deps: UpgradeDeps): Upgrades {
  let isClosed = false;
  const served = routes.map((route) => ({
    route,
    pattern: patternOf(route.path),
    handshake: new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: route.payloadBytesMax,
      clientTracking: false,
    }),
  }));
  const upgrade = async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<UpgradeRefusal | null> => {
    if (isClosed) return { code: "server.stopping", retryAfterSeconds: 1 };
    const url = URL.parse(request.url ?? "", "http://host");
    if (url === null) return { code: "request.route_unknown" };
    for (const { route, pattern, handshake } of served) {
      const params = matchPath(pattern, url.pathname);
      if (params === null) continue;
      const { headers } = request;
      const query = Object.fromEntries(url.searchParams);
      const origin = originOf(request, deps.trustedProxies);
      const prepared = await route.prepare({ headers, params, query, ...origin });
      if (!prepared.ok) return prepared.failure;
      // Broken handshakes are answered there, with 400 or 405.
      handshake.handleUpgrade(request, socket, head, (opened) => {
        opened.on("error", (error) => deps.log.debug({ error }, "a WebSocket broke")); // `close` follows.
        run(opened, socket, prepared.value);
      });
      return null;
    }
    return { code: "request.route_unknown" };
  };
  const run = (opened: WebSocket, wire: Duplex, accept: Accept): void => {
    Promise.resolve(accept(opened, wire)).catch((error: unknown) => {
      deps.log.error({ error }, "a WebSocket's work crashed");
      opened.terminate();
    });
  };
  return {
    handle: (request, socket, head) => {
      const requestId = deps.random.uuid();
      const onError = (): void => {}; // The client is gone: there is nobody to tell.
      socket.on("error", onError);
      upgrade(request, socket, head).then(
        (refusal) => {
          if (refusal !== null) refuse(socket, refusal, requestId);
        },
        (error: unknown) => refuse(socket, crashFailure(deps.log, error, requestId), requestId),
      );
    },
    close: () => {
      isClosed = true;
    },
  };
}

/** A WebSocket that users open, by a credential of theirs. Ended when they may not have it any more. */
export function userSocket<const E extends UserSocketEndpoint>(
  endpoint: E,
  deps: UpgradeDeps,
  options: {
    readonly payloadBytesMax: number;
    /**
     * Runs as long as it needs the socket; the signal aborts when the socket is to end, and by `end`. The
     * socket is paused, so that nothing is lost before it is listened to. `wire` is the connection below it.
     */
    run(
      request: SocketRequest<E>,
      socket: WebSocket,
      signal: AbortSignal,
      below: { readonly end: (reason: string) => void; readonly wire: Duplex },
    ): Promise<void>;
  },
): UpgradeRoute {
  return {
    path: endpoint.path,
    payloadBytesMax: options.payloadBytesMax,
    prepare: async ({ headers, params: texts, query: asked, ip, userAgent }) => {
      if (isFromElsewhere(headers, deps)) return fail({ code: "request.csrf" });
      const arrival = { endpoint: { ...endpoint, method: "GET" } as const, headers, ip };
      const admitted = await admit(deps, { ...arrival, params: texts, audit: null });
      if (!admitted.ok) return admitted;
      const query = endpoint.query.safeParse(asked);
      if (!query.success) return fail(invalidRequest(query.error));
      const { actor, params } = admitted.value;
      assert(actor !== null, "a socket is for somebody");
      const about = thingRefOf(params, actor);
      const over = new AbortController();
      const end = (reason: string): void => over.abort(new Error(reason));
      const permission = endpoint.access;
      const held = await deps.guard.hold({ actor, permission, about, end });
      if (!held.ok) return held;
      // Should the handshake fail, nothing ever opens: given back when the socket does not come.
      const opening = giveBackUnless(held.value, deps.clock);
      return ok(async (socket, wire) => {
        using _held = opening.opened();
        socket.pause(); // Until whoever runs it listens: they resume it.
        socket.once("close", () => over.abort(new Error("the client left")));
        const parts = {
          params: params as z.output<E["params"]>,
          query: query.data as z.output<E["query"]>,
        };
        using _kept = deps.pulse.keep(socket);
        try {
          const request = { actor, ...parts, ip, userAgent };
          await options.run(request, socket, over.signal, { end, wire });
        } finally {
          await closeSocket(socket, over.signal, deps.clock);
        }
      });
    },
  };
}

const HANDSHAKE_MS_MAX = 5_000;
const GOODBYE_MS_MAX = 1_000;
const OPENED = new Error("opened");

function giveBackUnless(held: Disposable, clock: Clock): { opened(): Disposable } {
  let timer: AbortController | null = new AbortController();
  clock.sleep(HANDSHAKE_MS_MAX, timer.signal).then(
    () => held[Symbol.dispose](),
    () => {}, // It opened.
  );
  return {
    opened: () => {
      timer?.abort(OPENED);
      // An open socket stays for hours: what only its beginning needed does not.
      timer = null;
      return held;
    },
  };
}

/** Says goodbye, and does not wait long for the answer. */
async function closeSocket(socket: WebSocket, signal: AbortSignal, clock: Clock): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  socket.resume(); // To hear the goodbye.
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  const reason = signal.reason instanceof Error ? signal.reason.message : "";
  if (socket.readyState === WebSocket.OPEN) {
    if (signal.aborted) {
      const isRestart = reason === SERVER_STOPS;
      socket.close(isRestart ? CLOSE_RESTART : CLOSE_REFUSED, reason);
    } else socket.close(1000);
  }
  const timer = new AbortController();
  const late = clock.sleep(GOODBYE_MS_MAX, timer.signal).then(
    () => socket.terminate(),
    () => {}, // It closed in time.
  );
  await closed;
  timer.abort(new Error("closed"));
  await late;
}

/** Why everything ends when the server does. */
export const SERVER_STOPS = "the server stops";

/** Whether a cookie signs a request that a page of somebody else's may have made. */
function isFromElsewhere(
  headers: IncomingHttpHeaders,
  { accessUrl, cookies }: Pick<UpgradeDeps, "accessUrl" | "cookies">,
): boolean {
  if (presentedToken(headers, cookies)?.source !== "cookie") return false;
  const origin = URL.parse(headers.origin ?? "");
  if (origin === null) return true;
  return origin.origin !== URL.parse(accessUrl)?.origin && origin.host !== headers.host;
}

type Pattern = readonly string[];

function patternOf(path: string): Pattern {
  return path.split("/");
}

/** The path's parameters. Null: it is another path. */
function matchPath(pattern: Pattern, path: string): Record<string, string> | null {
  const parts = path.split("/");
  if (parts.length !== pattern.length) return null;
  const params: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] ?? "";
    if (!wanted.startsWith(":")) {
      if (part !== wanted) return null;
      continue;
    }
    try {
      params[wanted.slice(1)] = decodeURIComponent(part);
    } catch {
      return null; // A percent sign that encodes nothing.
    }
  }
  return params;
}

function refuse(socket: Duplex, refusal: UpgradeRefusal, requestId: string): void {
  const { status, headers, type, body } =
    "code" in refusal
      ? problemText(refusal, requestId)
      : { ...refusal, ...PLAIN, body: refusal.text };
  const head = {
    connection: "close",
    "content-type": `${type}; charset=utf-8`,
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
    ...headers,
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  socket.end(`${line}${lines.join("")}\r\n${body}`);
}

const PLAIN = { headers: {}, type: "text/plain" } as const;

function problemText(failure: Failure, requestId: string) {
  const { status, headers, body } = toProblem(failure, requestId);
  return { status, headers, type: "application/json", body: JSON.stringify(body) };
}
