/**
 * What a provider's answer says about the key it was asked with (spec gateway 5.3, 5.8). By default only
 * answers about the credential count: a fault of the request or of the provider benches no key. Where
 * operators want failover on faults, a provider's own trouble is worth another key as well.
 */

/**
 * What becomes of a key that the provider refuses. `cooldown`: a 401 rests it for a minute, because
 * providers refuse good keys now and then, and a 403 is about the request, so it goes to the client.
 * `permanent`: a 401 or 403 takes it out of service until an operator acts, or a check passes.
 */
export type KeyAuthFailurePolicy = "cooldown" | "permanent";

/** `keys`: another key is tried for answers about a key only. `faults`: also where the provider fails. */
export type FailoverPolicy = "keys" | "faults";

export type KeyDisposition =
  /** Nothing about the key: the answer is the client's. */
  | { readonly kind: "keep" }
  | {
      readonly kind: "rest";
      readonly reason: "rate_limited" | "unauthorized";
      /** Null: the provider did not say. */
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: "reject"; readonly reason: "unauthorized" | "forbidden" }
  /** The provider's trouble: another key may lead to a part of it that works. */
  | { readonly kind: "fault"; readonly retryAfterMs: number | null }
  /** Perhaps another key may do what this one may not. Nothing is held against this one. */
  | { readonly kind: "other_key" };

/** What takes a key out of service. */
export type KeyMark = Extract<KeyDisposition, { kind: "rest" | "reject" }>;

export type KeyTrial = {
  readonly policy: KeyAuthFailurePolicy;
  readonly failover: FailoverPolicy;
  /** A wrong account that the client names is refused with 401 too, and must not cost the key. */
  readonly isAccountNamed: boolean;
};

export function judgeKey(
  status: number,
  rawHeaders: readonly string[],
  { policy, failover, isAccountNamed }: KeyTrial,
): KeyDisposition {
  if (status === 429) {
    return { kind: "rest", reason: "rate_limited", retryAfterMs: readRetryAfterMs(rawHeaders) };
  }
  if (status === 401 && !isAccountNamed) {
    return policy === "permanent"
      ? { kind: "reject", reason: "unauthorized" }
      : { kind: "rest", reason: "unauthorized", retryAfterMs: null };
  }
  if (status === 403 && policy === "permanent") return { kind: "reject", reason: "forbidden" };
  if (failover === "keys") return { kind: "keep" };
  if (status === 403 && !isAccountNamed) return { kind: "other_key" };
  if (isFault(status)) return { kind: "fault", retryAfterMs: readRetryAfterMs(rawHeaders) };
  return { kind: "keep" };
}

/** 501 and 505 are about the request: every key would get the same answer. */
function isFault(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

/** The rest after a refusal that does not say how long (spec gateway 5.2). */
export const REST_DEFAULT_MS = 60_000;
/** A provider that asks for more is not believed: an operator would have to find out why. */
export const REST_MS_MAX = 24 * 3_600_000;

export function restMsOf({ retryAfterMs }: { readonly retryAfterMs: number | null }): number {
  const restMs = retryAfterMs !== null && retryAfterMs > 0 ? retryAfterMs : REST_DEFAULT_MS;
  return Math.min(restMs, REST_MS_MAX);
}

export function isKeyMark(disposition: KeyDisposition): disposition is KeyMark {
  return disposition.kind === "rest" || disposition.kind === "reject";
}

/**
 * Milliseconds from `retry-after-ms` (decimal), else from `Retry-After` in whole seconds. Null: neither
 * is there, or it is a date: clocks differ too much to trust one for a rest of seconds.
 */
export function readRetryAfterMs(rawHeaders: readonly string[]): number | null {
  let seconds: number | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase();
    const value = rawHeaders[i + 1]?.trim() ?? "";
    if (name === "retry-after-ms" && /^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value));
    if (name === "retry-after" && /^\d+$/.test(value)) seconds = Number(value);
  }
  return seconds === null ? null : seconds * 1_000;
}
