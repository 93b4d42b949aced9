/**
 * What came of one try, in words that an operator can act on. Pure: from an answer or a failure to an
 * outcome, an explanation and the next step.
 */
import { maskCredential } from "@atelier/base/mask";
import type { Secret } from "@atelier/base/secret";
import type {
  ProviderCheckKind,
  ProviderCheckOutcome,
} from "@atelier/contract/http/ai-provider-test";
import type { GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import { observeBody } from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { explainFailure, type FailedTry } from "./connection-words.ts";

/** What came back. */
export type TryResult =
  | { readonly kind: "answered"; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly failure: FailedTry }
  | { readonly kind: "cancelled" };

export type TryContext = {
  readonly kind: ProviderCheckKind;
  readonly provider: Pick<GatewayProvider, "type" | "baseUrl">;
  /** Of error bodies. */
  readonly format: WireFormat;
  readonly model: string | null;
  readonly secret: Secret | null;
};

export type Verdict = {
  readonly outcome: ProviderCheckOutcome;
  readonly message: string | null;
  readonly explanation: string;
  readonly remedy: string | null;
};

type Words = Omit<Verdict, "message">;

const MESSAGE_LENGTH_MAX = 500;

export function judgeTry(result: TryResult, context: TryContext): Verdict {
  if (result.kind === "cancelled") {
    const explanation = "The test was stopped before the provider answered.";
    return { outcome: "cancelled", message: null, explanation, remedy: null };
  }
  if (result.kind === "failed") {
    return { ...explainFailure(result.failure, context.provider.baseUrl), message: null };
  }
  const { status, body } = result;
  const message = messageIn(body, context);
  return {
    ...explainAnswer(status, { body, message, context }),
    message: isOk(status) ? null : message,
  };
}

type Answered = {
  readonly body: Uint8Array;
  readonly message: string | null;
  readonly context: TryContext;
};

function explainAnswer(status: number, answered: Answered): Words {
  if (isOk(status)) return explainSuccess(answered);
  if (status >= 300 && status < 400) return REDIRECTED;
  if (answered.context.kind === "reachability" && status < 500 && status !== 404) return REACHED;
  const { message } = answered;
  // Some say in other words, under a status of their own, that it is the key or the credit.
  if (status === 400 && message !== null) {
    if (/api.?key.{0,40}(?:invalid|not valid|incorrect)|invalid.{0,20}api.?key/i.test(message)) {
      return UNAUTHORIZED;
    }
    if (/credit balance|billing|quota/i.test(message)) return NO_CREDIT;
    // A model that thinks can use up the few tokens of a test: it was reached, and it worked.
    if (/(?:max_tokens|output limit).{0,40}reached/i.test(message)) return COMPLETED;
  }
  if (status === 401) return UNAUTHORIZED;
  if (status === 402) return NO_CREDIT;
  if (status === 403) return forbidden(answered.context);
  if (status === 404) return notFound(answered);
  if (status === 429) return THROTTLED;
  if (status >= 500) return serverError(status);
  return {
    outcome: "rejected",
    explanation: `The provider refuses the test request itself (HTTP ${status}).`,
    remedy: "See what it says. Mostly it is the model, the base URL or the API version.",
  };
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}

function explainSuccess({ body, context }: Answered): Words {
  const answer = parseObject(body);
  const { kind } = context;
  const isWanted =
    answer !== null &&
    (kind !== "completion" || "choices" in answer || "content" in answer || "output" in answer);
  if (!isWanted) {
    return {
      outcome: "not_a_provider",
      explanation:
        "What answers there is not this kind of model provider: it says all is well, in another format.",
      remedy: `Check the base URL and the type. A web page or a sign-in page may stand in between.`,
    };
  }
  return kind === "completion" ? COMPLETED : kind === "credential" ? ACCEPTED : REACHED;
}

const ACCEPTED: Words = {
  outcome: "ok",
  explanation: "The provider accepts the key.",
  remedy: null,
};

const COMPLETED: Words = {
  outcome: "ok",
  explanation: "The model answers.",
  remedy: null,
};

const REACHED: Words = {
  outcome: "ok",
  explanation: "The provider can be reached.",
  remedy: null,
};

const REDIRECTED: Words = {
  outcome: "redirected",
  explanation: "The base URL leads to another address, which is not followed.",
  remedy: "Enter the address that it leads to as base URL, with https:// and the right host.",
};

const UNAUTHORIZED: Words = {
  outcome: "unauthorized",
  explanation: "The provider refuses this key.",
  remedy:
    "Check that the key is whole, not revoked, and of this provider; add a new one and remove this one.",
};

const NO_CREDIT: Words = {
  outcome: "rate_limited",
  explanation: "The key is good, but its account has no credit or quota left.",
  remedy: "Check billing and limits at the provider.",
};

const THROTTLED: Words = {
  outcome: "rate_limited",
  explanation: "The key is known, but its rate limit or quota is used up at the moment.",
  remedy: "Wait, or raise the limits at the provider. Several keys of different accounts help too.",
};

function forbidden({ kind, model }: TryContext): Words {
  return kind === "completion"
    ? {
        outcome: "forbidden",
        explanation: `The key is known, but may not use the model ${quoted(model)}.`,
        remedy: "Give the key's project or account access to this model at the provider.",
      }
    : {
        outcome: "forbidden",
        explanation: "The key is known, but may not do this free check.",
        remedy:
          "Keys of limited rights may still serve: name a model to try a completion. Otherwise widen its rights.",
      };
}

function notFound({ context, message }: Answered): Words {
  const { kind, model } = context;
  const isAboutModel = message !== null && /model|deployment/i.test(message);
  if (kind === "completion" && isAboutModel) {
    return {
      outcome: "not_found",
      explanation: `The provider does not have the model ${quoted(model)}, or not for this key.`,
      remedy: "Check the model's name as the provider spells it, and the key's access to it.",
    };
  }
  return {
    outcome: "not_found",
    explanation: "The provider does not know this path: most likely the base URL is not right.",
    remedy: baseUrlAdvice(context.provider),
  };
}

function baseUrlAdvice({ type, baseUrl }: TryContext["provider"]): string {
  const bare = baseUrl.replace(/\/+$/, "");
  if (type === "anthropic") {
    return bare.endsWith("/v1")
      ? `Leave /v1 out: ${bare.replace(/\/v1$/, "")}`
      : "The base URL of this type is what stands before /v1/messages.";
  }
  if (type === "azure") {
    return "Check the resource and deployment in the base URL; the older surface also needs an API version.";
  }
  return /\/v\d/.test(new URL(bare).pathname)
    ? "The base URL of this type is what stands before /chat/completions."
    : `The base URL may lack its version. Try ${bare}/v1`;
}

function serverError(status: number): Words {
  return {
    outcome: "server_error",
    explanation: `The provider, or a proxy before it, is in trouble (HTTP ${status}).`,
    remedy: "Try again in a while, and look at the provider's status page.",
  };
}

function quoted(model: string | null): string {
  return JSON.stringify(model ?? "");
}

/** The provider's own words. Null: none that people can read. */
function messageIn(body: Uint8Array, { format, secret }: TryContext): string | null {
  const { error } = observeBody(format, body);
  const isSaid = error !== null && error.type !== "malformed_response" && error.message !== "";
  const said = isSaid ? error.message : plainText(body);
  if (said === null) return null;
  const key = secret?.reveal() ?? "";
  const masked = key === "" ? said : said.replaceAll(key, maskCredential(key));
  return masked.slice(0, MESSAGE_LENGTH_MAX);
}

/** Short answers of proxies are text. Pages and unknown JSON are not for people. */
function plainText(body: Uint8Array): string | null {
  const text = Buffer.from(body.subarray(0, 2 * MESSAGE_LENGTH_MAX))
    .toString()
    .trim();
  return text === "" || /^[<{[]/.test(text) ? null : text.replaceAll(/\s+/g, " ");
}

function parseObject(body: Uint8Array): object | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null; // Not JSON, which is what the caller wants to know.
  }
}
