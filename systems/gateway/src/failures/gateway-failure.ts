/**
 * What the gateway itself answers when it refuses or fails a request, as values (spec gateway 2.8).
 * On routes of a known format the body has the provider's shape, because SDKs parse it.
 */
import { errorBody, type GatewayProblem } from "@atelier/model-wire/error-body";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { KeysExhausted } from "../keys/key-pool.ts";

export type GatewayFailure = GatewayProblem & {
  readonly retryAfterSeconds?: number;
  readonly allow?: string;
};

export const BODY_BYTES_MAX = 32 * 1024 * 1024;

export const FAILURE = {
  noToken: { status: 400, message: "no authentication key provided" },
  unauthorized: { status: 403, message: "unauthorized" },
  authorizerUnavailable: { status: 503, message: "could not check the token, please try again" },
  byokForbidden: {
    status: 403,
    message:
      "Bring Your Own Key (BYOK) mode is not enabled. An operator enables it with the option ai-gateway-allow-byok.",
  },
  noCredential: {
    status: 403,
    message: "upstream authentication unavailable: no provider credentials supplied or configured",
  },
  rateLimited: {
    status: 429,
    message: "You've been rate limited. Please try again later.",
    retryAfterSeconds: 1,
  },
  tooManyOfUser: {
    status: 429,
    message: "You have too many requests under way at once. Please wait for one of them to end.",
    retryAfterSeconds: 1,
  },
  overloaded: {
    status: 503,
    message: "The AI Gateway has reached its limit of concurrent requests. Please try again later.",
    retryAfterSeconds: 1,
  },
  keyQueueFull: {
    status: 429,
    message:
      "All keys of this provider are at their limit of concurrent requests, and too many requests wait for one already. Please try again later.",
    retryAfterSeconds: 5,
  },
  keyQueueTimeout: {
    status: 503,
    message:
      "All keys of this provider stayed at their limit of concurrent requests for too long. Please try again later.",
    retryAfterSeconds: 5,
  },
  shuttingDown: { status: 503, message: "AI Gateway is shutting down", retryAfterSeconds: 1 },
  pathRefused: { status: 400, message: "the request path is not acceptable" },
  bodyTooLarge: {
    status: 413,
    message: "Request body too large. The maximum allowed request body size is 32MiB.",
  },
  bodyTimeout: { status: 408, message: "the request body did not arrive in time" },
  bodyEncoding: { status: 415, message: "the request body's content encoding is not supported" },
  methodNotAllowed: { status: 405, message: "this route takes POST only", allow: "POST" },
  traceRefused: {
    status: 405,
    message: "TRACE is not served: its answer would show the provider's key",
    allow: "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
  },
  background: { status: 501, message: "background requests are not supported" },
  notRecorded: { status: 500, message: "failed to record interception" },
  upstreamUnreachable: { status: 502, message: "could not reach the model provider" },
  upstreamTimeout: { status: 504, message: "the model provider did not answer in time" },
} as const satisfies Record<string, GatewayFailure>;

/** The circuit breaker refuses in the provider's place. */
export function breakerOpen(
  retryInMs: number,
  words: Pick<GatewayProblem, "type" | "code">,
): GatewayFailure {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryInMs / 1_000));
  return { status: 503, message: "circuit breaker is open", ...words, retryAfterSeconds };
}

/** Time heals the one; the other is the operator's to mend, and no use to repeat soon. */
export function keysExhausted(exhausted: KeysExhausted): GatewayFailure {
  if (exhausted.kind === "auth_failed") {
    return {
      status: 502,
      type: "api_error",
      message: "all configured keys failed authentication",
    };
  }
  const retryAfterSeconds = Math.max(1, Math.ceil(exhausted.retryInMs / 1_000));
  return { status: 429, message: "all configured keys are rate-limited", retryAfterSeconds };
}

export function routeUnknown(method: string, path: string): GatewayFailure {
  return { status: 404, message: `route not supported: ${method} ${path}` };
}

export function providerDisabled(name: string): GatewayFailure {
  return { status: 503, message: `provider_disabled: AI provider "${name}" is disabled` };
}

export function badBody(reason: string): GatewayFailure {
  return { status: 400, message: reason };
}

export type GatewayAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export function toAnswer(format: WireFormat | null, failure: GatewayFailure): GatewayAnswer {
  const headers: Record<string, string> = {
    "content-type": format === null ? "text/plain; charset=utf-8" : "application/json",
    "x-content-type-options": "nosniff",
  };
  if (failure.retryAfterSeconds !== undefined) {
    headers["retry-after"] = String(failure.retryAfterSeconds);
  }
  if (failure.allow !== undefined) headers["allow"] = failure.allow;
  const body =
    format === null ? new TextEncoder().encode(failure.message) : errorBody(format, failure);
  headers["content-length"] = String(body.byteLength);
  return { status: failure.status, headers, body };
}
