/**
 * Turns one endpoint and its handler into HTTP: admits the request, parses its parts, calls the
 * handler, and cuts the answer to the contract. Expected failures become problems; whatever is
 * thrown is our bug or a database outage, and only the log learns the cause.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { assert } from "@atelier/base/assert";
import { ok } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { RawAnswer, StreamedAnswer } from "@atelier/contract/raw-body";
import { isDatabaseUnavailable } from "@atelier/database/database";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Readable } from "node:stream";
import type { RequestTrail } from "../audit/audit-trail.ts";
import { admit, assumedActor, type AdmitDeps } from "./admit.ts";
import { ActorChanged, ActorProof } from "./assumed-actor.ts";
import { invalidRequest, toProblem } from "./problem.ts";
import { rawAnswerHeaders, rawBodyOf } from "./raw-content.ts";
import { readBytes, readJsonBody } from "./read-body.ts";
import { RequestAudit, type RequestAuditDeps } from "./request-audit.ts";
import type { EndpointRequest, RequestFacts, Route } from "./route.ts";
import type { Endpoint } from "@atelier/contract/endpoint";

export type ServeDeps = AdmitDeps &
  RequestAuditDeps & {
    readonly clock: Clock;
    readonly log: Logger;
    readonly factsOf: (request: FastifyRequest, reply: FastifyReply) => RequestFacts;
    readonly observe: (served: ServedRequest) => void;
  };

export type ServedRequest = {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
};

type Outcome =
  | { readonly kind: "answer"; readonly body: unknown }
  | { readonly kind: "failure"; readonly failure: Failure }
  | { readonly kind: "crash"; readonly error: unknown }
  /** The client left before it had sent its request: nobody waits for an answer. */
  | { readonly kind: "client_gone" };

type Call = {
  readonly route: Route;
  readonly request: FastifyRequest;
  readonly facts: RequestFacts;
  audit: RequestAudit | null;
  userId: string | null;
  /** Read once, also where who asks has to be looked at after all. */
  parts: ReturnType<typeof parseParts> | null;
};

export function serveEndpoint(
  route: Route,
  deps: ServeDeps,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const startedMs = deps.clock.monotonicMs();
    const facts = deps.factsOf(request, reply);
    const audit = auditOf(route.endpoint, deps, facts);
    const call: Call = { route, request, facts, audit, userId: null, parts: null };
    const outcome = await run(deps, call);
    const status = await answer(deps, call, { outcome, reply });
    const { method, path } = route.endpoint;
    const durationMs = deps.clock.monotonicMs() - startedMs;
    const { requestId } = facts;
    deps.observe({ method, route: path, status, durationMs });
    deps.log.debug(
      { method, route: path, status, durationMs, requestId, userId: call.userId },
      "request served",
    );
    return reply;
  };
}

function auditOf(endpoint: Endpoint, deps: ServeDeps, facts: RequestFacts): RequestAudit | null {
  const { audit, success } = endpoint;
  return audit === null ? null : new RequestAudit(deps, { audit, success }, facts);
}

async function run(deps: ServeDeps, call: Call): Promise<Outcome> {
  try {
    return await handle(deps, call);
  } catch (error) {
    return { kind: "crash", error };
  }
}

async function handle(deps: ServeDeps, call: Call): Promise<Outcome> {
  const { endpoint } = call.route;
  const assumed = endpoint.provesCaller === true ? assumedActor(deps, call.request) : null;
  if (assumed === null) return handleAs(deps, call, null);
  const proof = new ActorProof(assumed);
  try {
    const outcome = await handleAs(deps, call, proof);
    if (proof.isProven || outcome.kind === "client_gone") return outcome;
    assert(outcome.kind !== "answer", `${endpoint.summary}: has who asks proven`);
    await proof.prove();
    return outcome;
  } catch (error) {
    if (!(error instanceof ActorChanged)) throw error;
    call.audit = auditOf(endpoint, deps, call.facts);
    return handleAs(deps, call, null);
  }
}

/** Null: who asks is looked at. */
async function handleAs(deps: ServeDeps, call: Call, proof: ActorProof | null): Promise<Outcome> {
  const { route, request, facts, audit } = call;
  const { endpoint, handler } = route;
  const { headers, params } = request;
  const arrival = { endpoint, headers, params, ip: facts.ip, audit, assumed: proof?.assumed };
  const admitted = await admit(deps, arrival);
  if (!admitted.ok) return { kind: "failure", failure: admitted.failure };
  const { actor, subjectId } = admitted.value;
  call.userId = actor?.userId ?? null;

  const parsed = await (call.parts ??= parseParts(endpoint, request));
  if (parsed.kind !== "parts") return parsed;
  const trail: RequestTrail = audit ?? NO_TRAIL;
  const { query, body } = parsed;
  const input = { actor, subjectId, params: admitted.value.params, query, body, facts };
  const besides = { audit: trail, proof: proof ?? undefined };
  // The parts are what the endpoint's own schemas gave.
  const outcome = await handler({ ...input, ...besides } as EndpointRequest<Endpoint>);
  if (!outcome.ok) return { kind: "failure", failure: outcome.failure };
  assert(audit === null || audit.hasRecorded, `${endpoint.summary}: leaves an audit row`);
  // Parsing our own answer drops what the contract does not name, so no secret can slip out.
  return { kind: "answer", body: endpoint.success.body?.parse(outcome.value) };
}

