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
import type { AdmitDeps } from "./admit.ts";
import { serveApiDocs } from "./api-docs.ts";
import { clientAddress, isTrusted, plainAddress, type TrustedProxies } from "./client-address.ts";
import { toProblem } from "./problem.ts";
import { RateLimit } from "./rate-limit.ts";
import type { RequestAuditDeps } from "./request-audit.ts";
import type { RequestFacts, Route } from "./route.ts";
import { crashFailure, sendJson, serveEndpoint, type ServedRequest } from "./serve-endpoint.ts";

export type ApiDeps = Omit<AdmitDeps, "rateLimit"> &
  RequestAuditDeps & {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly trustedProxies: TrustedProxies;
    /** Per user, or per address where nobody is signed in. 0: no limit. */
    readonly requestsPerMinuteMax: number;
    /** Shown in the API's description. */
    readonly version: string;
    readonly observe: (served: ServedRequest) => void;
  };

export interface Api extends AsyncDisposable {
  handle(request: IncomingMessage, response: ServerResponse): void;
}

const USER_AGENT_LENGTH_MAX = 256;
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
    rateLimit: new RateLimit(deps.clock, deps.requestsPerMinuteMax),
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
  const { headers, socket } = request.raw;
  const peer = plainAddress(socket.remoteAddress ?? "");
  const forwardedFor = headers["x-forwarded-for"];
  const isForwardedSecure =
    isTrusted(peer, deps.trustedProxies) && headers["x-forwarded-proto"] === "https";
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return {
    requestId: request.id,
    ip: clientAddress(peer, String(forwardedFor ?? ""), deps.trustedProxies),
    userAgent: (headers["user-agent"] ?? "").slice(0, USER_AGENT_LENGTH_MAX),
    isSecure: "encrypted" in socket || isForwardedSecure,
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
