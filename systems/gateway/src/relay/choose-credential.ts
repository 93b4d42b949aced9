/** Which credential serves a call: the caller's own, or one of the company's. */
import type { CredentialKind } from "@atelier/contract/rpc/gateway-ports";
import { findOwnCredential } from "../headers/own-credential.ts";
import { keyCredential, type UpstreamCredential } from "../headers/upstream-headers.ts";
import type { GatewayCall } from "./gateway-call.ts";

export type ChosenCredential = {
  readonly kind: CredentialKind;
  /** Masked. */
  readonly hint: string;
  readonly credential: UpstreamCredential;
};

/** Null: there is none, so the provider is not called. */
export function chooseCredential(call: GatewayCall): ChosenCredential | null {
  if (call.tokenMode === "byok") {
    const own = findOwnCredential(call.dialect, call.req.headers);
    if (own !== null) return { kind: "byok", ...own };
  }
  const [key] = call.provider.keys;
  if (key === undefined) return null;
  const credential = keyCredential(call.dialect, key.secret.reveal());
  return { kind: "centralized", hint: key.hint, credential };
}