type Parts = { readonly kind: "parts"; readonly query: unknown; readonly body: unknown };

async function parseParts(endpoint: Endpoint, request: FastifyRequest): Promise<Parts | Outcome> {
  const query = endpoint.query.safeParse(request.query);
  if (!query.success) return { kind: "failure", failure: invalidRequest(query.error) };
  if (endpoint.body === null) return { kind: "parts", query: query.data, body: undefined };
  let sent;
  try {
    sent = await readBody(endpoint, request);
  } catch {
    return { kind: "client_gone" };
  }
  if (!sent.ok) return { kind: "failure", failure: sent.failure };
  const body = endpoint.body.safeParse(sent.value);
  return body.success
    ? { kind: "parts", query: query.data, body: body.data }
    : { kind: "failure", failure: invalidRequest(body.error) };
}

async function readBody(
  { rawBody, bodyBytesMax }: Endpoint,
  request: FastifyRequest,
): ReturnType<typeof readJsonBody> {
  if (rawBody === undefined) return readJsonBody(request.raw, bodyBytesMax);
  const bytes = await readBytes(request.raw, rawBody.bytesMax);
  return bytes.ok ? ok(rawBodyOf(request.headers, bytes.value)) : bytes;
}

/** Sends it, after the audit log knows of it. Returns the status. */
async function answer(
  deps: ServeDeps,
  call: Call,
  { outcome, reply }: { readonly outcome: Outcome; readonly reply: FastifyReply },
): Promise<number> {
  const { endpoint } = call.route;
  const { requestId } = call.facts;
  if (outcome.kind === "client_gone") {
    reply.hijack();
    reply.raw.destroy();
    return 0;
  }
  if (outcome.kind === "answer") {
    reply.code(endpoint.success.status);
    if (endpoint.success.body === null) reply.send();
    else if (endpoint.rawAnswer !== undefined)
      sendBytes(reply, outcome.body as RawAnswer | StreamedAnswer);
    else sendJson(reply, outcome.body);
    return endpoint.success.status;
  }
  const failure =
    outcome.kind === "failure" ? outcome.failure : crashFailure(deps.log, outcome.error, requestId);
  const problem = toProblem(failure, requestId);
  await recordFailure(deps.log, call, failure);
  sendJson(reply.code(problem.status).headers(problem.headers), problem.body);
  return problem.status;
}

/** Throttled requests leave no row: else a flood of them would fill the log. */
async function recordFailure(log: Logger, { audit, facts }: Call, failure: Failure): Promise<void> {
  if (failure.code === "request.rate_limited" || failure.code === "login.throttled") return;
  const { requestId } = facts;
  try {
    await audit?.recordFailure(toProblem(failure, requestId).status);
  } catch (error) {
    log.error({ error, requestId, code: failure.code }, "a failed attempt could not be audited");
  }
}

/** The log gets all of it, the client a request id to quote. */
export function crashFailure(log: Logger, error: unknown, requestId: string): Failure {
  if (isDatabaseUnavailable(error)) {
    log.warn({ error, requestId }, "request failed because the database is away");
    return { code: "server.unavailable", retryAfterSeconds: 5 };
  }
  log.error({ error, requestId }, "request crashed");
  return { code: "server.bug" };
}

export function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.header("content-type", "application/json; charset=utf-8").send(JSON.stringify(body));
}

function sendBytes(reply: FastifyReply, file: RawAnswer | StreamedAnswer): FastifyReply {
  reply.headers(rawAnswerHeaders(file));
  if ("bytes" in file) {
    const { buffer, byteOffset, byteLength } = file.bytes;
    return reply.send(Buffer.from(buffer, byteOffset, byteLength));
  }
  const stream = Readable.from(file.chunks, { objectMode: false });
  reply.header("content-length", file.byteLength);
  if (reply.request.method !== "HEAD") return reply.send(stream);
  stream.destroy(); // Nobody reads them.
  return reply.send(Readable.from([]));
}

/** For endpoints that change nothing. */
const NO_WORDS = "an endpoint without audit words records nothing";
const NO_TRAIL: RequestTrail = {
  record: () => Promise.reject(new Error(NO_WORDS)),
  piece: () => {
    throw new Error(NO_WORDS);
  },
  attempted: () => {},
};
