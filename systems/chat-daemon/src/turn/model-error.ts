/**
 * What an error of a model call means: whether trying again may help, and what people are told (spec
 * agents 5.8). The rules are a table; the first that fits decides. Texts of providers are shown only as
 * a bounded detail, and never a key.
 */
import type { ChatError, ChatErrorKind } from "@atelier/contract/chat/chat-words";
import { toValidText } from "../messages/valid-text.ts";
import { readError, type ErrorFacts } from "./error-facts.ts";

export type Classified = {
  readonly error: ChatError;
  /** What the provider asked for. */
  readonly retryAfterMs: number | null;
  /** The provider does not know the answer that this one was to continue. */
  readonly isChainBroken: boolean;
};

/** An error that says itself what it is: of the routing, or of this loop. */
export class ClassifiedError extends Error {
  override readonly name = "ClassifiedError";
  readonly chatError: ChatError;

  constructor(chatError: ChatError, options?: ErrorOptions) {
    super(chatError.message, options);
    this.chatError = chatError;
  }
}

type Rule = {
  readonly kind: ChatErrorKind;
  readonly retryable: boolean;
  readonly message: string;
  readonly fits: (facts: ErrorFacts) => boolean;
  readonly chainBroken?: true;
  /** The provider's text names ids of ours or of others: it is not shown. */
  readonly hidesDetail?: true;
};

const CONFIG_TEXT =
  /invalid model|model[^.]{0,80}(?:not found|does not exist|is not supported|not available)|model_not_found|unknown model|unsupported (?:parameter|value|model)|invalid_request_error|bad request|prompt is too long|context[_ ]length|maximum context|too many (?:input )?tokens/i;
const OVERLOADED_TEXT = /overloaded|over capacity|at capacity|capacity exceeded/i;
const USAGE_TEXT =
  /insufficient[_ ]quota|quota (?:exceeded|has been)|exceeded your (?:current )?quota|billing|credit balance|spend(?:ing)? limit|usage limit|budget (?:exceeded|is used|limit)|payment required/i;
const AUTH_TEXT =
  /invalid (?:x-)?api[ -]?key|incorrect api key|authentication[_ ](?:error|failed)|unauthorized/i;
const WEAK_AUTH_TEXT = /permission[_ ](?:error|denied)|forbidden|not allowed to/i;
const RATE_TEXT = /rate[ _-]?limit|too many requests|throttl/i;
const DISABLED_TEXT = /provider[^.]{0,60}(?:is |has been )?disabled/i;
const TRUNCATED_TEXT =
  /stream (?:ended|closed|was cut)[^.]{0,40}(?:before|without|early|unexpected)|unexpected end of (?:json|stream|input)|missing finish|truncated (?:stream|response|sse)|premature close|JSONParseError/i;
const CONNECTION_TEXT =
  /ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|UND_ERR_|socket hang up|other side closed|unexpected EOF|\bEOF\b|connection (?:reset|refused|closed|error|lost)|fetch failed|cannot connect|terminated|network error|timed? ?out/i;
const PEER_RESET_TEXT =
  /(?:NO_ERROR|INTERNAL_ERROR|REFUSED_STREAM|ENHANCE_YOUR_CALM|NGHTTP2_CANCEL|RST_STREAM|stream error[^.]{0,60}CANCEL)/;
const DEADLINE_TEXT = /deadline[ _](?:has )?(?:been )?exceeded|context deadline/i;
const SERVER_TEXT =
  /internal server error|server[_ ]error|api_error|an error occurred while processing/i;
const INTERRUPTED_TEXT = /^(?:the )?(?:chat|turn|generation|request) (?:was )?interrupted/i;
const CHAIN_TEXT = /previous response (?:with id )?.*not found|previous_response_not_found/is;
const CONTINUITY_TEXT =
  /(?:item|reasoning|function_call)[^.]{0,120}(?:was provided without its required|without its required following)|no tool (?:output|call) found for/i;
const FILTER_TEXT = /content[_ ](?:filter|policy|management)|safety system|flagged|refusal/i;

const is =
  (pattern: RegExp) =>
  (facts: ErrorFacts): boolean =>
    pattern.test(facts.text);
const has =
  (...statuses: readonly number[]) =>
  ({ status }: ErrorFacts): boolean =>
    status !== null && statuses.includes(status);
const isConfig = is(CONFIG_TEXT);
const isTimeoutStatus = has(408, 502, 503, 504);

