/** What a call says of its provider, for the circuit breaker. */
import type { CredentialKind, InterceptionEnd } from "@atelier/contract/rpc/gateway-ports";
import { outcomeOfStatus, type BreakerOutcome } from "../breaker/circuit-breaker.ts";
import type { RelayOutcome } from "./relay-outcome.ts";

export function breakerOutcome(
  { ending, status }: RelayOutcome,
  { error }: Pick<InterceptionEnd, "error">,
  credential: CredentialKind,
): BreakerOutcome {
  // The client's leaving, our own stop and our own refusals are not the provider's trouble.
  const isOurs = ["client_gone", "closing", "refused"].includes(ending.kind);
  if (isOurs) return "neutral";
  if (ending.kind === "timeout") return "failure";
  if (status === null || status >= 400) {
    // The limit of a caller's own key says nothing about the others' keys.
    if (status === 429 && credential === "byok") return "neutral";
    return outcomeOfStatus(status ?? 502);
  }
  // Trouble that the provider tells of inside an answer that began well.
  return error?.type === "overloaded" || error?.type === "rate_limited" ? "failure" : "success";
}
