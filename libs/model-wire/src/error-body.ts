/**
 * The gateway's own problems as error bodies in the provider's shape, because SDKs parse it. Spec:
 * gateway 2.8.
 */
import type { WireFormat } from "./wire-format.ts";

export type GatewayProblem = {
  /** The HTTP status that the body goes with. */
  readonly status: number;
  /** The format's own word for the kind of problem; by default what fits the status. */
  readonly type?: string;
  /** In OpenAI formats by default what fits the status, in messages by default none. */
  readonly code?: string;
  /** For the client: no hosts, paths or secrets. */
  readonly message: string;
};

/** JSON bytes. */
export function errorBody(format: WireFormat, problem: GatewayProblem): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(BODIES[format](problem)));
}

const BODIES: Record<WireFormat, (problem: GatewayProblem) => object> = {
  chat_completions: openaiBody,
  responses: openaiBody,
  messages: anthropicBody,
};

function openaiBody({ status, message, type, code }: GatewayProblem): object {
  const fitting = openaiWords(status);
  return {
    error: { message, type: type ?? fitting.type, param: null, code: code ?? fitting.code },
  };
}

function anthropicBody({ status, message, type, code }: GatewayProblem): object {
  const error = { type: type ?? anthropicType(status), message };
  return { type: "error", error: code === undefined ? error : { ...error, code } };
}

/** OpenAI's guide "Error codes" names the codes; the types are what its API answers. */
function openaiWords(status: number): { readonly type: string; readonly code: string | null } {
  switch (status) {
    case 401:
      return { type: "authentication_error", code: "invalid_api_key" };
    case 403:
      return { type: "permission_error", code: null };
    case 404:
      return { type: "not_found_error", code: null };
    case 413:
      return { type: "invalid_request_error", code: "request_too_large" };
    case 429:
      return { type: "rate_limit_error", code: "rate_limit_exceeded" };
    case 503:
      return { type: "server_error", code: "service_unavailable" };
    default:
      return status < 500
        ? { type: "invalid_request_error", code: null }
        : { type: "server_error", code: "server_error" };
  }
}

/** Anthropic's API reference, "Errors". */
function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}
