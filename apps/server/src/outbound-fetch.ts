/**
 * The fetch for requests that this server makes to model providers without its gateway. None of its
 * limits bounds an answer as a whole: models think, and streams go on, for long.
 */
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import { Agent, fetch } from "undici";

export type OutboundFetch = AsyncDisposable & { readonly fetch: ModelFetch };

export function openOutboundFetch(timeouts: {
  readonly connectMs: number;
  readonly headerMs: number;
  /** Silence inside a body. */
  readonly idleMs: number;
}): OutboundFetch {
  const dispatcher = new Agent({
    connect: { timeout: timeouts.connectMs },
    headersTimeout: timeouts.headerMs,
    bodyTimeout: timeouts.idleMs,
  });
  const outbound: ModelFetch = async (input, init) => {
    const url = input instanceof Request ? input.url : input;
    // Its classes are the host's own in another copy of the library.
    return fetch(url, { ...(init as object), dispatcher });
  };
  return { fetch: outbound, [Symbol.asyncDispose]: () => dispatcher.destroy() };
}
