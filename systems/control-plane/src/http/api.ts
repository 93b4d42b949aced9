/**
 * The HTTP API: all routes on one router, which listens nowhere. The process that owns the socket
 * hands requests over with `handle`. Every answer, also to nonsense, is JSON with a request id.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Failure } from "@atelier/contract/failures";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessGuard } from "./access-guard.ts";
import type { AdmitDeps } from "./admit.ts";
import { serveApiDocs } from "./api-docs.ts";
import { originOf, type TrustedProxies } from "./client-address.ts";
import { toProblem } from "./problem.ts";
import type { RequestAuditDeps } from "./request-audit.ts";
import type { RequestFacts, Route } from "./route.ts";
import { crashFailure, sendJson, serveEndpoint, type ServedRequest } from "./serve-endpoint.ts";
import { serveStream } from "./serve-stream.ts";
import type { StreamRoute } from "./socket-route.ts";

export type ApiDeps = AdmitDeps &
  RequestAuditDeps & {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly trustedProxies: TrustedProxies;
    /** Shown in the API's description. */
    readonly version: string;
    readonly observe: (served: ServedRequest) => void;
    /** Answers that stay open, as server-sent events. */
    readonly streams: readonly StreamRoute[];
    /** Ends them when they have to. */
    readonly guard: AccessGuard;
    /** Paths of WebSockets, for those who ask without an upgrade. */
    readonly webSocketPaths: readonly string[];
  };

export interface Api extends AsyncDisposable {
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** Session ids of clients are up to 512 characters, and grow threefold when percent-encoded. */
const PATH_PART_LENGTH_MAX = 1_536;
const URL_INVALID: Failure = { code: "request.invalid", detail: "The URL is not valid." };
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export async function createApi(routes: readonly Route[], deps: ApiDeps): Promise<Api> {
  const app = fastify({
    logger: false,
    genReqId: () => deps.random.uuid(),
    routerOptions: { maxParamLength: PATH_PART_LENGTH_MAX },
    frameworkErrors: (_error, request, reply) => {
      setSecurityHeaders(request, reply);
      sendProblem(reply, URL_INVALID);
    },
  });
  // Bodies are read in serveEndpoint(), after the caller is known to be allowed to send them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.addHook("onRequest", async (request, reply) => {
    setSecurityHeaders(request, reply);
    // Postgres has no such character, so nothing that is named by it exists.
    if (request.url.includes("%00")) return sendProblem(reply, URL_INVALID);
  });
  app.setErrorHandler((error, request, reply) =>
    sendProblem(reply, crashFailure(deps.log, error, request.id)),
  );
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, { code: "request.route_unknown" }),
  );
  addRoutes(app, routes, deps);
  await serveApiDocs(app, { version: deps.version });
  await app.ready();
  return {
    handle: (request, response) => app.routing(request, response),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function addRoutes(app: FastifyInstance, routes: readonly Route[], deps: ApiDeps): void {
  const serveDeps = {
    ...deps,
    factsOf: (request: FastifyRequest, reply: FastifyReply) => factsOf(request, reply, deps),
  };
  const methodsOf = new Map<string, Set<string>>();
  for (const route of routes) {
    const { method, path, aliases = [] } = route.endpoint;
    const handler = serveEndpoint(route, serveDeps);
    for (const url of [path, ...aliases]) {
      app.route({ method, url, handler });
      const methods = methodsOf.get(url) ?? new Set();
      methodsOf.set(url, methods.add(method));
    }
  }
  for (const stream of deps.streams) {
    const { path: url } = stream.endpoint;
    app.route({ method: "GET", url, handler: serveStream(stream, serveDeps) });
    methodsOf.set(url, new Set(["GET"]));
  }
  for (const url of deps.webSocketPaths) {
    const failure = { code: "request.upgrade_required" } as const;
    app.get(url, (_request, reply) => sendProblem(reply.header("upgrade", "websocket"), failure));
    methodsOf.set(url, new Set(["GET"]));
  }
  for (const [url, methods] of methodsOf) refuseOtherMethods(app, url, methods);
}

/** A path that exists answers 405 to other methods, and is not taken for `:user` of another path. */
function refuseOtherMethods(app: FastifyInstance, url: string, methods: Set<string>): void {
  if (methods.has("GET")) methods.add("HEAD");
  const allow = [...methods].toSorted().join(", ");
  const method = METHODS.filter((each) => !methods.has(each));
  app.route({
    method,
    url,
    handler: (_request, reply) =>
      sendProblem(reply.header("allow", allow), { code: "request.method_not_allowed" }),
  });
}

function factsOf(request: FastifyRequest, reply: FastifyReply, deps: ApiDeps): RequestFacts {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return {
    requestId: request.id,
    ...originOf(request.raw, deps.trustedProxies),
    signal: gone.signal,
    setHeader: (name, value) => {
      reply.header(name, value);
    },
  };
}

function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    "x-request-id": request.id,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
  });
}

function sendProblem(reply: FastifyReply, failure: Failure): FastifyReply {
  const problem = toProblem(failure, reply.request.id);
  return sendJson(reply.code(problem.status).headers(problem.headers), problem.body);
}
