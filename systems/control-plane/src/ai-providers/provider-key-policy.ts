/** Whose keys serve chats with a provider, as administrators set it (spec agents 3.6, 8.8). Pure. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  USUAL_KEY_POLICY,
  type ProviderKeyPolicy,
} from "@atelier/contract/chat/provider-key-choice";
import type { Validation } from "@atelier/contract/failures";

/** As the wire has it. */
export type KeyPolicyFields = {
  readonly central_api_key_enabled: boolean;
  readonly allow_user_api_key: boolean;
  readonly allow_central_api_key_fallback: boolean;
};
export type KeyPolicyPatch = {
  readonly [Name in keyof KeyPolicyFields]?: KeyPolicyFields[Name] | undefined;
};

export function keyPolicyFields(policy: ProviderKeyPolicy): KeyPolicyFields {
  return {
    central_api_key_enabled: policy.isCentralEnabled,
    allow_user_api_key: policy.areUserKeysAllowed,
    allow_central_api_key_fallback: policy.isCentralFallback,
  };
}

/** What is not given stays. A fallback that means nothing any more goes, unless it was asked for. */
export function changedKeyPolicy(
  patch: KeyPolicyPatch,
  before: ProviderKeyPolicy = USUAL_KEY_POLICY,
): Result<ProviderKeyPolicy, readonly Validation[]> {
  const isCentralEnabled = patch.central_api_key_enabled ?? before.isCentralEnabled;
  const areUserKeysAllowed = patch.allow_user_api_key ?? before.areUserKeysAllowed;
  if (!isCentralEnabled && !areUserKeysAllowed) {
    const field =
      patch.allow_user_api_key === false ? "allow_user_api_key" : "central_api_key_enabled";
    return fail([{ field, detail: "Either the company's keys or people's own have to serve." }]);
  }
  const isFallbackPossible = isCentralEnabled && areUserKeysAllowed;
  const wanted = patch.allow_central_api_key_fallback;
  if (wanted === true && !isFallbackPossible) {
    const detail = "It needs both the company's keys and people's own.";
    return fail([{ field: "allow_central_api_key_fallback", detail }]);
  }
  const isCentralFallback = (wanted ?? before.isCentralFallback) && isFallbackPossible;
  return ok({ isCentralEnabled, areUserKeysAllowed, isCentralFallback });
}
