/**
 * Carries news between the gateways of a deployment over the database's notifications. The first is sent at
 * once, what follows is gathered: at most one notification in SPACING_MS from this server, whatever happens.
 *
 * Lost news are harmless and nothing is sent twice: while the database is away, news are dropped.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { GatewayNews, GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import type { Database } from "@atelier/database/database";
import { publish, type PubSub } from "@atelier/database/pub-sub";
import type { Tasks } from "@atelier/host/tasks";
import {
  agedNews,
  formatNews,
  GATEWAY_NEWS,
  parseNews,
  subjectOf,
} from "./gateway-news-message.ts";

export const SPACING_MS = 200;
/** Of different subjects. Further ones are not told. */
export const WAITING_MAX = 256;

export type GatewayNewsDeps = {
  readonly database: Pick<Database, "sql">;
  readonly pubSub: Pick<PubSub, "subscribe">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tasks: Pick<Tasks, "run">;
  /** Tells what this server sent from what the others did. */
  readonly replicaId: string;
};

/** Runs until its tasks end. */
export function startGatewayNews(deps: GatewayNewsDeps): GatewayPeers {
  const exchange = new GatewayNewsExchange(deps);
  deps.tasks.run("gateway news", (signal) => exchange.run(signal));
  return exchange;
}

class GatewayNewsExchange implements GatewayPeers {
  readonly #deps: GatewayNewsDeps;
  readonly #waiting = new Map<string, { readonly news: GatewayNews; readonly sinceMs: number }>();
  #nudge = Promise.withResolvers<void>();

  constructor(deps: GatewayNewsDeps) {
    this.#deps = deps;
  }

  tell(news: GatewayNews): void {
    const subject = subjectOf(news);
    if (this.#waiting.size >= WAITING_MAX && !this.#waiting.has(subject)) return;
    this.#waiting.set(subject, { news, sinceMs: this.#deps.clock.monotonicMs() });
    this.#nudge.resolve();
  }

  hear(listener: (news: GatewayNews) => void): Disposable {
    return this.#deps.pubSub.subscribe(GATEWAY_NEWS, {
      message: (payload) => {
        const message = parseNews(payload);
        if (message === null || message.from === this.#deps.replicaId) return;
        for (const news of message.news) listener(news);
      },
      resync: () => {}, // What was missed, this server learns by itself.
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      await Promise.race([this.#nudge.promise, stopped]);
      if (signal.aborted) return;
      this.#nudge = Promise.withResolvers<void>();
      await this.#send();
      if (this.#waiting.size > 0) this.#nudge.resolve();
      await this.#deps.clock.sleep(SPACING_MS, signal);
    }
  }

  async #send(): Promise<void> {
    const { clock, database, log, replicaId } = this.#deps;
    const nowMs = clock.monotonicMs();
    const batch: GatewayNews[] = [];
    for (const [subject, { news, sinceMs }] of this.#waiting) {
      const aged = agedNews(news, nowMs - sinceMs);
      if (aged === null) this.#waiting.delete(subject);
      else batch.push(aged);
    }
    const { payload, count } = formatNews({ from: replicaId, news: batch });
    if (count === 0) return;
    for (const sent of batch.slice(0, count)) this.#waiting.delete(subjectOf(sent));
    try {
      await publish(database.sql, GATEWAY_NEWS, payload);
    } catch (error) {
      log.debug({ error, count }, "gateway news were not sent");
    }
  }
}
