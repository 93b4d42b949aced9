/** Pairs an endpoint of the contract with the code that answers it. */
import type { Result } from "@atelier/base/result";
import type { Endpoint } from "@atelier/contract/endpoint";
import type { ServiceCallerProof } from "@atelier/contract/rpc/endpoint-service";
import type { Failure } from "@atelier/contract/failures";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { RequestTrail } from "../audit/audit-trail.ts";

/** What is known of a request besides its parsed parts. */
export type RequestFacts = {
  readonly requestId: string;
  readonly ip: string;
  /** At most 256 characters. */
  readonly userAgent: string;
  readonly isSecure: boolean;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Adds a header to the answer. Several `set-cookie` add up. */
  setHeader(name: string, value: string): void;
};

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type Answer<Schema> = Schema extends z.ZodType ? z.input<Schema> : undefined;

export type EndpointRequest<E extends Endpoint> = {
  /** Null only where the endpoint is public and nobody is signed in. */
  readonly actor: E["access"] extends "public" ? Actor | null : Actor;
  /** The user that `:user` on the path means, or whose `:workspace` or `:agent` it is, permitted. Else null. */
  readonly subjectId: string | null;
  readonly params: z.output<E["params"]>;
  readonly query: z.output<E["query"]>;
  readonly body: Parsed<E["body"]>;
  readonly facts: RequestFacts;
  readonly audit: RequestTrail;
  /** Absent: who asks was looked at. Only endpoints that say so are called with one. */
  readonly proof?: ServiceCallerProof | undefined;
};

export type Handler<E extends Endpoint> = (
  request: EndpointRequest<E>,
) => Promise<Result<Answer<E["success"]["body"]>, Failure<E["failures"][number] | CommonFailure>>>;

type CommonFailure = "request.invalid" | "resource.not_found";

export type Route = { readonly endpoint: Endpoint; readonly handler: Handler<Endpoint> };

/** Pairs them. A failure that the endpoint does not declare does not compile. */
export function route<const E extends Endpoint>(endpoint: E, handler: Handler<E>): Route {
  return { endpoint, handler }; // The edge parses, then calls.
}
