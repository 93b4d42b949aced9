/**
 * Endpoints that another system of this process answers: the caller is admitted and the request parsed
 * here as for any other. Until the system is there, and while it is not, they are unavailable.
 */
import { fail } from "@atelier/base/result";
import { assert } from "@atelier/base/assert";
import type { Endpoint } from "@atelier/contract/endpoint";
import type { EndpointService, ServiceRequest } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import { diffAudit } from "../audit/audit-event.ts";
import type { EndpointRequest, Handler, Route } from "./route.ts";
import { serviceCaller } from "./service-caller.ts";

type Endpoints = Readonly<Record<string, Endpoint>>;

export type ServiceRoutes<E extends Endpoints> = {
  readonly routes: readonly Route[];
  /** Answers from now on, until the result is disposed. */
  readonly serveWith: (service: EndpointService<E>) => Disposable;
};

/** `sql`: where entries go that the service did not write itself. */
export function serviceRoutes<E extends Endpoints>(endpoints: E, sql: Sql): ServiceRoutes<E> {
  let mounted: EndpointService<E> | null = null;
  const routes = Object.entries(endpoints).map(([name, endpoint]): Route => {
    const handler: Handler<Endpoint> = async (request) => {
      if (mounted === null) return UNAVAILABLE;
      const answer = mounted[name];
      assert(answer !== undefined, `the service answers ${name}`);
      const audit = new Trail(request.audit);
      const asked = { ...serviceRequest(request), audit };
      // The edge parsed the parts by this endpoint's own schemas.
      const outcome = await answer(asked as never);
      if (outcome.ok && endpoint.audit !== null) await audit.complete(sql);
      // Of the failures that the endpoint declares: the service's type says so.
      return outcome;
    };
    return { endpoint, handler };
  });
  return {
    routes,
    serveWith: (service) => {
      mounted = service;
      return {
        [Symbol.dispose]: () => {
          if (mounted === service) mounted = null;
        },
      };
    },
  };
}

/** Every endpoint can answer it. */
const UNAVAILABLE = fail({ code: "server.unavailable", retryAfterSeconds: 5 } as const);

function serviceRequest(
  request: EndpointRequest<Endpoint>,
): Omit<ServiceRequest<Endpoint>, "audit"> {
  const { actor, subjectId, params, query, body, facts, proof } = request;
  assert(actor !== null, "nobody is served elsewhere who is not signed in");
  return {
    caller: serviceCaller(actor),
    subjectId,
    params,
    query,
    body: body as undefined,
    signal: facts.signal,
    proof,
  };
}

type RequestTrail = EndpointRequest<Endpoint>["audit"];
type ServiceAudit = ServiceRequest<Endpoint>["audit"];

class Trail implements ServiceAudit {
  readonly #trail: RequestTrail;
  #target: Parameters<ServiceAudit["attempted"]>[0] = { resourceId: null, target: "" };
  #hasRecorded = false;

  constructor(trail: RequestTrail) {
    this.#trail = trail;
  }

  attempted(target: Parameters<ServiceAudit["attempted"]>[0]): void {
    this.#target = target;
    this.#trail.attempted(target);
  }

  async record(
    transaction: object,
    { resourceId, target, before, after }: Parameters<ServiceAudit["record"]>[1],
  ): Promise<void> {
    const entry = { resourceId, target, diff: diffAudit(before, after) };
    // The contract does not know databases: both sides are in this process and use the same one.
    await this.#trail.record(transaction as Sql, entry);
    this.#hasRecorded = true;
  }

  piece(target: Parameters<ServiceAudit["piece"]>[0]): ReturnType<ServiceAudit["piece"]> {
    const piece = this.#trail.piece(target);
    const written = (): void => {
      piece.written();
      this.#hasRecorded = true;
    };
    return { ...piece, written };
  }

  /** For services that say only what they did it to. */
  async complete(sql: Sql): Promise<void> {
    if (!this.#hasRecorded) await this.#trail.record(sql, this.#target);
  }
}
