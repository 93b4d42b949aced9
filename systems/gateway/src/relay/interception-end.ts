/** What is recorded of an interception when it is over. Pure: the outcome and the observation decide. */
import type { InterceptionEnd, InterceptionErrorType } from "@atelier/contract/rpc/gateway-ports";
import { categorizeErrorType, categorizeStatus } from "@atelier/model-wire/error-category";
import type { ObservedResponse } from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { RelayOutcome } from "./relay-outcome.ts";

export type InterceptionFacts = {
  readonly id: string;
  readonly format: WireFormat;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly credentialHint: string;
  readonly prompt: string | null;
};

/** Long error texts of providers are cut to this many UTF-16 units. */
export const ERROR_MESSAGE_LENGTH_MAX = 1_000;

export function toInterceptionEnd(
  facts: InterceptionFacts,
  outcome: RelayOutcome,
  observed: ObservedResponse | null,
): Omit<InterceptionEnd, "trail"> {
  const { id, startedAt, endedAt, credentialHint, prompt, format } = facts;
  const responseId = observed?.responseId ?? "";
  // A refused request used nothing: its prompt is no use of a model either.
  const isAnswered = outcome.status !== null && outcome.status < 400;
  const hasPrompt = isAnswered && prompt !== null && prompt !== "";
  return {
    id,
    startedAt,
    endedAt,
    credentialHint,
    error: errorOf(format, outcome, observed),
    tokens:
      observed?.tokens === undefined || observed.tokens === null || !isAnswered
        ? []
        : [{ responseId, ...observed.tokens }],
    prompts: hasPrompt ? [{ responseId, prompt }] : [],
    toolCalls: isAnswered
      ? (observed?.toolCalls ?? []).map((call) => ({ responseId, ...call }))
      : [],
    thoughts: isAnswered ? (observed?.thoughts ?? []) : [],
  };
}

type RecordedError = { readonly type: InterceptionErrorType; readonly message: string };

function errorOf(
  format: WireFormat,
  { ending, status, contentType }: RelayOutcome,
  observed: ObservedResponse | null,
): RecordedError | null {
  switch (ending.kind) {
    case "unreachable":
      return error("server_error", `the model provider could not be reached (${ending.cause})`);
    case "timeout":
      return error("timeout", `the model provider was silent for too long (${ending.cause})`);
    case "cut":
      return error("server_error", `the answer broke off (${ending.cause})`);
    case "refused":
      return error(ending.errorType, ending.cause);
    case "client_gone":
      return error("unknown", "the client went away before the answer was complete");
    case "closing":
      return error("unknown", "the server was stopped before the answer was complete");
    case "complete":
      break;
  }
  if (status !== null && status >= 400) {
    const message = observed?.error?.message ?? `the model provider answered ${status}`;
    return error(categorizeStatus(format, status), message);
  }
  if (observed !== null && observed.error !== null) {
    // An answer of a type that no model gives: its type says more than what is missing in it.
    return isModelAnswer(contentType)
      ? error(categorizeErrorType(observed.error.type), observed.error.message)
      : error("server_error", `the model provider answered ${contentType || "without a type"}`);
  }
  if (observed?.outcome === "incomplete_stream") {
    return error("server_error", "the answer broke off (the stream ended without its last event)");
  }
  return null;
}

function isModelAnswer(contentType: string): boolean {
  return /json|text\/event-stream/i.test(contentType);
}

function error(type: InterceptionErrorType, message: string): RecordedError {
  return { type, message: message.slice(0, ERROR_MESSAGE_LENGTH_MAX) };
}