/** In order: the first that fits decides. */
const RULES: readonly Rule[] = [
  {
    ...{ kind: "generic", retryable: false, message: "The turn was interrupted." },
    fits: is(INTERRUPTED_TEXT),
  },
  {
    ...{ kind: "generic", retryable: false, hidesDetail: true },
    message: "The provider refused the conversation, because parts of it do not belong together.",
    fits: is(CONTINUITY_TEXT),
  },
  {
    ...{ kind: "timeout", retryable: true, message: "The model's answer broke off." },
    fits: is(TRUNCATED_TEXT),
  },
  {
    ...{ kind: "generic", retryable: true, chainBroken: true, hidesDetail: true },
    message: "The provider has forgotten the conversation; it is sent anew.",
    fits: is(CHAIN_TEXT),
  },
  {
    ...{ kind: "overloaded", retryable: true, message: "The model is overloaded." },
    fits: (facts) => has(529)(facts) || is(OVERLOADED_TEXT)(facts),
  },
  {
    ...{ kind: "usage_limit", retryable: false, message: "A usage limit is reached." },
    fits: (facts) => has(402)(facts) || is(USAGE_TEXT)(facts),
  },
  {
    ...{ kind: "auth", retryable: false, message: "The provider does not accept the credentials." },
    fits: (facts) => has(401)(facts) || is(AUTH_TEXT)(facts),
  },
  {
    ...{ kind: "auth", retryable: false, message: "The credentials do not allow this." },
    fits: (facts) => (has(403)(facts) || is(WEAK_AUTH_TEXT)(facts)) && !isConfig(facts),
  },
  {
    ...{ kind: "rate_limit", retryable: true, message: "The provider's rate limit is reached." },
    fits: (facts) => (has(429)(facts) || is(RATE_TEXT)(facts)) && !isConfig(facts),
  },
  {
    ...{
      kind: "provider_disabled",
      retryable: false,
      message: "The model's provider is disabled.",
    },
    fits: is(DISABLED_TEXT),
  },
  {
    ...{ kind: "timeout", retryable: false, message: "The call took too long." },
    // Who answers such a status means a deadline of its own: the next call has a new one.
    fits: (facts) => is(DEADLINE_TEXT)(facts) && !isTimeoutStatus(facts) && !isConfig(facts),
  },
  {
    ...{ kind: "timeout", retryable: true, message: "The provider could not be reached in time." },
    fits: (facts) =>
      (isTimeoutStatus(facts) || is(PEER_RESET_TEXT)(facts) || is(CONNECTION_TEXT)(facts)) &&
      !isConfig(facts),
  },
  {
    ...{ kind: "content_filter", retryable: false },
    message: "The provider's content filter stopped the answer.",
    fits: (facts) => is(FILTER_TEXT)(facts) && (facts.status === null || facts.status === 400),
  },
  {
    ...{ kind: "config", retryable: false, message: "The provider refused the request." },
    fits: (facts) => isConfig(facts) || has(400, 404, 405, 413, 422)(facts),
  },
  {
    ...{ kind: "generic", retryable: true, message: "The provider failed." },
    // 424: Bedrock's model failed while it was streaming.
    fits: (facts) =>
      (facts.status !== null && facts.status >= 500) || has(424)(facts) || is(SERVER_TEXT)(facts),
  },
];

const UNKNOWN: Rule = {
  ...{ kind: "generic", retryable: false, message: "The model call failed." },
  fits: () => true,
};

const DETAIL_CHARACTERS_MAX = 500;

/** `provider` is how the chat names it; it wins over what the error says. */
export function classifyModelError(error: unknown, provider: string): Classified {
  const facts = readError(error);
  if (error instanceof ClassifiedError) {
    const chatError = { provider, ...error.chatError };
    return { error: chatError, retryAfterMs: facts.retryAfterMs, isChainBroken: false };
  }
  const rule = RULES.find(({ fits }) => fits(facts)) ?? UNKNOWN;
  const detail = rule.hidesDetail === true ? "" : toDetail(facts.message);
  return {
    error: {
      message: rule.message,
      ...(detail !== "" && { detail }),
      kind: rule.kind,
      provider,
      retryable: rule.retryable,
      ...(facts.status !== null && { status_code: facts.status }),
    },
    retryAfterMs: facts.retryAfterMs,
    isChainBroken: rule.chainBroken === true,
  };
}

/** Credentials as providers repeat them in their errors. */
const CREDENTIAL_TEXT = /\b(?:sk|pk|rk|key|AIza|AKIA|xox[a-z])[-_][\w*.-]{6,}|Bearer\s+\S+/g;

function toDetail(message: string): string {
  const shown = toValidText(message).replaceAll(CREDENTIAL_TEXT, "[key]").trim();
  // Never half a character.
  return shown.slice(0, DETAIL_CHARACTERS_MAX).replace(/[\uD800-\uDBFF]$/, "");
}
