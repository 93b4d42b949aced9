/**
 * One upstream client for each provider and origin. A client whose provider is gone or moved closes
 * once its last exchange ends, however long that streams. A call that began before that, and sends
 * only now, is still served.
 */
import type { Logger } from "@atelier/base/logger";
import type { GatewayProvider, ProviderSnapshot } from "@atelier/contract/rpc/gateway-ports";
import type {
  Translation,
  Upstream,
  UpstreamCall,
  UpstreamClient,
  UpstreamExchange,
  UpstreamListener,
} from "./upstream-client.ts";

export type UpstreamPoolsDeps = {
  readonly log: Logger;
  openClient(origin: string): UpstreamClient;
  /** For providers that speak another protocol than their clients. Null: bytes go as they are. */
  translate(provider: GatewayProvider, client: UpstreamClient): TranslatingClient | null;
};

export type TranslatingClient = {
  readonly client: UpstreamClient;
  readonly translation: Translation;
};

export class UpstreamPools {
  readonly #deps: UpstreamPoolsDeps;
  readonly #clients = new Map<string, LastingClient>();
  /** By provider object: a snapshot's providers never change. */
  readonly #upstreams = new WeakMap<GatewayProvider, Upstream>();
  #seenVersion = -1;

  constructor(deps: UpstreamPoolsDeps) {
    this.#deps = deps;
  }

  upstreamOf(provider: GatewayProvider, snapshot: ProviderSnapshot): Upstream {
    if (snapshot.version > this.#seenVersion) this.#closeUnused(snapshot);
    const known = this.#upstreams.get(provider);
    if (known !== undefined) return known;
    const url = new URL(provider.baseUrl);
    const key = clientKey(provider.id, url);
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = new LastingClient(() => this.#deps.openClient(url.origin), this.#deps.log);
      this.#clients.set(key, client);
    }
    const basePath = url.pathname.replace(/\/+$/, "");
    const { apiVersion } = provider;
    const plain = { client, basePath, apiVersion, translation: null };
    const upstream = { ...plain, ...this.#deps.translate(provider, client) };
    this.#upstreams.set(provider, upstream);
    return upstream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  #closeUnused(snapshot: ProviderSnapshot): void {
    this.#seenVersion = snapshot.version;
    const used = new Set<string>();
    for (const { id, baseUrl } of snapshot.providers.values()) {
      used.add(clientKey(id, new URL(baseUrl)));
    }
    for (const [key, client] of this.#clients) {
      if (used.has(key)) continue;
      this.#clients.delete(key);
      client.retire();
    }
  }
}

/**
 * A client that outlives its retirement. Between the moment a call takes its provider from a snapshot
 * and the moment it sends, it is recorded, or waits for a key: the provider may be gone by then. Such
 * a call gets a connection of its own.
 */
class LastingClient implements UpstreamClient {
  readonly #open: () => UpstreamClient;
  readonly #log: Logger;
  readonly #client: UpstreamClient;
  #isRetired = false;

  constructor(open: () => UpstreamClient, log: Logger) {
    this.#open = open;
    this.#log = log;
    this.#client = open();
  }

  send(call: UpstreamCall, listener: UpstreamListener): UpstreamExchange {
    if (!this.#isRetired) return this.#client.send(call, listener);
    const client = this.#open();
    const exchange = client.send(call, listener);
    this.#closeSoon(client);
    return exchange;
  }

  /** No snapshot names it any more. */
  retire(): void {
    this.#isRetired = true;
    this.#closeSoon(this.#client);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #closeSoon(client: UpstreamClient): void {
    client.close().catch((error: unknown) => {
      this.#log.warn({ error }, "closing an unused upstream client failed");
    });
  }
}

function clientKey(providerId: string, url: URL): string {
  return `${providerId} ${url.origin}`;
}
