/**
 * Endpoints that another system than the control plane answers: the control plane admits the caller,
 * parses and audits; the service does the rest, and knows nothing of HTTP.
 */
import type { Result } from "@atelier/base/result";
import type { z } from "zod";
import type { Endpoint } from "../endpoint.ts";
import type { Failure } from "../failures.ts";
import type { Permission } from "../permissions.ts";

/** Who asks, admitted and permitted. */
export interface ServiceCaller {
  readonly userId: string;
  readonly username: string;
  /** Of the session or token that the request came with; never its secret. */
  readonly apiKeyId: string;
  /** On a thing of `ownerId`; null: on everybody's. */
  may(permission: Permission, ownerId: string | null): boolean;
}

/** What the audit log says of the call. Called in the transaction of the change, or before a refusal. */
export interface ServiceAudit {
  /** Names the thing for an entry, whatever becomes of the call. */
  attempted(target: { readonly resourceId: string | null; readonly target: string }): void;
}

export type ServiceRequest<E extends Endpoint> = {
  readonly caller: ServiceCaller;
  readonly params: z.output<E["params"]>;
  readonly query: z.output<E["query"]>;
  readonly body: E["body"] extends z.ZodType ? z.output<E["body"]> : undefined;
  readonly audit: ServiceAudit;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
};

export type ServiceAnswer<E extends Endpoint> = Result<
  E["success"]["body"] extends z.ZodType ? z.input<E["success"]["body"]> : undefined,
  Failure<E["failures"][number] | "request.invalid" | "resource.not_found">
>;

/** One function for each endpoint, under the endpoint's name. */
export type EndpointService<Endpoints extends Readonly<Record<string, Endpoint>>> = {
  readonly [Name in keyof Endpoints]: (
    request: ServiceRequest<Endpoints[Name]>,
  ) => Promise<ServiceAnswer<Endpoints[Name]>>;
};
