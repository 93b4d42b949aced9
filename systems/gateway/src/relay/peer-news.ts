/**
 * What this gateway tells the others of the deployment about providers in trouble, and what it makes of
 * theirs: a circuit breaker that opened, a key that was throttled or refused, and the end of either.
 *
 * Only what the provider itself said is told. Silence and broken connections may be this server's own
 * network, and must not stop the others. What is heard is never told again, holds no longer than it would
 * if it had happened here, and hearing it twice changes nothing.
 */
import type { Logger } from "@atelier/base/logger";
import type { GatewayNews, GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import type {
  GatewayProvider,
  ProviderKey,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import { restMsOf, type KeyAuthFailurePolicy, type KeyMark } from "../keys/key-disposition.ts";
import type { ProviderState, ProviderStates } from "./provider-states.ts";

export type PeerNewsDeps = {
  /** Null: this gateway is alone, or keeps to itself. */
  readonly peers: GatewayPeers | null;
  readonly providers: ProviderSource;
  readonly states: ProviderStates;
  readonly keyAuthFailurePolicy: KeyAuthFailurePolicy;
  readonly log: Logger;
};

const HEARD = "refused on another server";

export class PeerNews implements Disposable {
  readonly #deps: PeerNewsDeps;
  readonly #hearing: Disposable | null;

  constructor(deps: PeerNewsDeps) {
    this.#deps = deps;
    this.#hearing = deps.peers?.hear((news) => this.#heard(news)) ?? null;
  }

  [Symbol.dispose](): void {
    this.#hearing?.[Symbol.dispose]();
  }

  breakerOpened(
    { id: providerId }: GatewayProvider,
    opened: { readonly endpoint: string; readonly model: string; readonly forMs: number },
  ): void {
    this.#deps.peers?.tell({ kind: "breaker_opened", providerId, ...opened });
  }

  breakerClosed(
    { id: providerId }: GatewayProvider,
    closed: { readonly endpoint: string; readonly model: string },
  ): void {
    this.#deps.peers?.tell({ kind: "breaker_closed", providerId, ...closed });
  }

  keyOut(
    { id: providerId }: GatewayProvider,
    { id: keyId }: ProviderKey,
    { mark, status }: { readonly mark: KeyMark; readonly status: number | null },
  ): void {
    const { reason } = mark;
    const forMs = mark.kind === "reject" ? null : restMsOf(mark);
    this.#deps.peers?.tell({ kind: "key_out", providerId, keyId, reason, status, forMs });
  }

  keyBack({ id: providerId }: GatewayProvider, { id: keyId }: ProviderKey): void {
    this.#deps.peers?.tell({ kind: "key_back", providerId, keyId });
  }

  #heard(news: GatewayNews): void {
    const { providers, states, log } = this.#deps;
    const snapshot = providers.current();
    const all = [...snapshot.providers.values()];
    const provider = all.find(({ id }) => id === news.providerId);
    // Not loaded here yet, or gone: there is nothing to keep from harm.
    if (provider === undefined) return;
    const state = states.stateOf(provider, snapshot);
    const hasChanged =
      news.kind === "key_out" || news.kind === "key_back"
        ? this.#heardOfKey(news, provider, state)
        : heardOfBreaker(news, state);
    if (hasChanged) log.info({ provider: provider.name, ...news }, "heard from another server");
  }

  #heardOfKey(
    news: Extract<GatewayNews, { kind: "key_out" | "key_back" }>,
    provider: GatewayProvider,
    state: ProviderState,
  ): boolean {
    const { keyId } = news;
    if (!provider.keys.some(({ id }) => id === keyId)) return false;
    if (news.kind === "key_back") {
      const wasOut = state.keys.state(keyId) !== "valid";
      if (wasOut) this.#deps.states.resetKey(provider.id, keyId);
      return wasOut;
    }
    const mark = this.#markOf(news);
    return mark !== null && state.keys.mark(keyId, mark, { status: news.status, message: HEARD });
  }

  /** By this server's own rules. Null: they hold nothing against the key. */
  #markOf({ reason, forMs }: Extract<GatewayNews, { kind: "key_out" }>): KeyMark | null {
    const isPermanent = this.#deps.keyAuthFailurePolicy === "permanent";
    if (reason === "rate_limited") return { kind: "rest", reason, retryAfterMs: forMs };
    if (isPermanent) return { kind: "reject", reason };
    return reason === "unauthorized" ? { kind: "rest", reason, retryAfterMs: forMs } : null;
  }
}

function heardOfBreaker(
  news: Extract<GatewayNews, { kind: "breaker_opened" | "breaker_closed" }>,
  { breakers }: ProviderState,
): boolean {
  if (breakers === null) return false;
  const breaker = breakers.breakerOf(news.endpoint, news.model);
  return breaker.follow(news.kind === "breaker_opened" ? news.forMs : null);
}
