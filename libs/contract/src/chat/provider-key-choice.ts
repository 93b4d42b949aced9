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
  const { areUserKeysAllowed } = policy;
  if (areUserKeysAllowed && has.userKey) return { source: "user" };
  if (mayCentralServe(policy) && has.centralKey) return { source: "central" };
  return {
    source: "none",
    reason: areUserKeysAllowed ? "user_api_key_required" : "missing_api_key",
  };
}

/** Whether the company's key may serve somebody who has none of their own. */
export function mayCentralServe(policy: ProviderKeyPolicy): boolean {
  const { isCentralEnabled, areUserKeysAllowed, isCentralFallback } = policy;
  return isCentralEnabled && (!areUserKeysAllowed || isCentralFallback);
}

/** Of a provider of which nobody said otherwise: own keys go first, the company's serve everybody else. */
export const USUAL_KEY_POLICY: ProviderKeyPolicy = {
  isCentralEnabled: true,
  areUserKeysAllowed: true,
  isCentralFallback: true,
};

/** What of a provider's policy counts where the deployment may not let own keys serve at all. */
export function keyPolicyHere(
  policy: ProviderKeyPolicy,
  isByokAllowed: boolean,
): ProviderKeyPolicy {
  return isByokAllowed ? policy : { ...policy, areUserKeysAllowed: false };
}
