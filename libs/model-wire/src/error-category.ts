/** Sorts a provider's refusals into the few kinds that records and statistics know. Spec: gateway 4.9. */
import type { WireFormat } from "./wire-format.ts";

export type ErrorCategory =
  | "overloaded"
  | "rate_limited"
  | "unauthorized"
  | "bad_request"
  | "server_error"
  | "timeout"
  | "unknown";

export function categorizeStatus(format: WireFormat, status: number): ErrorCategory {
  // A status of Anthropic's own. From other providers it is a server error as any other.
  if (status === 529 && format === "messages") return "overloaded";
  if (status === 429) return "rate_limited";
  if (status === 401 || status === 403) return "unauthorized";
  if (400 <= status && status < 500) return "bad_request";
  if (500 <= status && status < 600) return "server_error";
  return "unknown";
}

/**
 * Sorts an error inside an answer with status 200, by the provider's own word for it. All formats'
 * words are known for each format: compatible providers mix them.
 */
export function categorizeErrorType(type: string): ErrorCategory {
  return CATEGORIES.get(type) ?? "unknown";
}

const CATEGORIES: ReadonlyMap<string, ErrorCategory> = new Map([
  ["overloaded_error", "overloaded"],
  ["rate_limit_error", "rate_limited"],
  ["rate_limit_exceeded", "rate_limited"],
  ["insufficient_quota", "rate_limited"],
  ["tokens", "rate_limited"],
  ["requests", "rate_limited"],
  ["authentication_error", "unauthorized"],
  ["permission_error", "unauthorized"],
  ["invalid_api_key", "unauthorized"],
  ["invalid_request_error", "bad_request"],
  ["invalid_prompt", "bad_request"],
  ["context_length_exceeded", "bad_request"],
  ["not_found_error", "bad_request"],
  ["request_too_large", "bad_request"],
  ["billing_error", "bad_request"],
  ["api_error", "server_error"],
  ["server_error", "server_error"],
  ["timeout_error", "timeout"],
]);
