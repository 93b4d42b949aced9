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

/**
 * A caller who is taken for what their credential was when it was looked at last. The call changes nothing, and
 * tells nothing, unless that is proven: by a statement that does nothing where it is not so, or by looking again.
 */
export interface ServiceCallerProof {
  readonly condition: ServiceCondition;
  /** To be called once a statement with the condition has made its change. */
  proven(): void;
  /** Looks again. Rejects where it is not so: the call is over then, and is made anew for who asks indeed. */
  prove(): Promise<void>;
}

/** SQL of a condition, with its own values from the number `first` on. One name, one text. */
export type ServiceCondition = {
  readonly name: string;
  readonly text: (first: number) => string;
  readonly values: readonly (string | null)[];
};

/** What the audit log says of the call. Without a word of the service, an entry is written afterwards. */
export interface ServiceAudit {
  /** Names the thing for an entry, whatever becomes of the call. */
  attempted(target: ServiceTarget): void;
  /**
   * Writes the entry of a change into the change's own transaction, so that both are durable together.
   * `transaction` is the database library's; this one does not know it.
   */
  record(transaction: object, change: ServiceTarget & ServiceChange): Promise<void>;
}

export interface ServiceRequestAudit extends ServiceAudit {
  /** `record` for a change of one statement: the entry is a piece of that. */
  piece(target: ServiceTarget): ServiceAuditPiece;
}

/** SQL that writes one row when the statement that it is a piece of makes its change. */
export type ServiceAuditPiece = {
  /** One name, one text. */
  readonly name: string;
  /** Over the rows of `changed`, which are one or none, with its own values from the number `first` on. */
  readonly text: (first: number, changed: string) => string;
  readonly values: readonly (string | null)[];
  /** To be called once the change is made, so that no second entry is written. */
  readonly written: () => void;
};

export type ServiceTarget = { readonly resourceId: string | null; readonly target: string };

/** The thing before and after, as far as the log shows it. Null: it was not, or is not any more. */
export type ServiceChange = {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
};

export type ServiceRequest<E extends Endpoint> = {
  readonly caller: ServiceCaller;
  /** Whom `:user` on the path means, permitted. Null: the path names nobody. */
  readonly subjectId: string | null;
  readonly params: z.output<E["params"]>;
  readonly query: z.output<E["query"]>;
  readonly body: E["body"] extends z.ZodType ? z.output<E["body"]> : undefined;
  readonly audit: ServiceRequestAudit;
  /** Absent: who asks was looked at. Only endpoints that say so are called with one. */
  readonly proof?: ServiceCallerProof | undefined;
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
