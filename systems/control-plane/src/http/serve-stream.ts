/** Turns one path of server-sent events into HTTP: admits the request, then sends what its handler says. */
import type { Logger } from "@atelier/base/logger";
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ServerResponse } from "node:http";
import type { AccessGuard } from "./access-guard.ts";
import { admit, thingRefOf, type AdmitDeps } from "./admit.ts";
import { invalidRequest, toProblem } from "./problem.ts";
import type { RequestFacts } from "./route.ts";
import { crashFailure, sendJson } from "./serve-endpoint.ts";
import type { EventStream, StreamRoute } from "./socket-route.ts";

export type ServeStreamDeps = AdmitDeps & {
  readonly log: Logger;
  readonly guard: AccessGuard;
  readonly factsOf: (request: FastifyRequest, reply: FastifyReply) => RequestFacts;
};

export function serveStream(
  route: StreamRoute,
  deps: ServeStreamDeps,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const facts = deps.factsOf(request, reply);
    const served = await serve(route, deps, { request, reply, facts });
    if (served.ok) return reply;
    const problem = toProblem(served.failure, facts.requestId);
    return sendJson(reply.code(problem.status).headers(problem.headers), problem.body);
  };
}

/** Resolves when the stream is over, or at once when it is refused. */
async function serve(
  { endpoint, handler }: StreamRoute,
  deps: ServeStreamDeps,
  call: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly facts: RequestFacts;
  },
): Promise<Result<undefined, Failure>> {
  const { request, reply, facts } = call;
  const { headers, params: texts } = request;
  const { ip, userAgent, requestId } = facts;
  const arrival = { endpoint: { ...endpoint, method: "GET" } as const, headers, params: texts };
  const admitted = await admit(deps, { ...arrival, ip, audit: null });
  if (!admitted.ok) return admitted;
  const query = endpoint.query.safeParse(request.query);
  if (!query.success) return fail(invalidRequest(query.error));
  const { actor, params } = admitted.value;
  assert(actor !== null, "a stream is for somebody");
  const about = thingRefOf(params, actor);
  const over = new AbortController();
  let goodbye = "";
  const end = (reason: string): void => {
    goodbye = eventText("error", { message: reason });
    over.abort(new Error(reason));
  };
  const held = await deps.guard.hold({ actor, permission: endpoint.access, about, end });
  if (!held.ok) return held;
  using _held = held.value;
  reply.hijack();
  reply.raw.once("close", () => over.abort(new Error("the viewer left")));
  reply.raw.writeHead(200, { ...headersOf(reply), "content-type": "text/event-stream" });
  const input = { actor, params, query: query.data, ip, userAgent };
  try {
    await handler(input, eventsTo(reply.raw, over.signal));
  } catch (error) {
    if (!over.signal.aborted) crashFailure(deps.log, error, requestId);
  }
  reply.raw.end(goodbye);
  return ok(undefined);
}

function eventText(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
}

function eventsTo(response: ServerResponse, signal: AbortSignal): EventStream {
  return {
    signal,
    send: async (type, data) => {
      signal.throwIfAborted();
      if (response.write(eventText(type, data))) return;
      const taken = Promise.withResolvers<void>();
      const onAbort = (): void => taken.reject(signal.reason as Error);
      response.once("drain", taken.resolve);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await taken.promise;
      } finally {
        response.off("drain", taken.resolve);
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}
