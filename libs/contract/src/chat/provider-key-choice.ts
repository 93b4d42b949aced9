/**
 * Whose key serves a chat with a provider (spec agents 8.8): the person's own, the company's, or none.
 * The picker shows by it which models a person can use, and calls that do not go through the gateway
 * take the key that it names.
 */

export type ProviderKeyPolicy = {
  readonly isCentralEnabled: boolean;
  readonly areUserKeysAllowed: boolean;
  /** Whether the company's key serves those who could have one of their own, and have none. */
  readonly isCentralFallback: boolean;
};

export type ProviderKeyChoice =
  | { readonly source: "user" | "central" }
  | { readonly source: "none"; readonly reason: "user_api_key_required" | "missing_api_key" };

export function chooseProviderKey(
  policy: ProviderKeyPolicy,
  has: { readonly userKey: boolean; readonly centralKey: boolean },
): ProviderKeyChoice {
  const { isCentralEnabled, areUserKeysAllowed, isCentralFallback } = policy;
  if (areUserKeysAllowed && has.userKey) return { source: "user" };
  const mayUseCentral = isCentralEnabled && (!areUserKeysAllowed || isCentralFallback);
  if (mayUseCentral && has.centralKey) return { source: "central" };
  return {
    source: "none",
    reason: areUserKeysAllowed ? "user_api_key_required" : "missing_api_key",
  };
}

/** Of providers as they are configured here: own keys go first, the company's serve everybody else. */
export function providerKeyPolicy(isByokAllowed: boolean): ProviderKeyPolicy {
  return {
    isCentralEnabled: true,
    areUserKeysAllowed: isByokAllowed,
    isCentralFallback: true,
  };
}
