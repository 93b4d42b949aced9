/**
 * The client of our own API, made from endpoints: the CLI and the dashboard call the same one.
 *
 * It knows paths, query strings, schemas and failures. It does not know how bytes travel or who is
 * signed in: that is the `Send` it is given. Nothing here throws for what a server or network can
 * do; a missing path parameter is our bug and does.
 */
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { z } from "zod";
import type { Endpoint } from "./endpoint.ts";
import type { FailureCode, Validation } from "./failures.ts";
import { Problem } from "./http/common.ts";

export type ApiRequest = {
  readonly method: Endpoint["method"];
  /** Path and query string, from `/`. */
  readonly path: string;
  /** JSON text; null sends no body. */
  readonly body: string | null;
};

export type ApiResponse = {
  readonly status: number;
  readonly body: string;
  /** Of the `X-Request-Id` header. */
  readonly requestId: string | null;
  /** Of the `Retry-After` header. */
  readonly retryAfterSeconds: number | null;
};

/** What can happen without an answer that we understand. */
export type ClientFailureCode =
  | "client.unreachable"
  | "client.timed_out"
  | "client.cancelled"
  /** The server answers with the address of another one, which is not followed: it may be a stranger. */
  | "client.redirected"
  /** Not what an Atelier server of a compatible version answers. */
  | "client.answer_unreadable";

export type SendFailure = {
  readonly code: ClientFailureCode;
  readonly message: string;
};

/** Carries one request, with whatever signs it. Never throws for network trouble. */
export type Send = (
  request: ApiRequest,
  options: { readonly signal?: AbortSignal },
) => Promise<Result<ApiResponse, SendFailure>>;

export type ApiProblem = {
  /** Null: no HTTP answer. */
  readonly status: number | null;
  readonly code: FailureCode | ClientFailureCode;
  readonly message: string;
  readonly detail: string | null;
  readonly validations: readonly Validation[];
  /** For an operator, who finds the cause in the server's log. */
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;
};

export type CallInput<E extends Endpoint> = ParamsInput<Named<z.output<E["params"]>>> & {
  readonly query?: Optional<Named<z.output<E["query"]>>>;
} & BodyInput<E["body"]>;

export type CallAnswer<E extends Endpoint> = E["success"]["body"] extends z.ZodType
  ? z.output<E["success"]["body"]>
  : null;

export type ApiClient = {
  call<E extends Endpoint>(
    endpoint: E,
    input: CallInput<E>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Result<CallAnswer<E>, ApiProblem>>;
};

export function apiClient(send: Send): ApiClient {
  return {
    async call(endpoint, input, options = {}) {
      const speaksJson = endpoint.rawBody === undefined && endpoint.rawAnswer === undefined;
      assert(speaksJson, "bytes do not go this way");
      // CallInput<E> is these fields with the endpoint's own types.
      const { params = {}, query = {}, body } = input as LooseInput;
      const path = requestPath(endpoint.path, params, query);
      if (path === null) return fail(UNNAMEABLE);
      const text = endpoint.body === null || body === undefined ? null : JSON.stringify(body);
      return answerOf(endpoint, await send({ method: endpoint.method, path, body: text }, options));
    },
  };
}

/** What came back for an endpoint, whoever carried it: bytes go to it by other ways than `call`. */
export function answerOf<E extends Endpoint>(
  endpoint: E,
  sent: Result<ApiResponse, SendFailure>,
): Result<CallAnswer<E>, ApiProblem> {
  if (!sent.ok) return fail(problemOfSend(sent.failure));
  const response = sent.value;
  if (response.status < 200 || response.status > 299) return fail(problemOf(response));
  return parseAnswer(endpoint, response);
}

/**
 * The path with its parameters filled in. Null when one is empty, `.` or `..`: those vanish from
 * URLs even when escaped, and the request would reach another route.
 */
export function requestPath(
  template: string,
  params: Readonly<Record<string, unknown>>,
  query: Readonly<Record<string, unknown>>,
): string | null {
  const parts: string[] = [];
  for (const part of template.split("/")) {
    if (!part.startsWith(":")) {
      parts.push(part);
      continue;
    }
    const given = params[part.slice(1)];
    const value = typeof given === "number" ? String(given) : given;
    assert(typeof value === "string", `the parameter ${part} of ${template} is given`);
    if (value === "" || value === "." || value === "..") return null;
    if (!value.isWellFormed()) return null;
    parts.push(encodeURIComponent(value));
  }
  const search = queryString(query);
  return parts.join("/") + (search === "" ? "" : `?${search}`);
}

function queryString(query: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (each === undefined || each === null) continue;
      assert(
        typeof each === "string" || typeof each === "number" || typeof each === "boolean",
        `the query field ${name} is a text, number or boolean`,
      );
      search.append(name, String(each));
    }
  }
  return search.toString();
}

function parseAnswer<E extends Endpoint>(
  endpoint: E,
  response: ApiResponse,
): Result<CallAnswer<E>, ApiProblem> {
  // The casts: CallAnswer<E> is null without a schema, else what the schema gives.
  if (endpoint.success.body === null) return ok(null as CallAnswer<E>);
  const json = parseJson(response.body);
  if (json === undefined) return fail(unreadable(response, "The answer is not JSON."));
  const parsed = endpoint.success.body.safeParse(json);
  if (parsed.success) return ok(parsed.data as CallAnswer<E>);
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") ?? "";
  return fail(unreadable(response, `${place === "" ? "" : `${place}: `}${issue?.message ?? ""}`));
}

function problemOf(response: ApiResponse): ApiProblem {
  const parsed = Problem.safeParse(parseJson(response.body));
  if (!parsed.success) {
    return unreadable(response, `HTTP status ${response.status} without an explanation.`);
  }
  const { message, detail = null, validations = [], code, request_id: requestId } = parsed.data;
  return {
    status: response.status,
    // A newer server may send a code we do not know; it is shown, and matches no branch.
    code: code as FailureCode,
    message,
    detail,
    validations,
    requestId: requestId ?? response.requestId,
    retryAfterSeconds: response.retryAfterSeconds,
  };
}

function unreadable(response: ApiResponse, detail: string): ApiProblem {
  return {
    status: response.status,
    code: "client.answer_unreadable",
    message: "This is not an answer of an Atelier server of a compatible version.",
    detail,
    validations: [],
    requestId: response.requestId,
    retryAfterSeconds: response.retryAfterSeconds,
  };
}

function problemOfSend({ code, message }: SendFailure): ApiProblem {
  return { ...NO_ANSWER, code, message };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // Not JSON: the callers say so with the response at hand.
  }
}

const NO_ANSWER = {
  status: null,
  detail: null,
  validations: [],
  requestId: null,
  retryAfterSeconds: null,
} as const;

/** Nothing can have such a name, so we answer what the server would. */
const UNNAMEABLE: ApiProblem = {
  ...NO_ANSWER,
  status: 404,
  code: "resource.not_found",
  message: "No such resource, or you may not see it.",
};

type LooseInput = {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

/** A strict object without fields infers an index signature, which would allow any name. */
type Named<Fields> = string extends keyof Fields ? Record<never, never> : Fields;

type ParamsInput<Params> = keyof Params extends never
  ? { readonly params?: Record<string, never> }
  : { readonly params: Readonly<Params> };

type Optional<Fields> = { readonly [Key in keyof Fields]?: Fields[Key] | undefined };

type BodyInput<Body> = Body extends z.ZodType
  ? undefined extends z.input<Body>
    ? { readonly body?: z.input<Body> }
    : { readonly body: z.input<Body> }
  : { readonly body?: undefined };
