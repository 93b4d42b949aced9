/**
 * What wants to know how a call goes (traces, dumps), as ports. A call has one observer or none; it is
 * told in order, holds nothing up and never throws: whatever is wrong with it is its own trouble.
 */
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { ObservedResponse } from "@atelier/model-wire/observe-response";
import type { UpstreamCall, UpstreamFailure } from "../upstream/upstream-client.ts";

export interface CallObserver {
  /** Bridged: the request was read and understood, and its start is about to be recorded. */
  understood(start: InterceptionStart, request: { readonly stream: boolean }): void;
  /** Bridged: the start is durable, or it could not be made so and the call ends here. */
  recorded(isDurable: boolean): void;
  /** An exchange with the provider begins: each key that is tried is one. */
  attempt(call: UpstreamCall): AttemptObserver;
  /** Bridged: what is recorded of the end. */
  ended(end: InterceptionEnd, observed: ObservedResponse | null): void;
  /** Last, and always. Null: no answer was sent. */
  closed(status: number | null): void;
}

export interface AttemptObserver {
  /** The call as it is to be sent. */
  readonly call: UpstreamCall;
  head(status: number, rawHeaders: readonly string[]): void;
  data(chunk: Uint8Array): void;
  end(): void;
  failed(failure: UpstreamFailure): void;
  /** We ended it; nothing more is told. Also called when it is over already. */
  cancelled(): void;
}
