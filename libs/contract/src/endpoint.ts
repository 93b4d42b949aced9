/**
 * One HTTP endpoint as data. The server implements it, clients call it, and the API reference, the
 * authorization tests and the audit tests are made from it: an endpoint cannot exist without them.
 */
import type { z } from "zod";
import type { AuditAction, AuditResource } from "./audit-words.ts";
import type { FailureCode } from "./failures.ts";
import type { Permission } from "./permissions.ts";

export type EndpointAccess =
  /** Anybody, signed in or not. */
  | "public"
  /** Anybody who is signed in; the handler only touches what is theirs. */
  | "signed_in"
  /** Checked before the handler runs. On a path with `:user`, `:workspace` or `:agent`, own things count as own. */
  | Permission;

export type Endpoint = {
  readonly tag: string;
  readonly summary: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Fastify's spelling: `/api/v2/users/:user`. */
  readonly path: `/${string}`;
  /** Other paths that answer the same. */
  readonly aliases?: readonly `/${string}`[];
  readonly access: EndpointAccess;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** Null: the endpoint takes no body. */
  readonly body: z.ZodType | null;
  /** Of `body` as JSON. Absent: as the server says for all. */
  readonly bodyBytesMax?: number;
  /** Set: the body is bytes, and `body` is RawBody. */
  readonly rawBody?: { readonly bytesMax: number; readonly mediaTypes: readonly string[] };
  readonly success: {
    readonly status: 200 | 201 | 204;
    /** Null only with 204. */
    readonly body: z.ZodType | null;
  };
  /** Set: the answer is bytes of one of these types, and `success.body` is RawAnswer. */
  readonly rawAnswer?: { readonly mediaTypes: readonly string[] };
  /** Besides those that every endpoint can answer: see COMMON_FAILURES. */
  readonly failures: readonly FailureCode[];
  /** Who asks may be taken on trust at first: whoever answers it has that proven (`ServiceCallerProof`). */
  readonly provesCaller?: true;
  /** What the audit log says of it. Null only where nothing changes. */
  readonly audit: { readonly action: AuditAction; readonly resource: AuditResource } | null;
};

/** Every endpoint can answer these. */
export const COMMON_FAILURES = [
  "request.invalid",
  "request.too_large",
  "request.unauthenticated",
  "request.csrf",
  "request.rate_limited",
  "resource.not_found",
  "server.unavailable",
  "server.bug",
] as const satisfies readonly FailureCode[];

/** Whether it is one, of whatever a module exports. */
export function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === "object" && value !== null && "method" in value && "path" in value;
}

export function endpoint<const E extends Endpoint>(definition: E): E {
  return definition;
}
