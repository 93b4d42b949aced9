/** How a relayed exchange ended. */
import type { InterceptionErrorType } from "@atelier/contract/rpc/gateway-ports";

export type RelayEnding =
  /** The whole answer went to the client. */
  | { readonly kind: "complete" }
  /** Connection to the provider failed before its answer began. */
  | { readonly kind: "unreachable"; readonly cause: string }
  /** The provider was silent for too long, before or inside its answer. */
  | { readonly kind: "timeout"; readonly cause: string }
  /** The answer broke off, or ended without its format's last event. */
  | { readonly kind: "cut"; readonly cause: string }
  /** The gateway answered itself, after the start was recorded. */
  | {
      readonly kind: "refused";
      readonly errorType: InterceptionErrorType;
      readonly cause: string;
    }
  | { readonly kind: "client_gone" }
  /** This server stops. */
  | { readonly kind: "closing" };

export type RelayOutcome = {
  readonly ending: RelayEnding;
  /** The provider's status. Null: no answer began. */
  readonly status: number | null;
  readonly contentType: string;
};
