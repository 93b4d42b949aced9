/** Which credential serves a call: the caller's own, or one of the company's. */
import type { CredentialKind } from "@atelier/contract/rpc/gateway-ports";
import { findForeignCredential, findOwnCredential } from "../headers/own-credential.ts";
import type { UpstreamCredential } from "../headers/upstream-headers.ts";
import type { CredentialHeader } from "../routing/provider-kinds.ts";
import type { GatewayCall } from "./gateway-call.ts";

export type ChosenCredential =
  | {
      readonly kind: Extract<CredentialKind, "centralized">;
      /** Null: the upstream client speaks in the company's name, without a key. */
      readonly keyHeader: CredentialHeader | null;
      /** Masked. Empty: which key serves is known only once it has. */
      readonly hint: string;
    }
  | {
      readonly kind: Extract<CredentialKind, "byok">;
      /** Masked. */
      readonly hint: string;
      readonly credential: UpstreamCredential;
      /** The credential without what stands before it in its header. */
      readonly secret: string;
    };

/** Null: there is none, so the provider is not called. */
export function chooseCredential(
  call: GatewayCall,
  { isPassthrough }: { readonly isPassthrough: boolean },
): ChosenCredential | null {
  if (call.tokenMode === "byok") {
    const { providerKind, req } = call;
    const own =
      findOwnCredential(providerKind, req.headers) ??
      (isPassthrough ? findForeignCredential(providerKind, req.headers) : null);
    if (own !== null) return { kind: "byok", ...own };
  }
  const { translation } = call.upstream;
  if (translation !== null) {
    return { kind: "centralized", keyHeader: null, hint: translation.credentialHint };
  }
  const { keyHeader } = call.providerKind;
  return keyHeader === null || call.provider.keys.length === 0
    ? null
    : { kind: "centralized", keyHeader, hint: "" };
}
