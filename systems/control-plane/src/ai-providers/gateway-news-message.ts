/**
 * News of gateways as a notification, and back. One message holds the news of a short while, so that trouble
 * with many models is a few notifications and not thousands. Keys are named by id, and never held.
 */
import type { GatewayNews } from "@atelier/contract/rpc/gateway-news";
import { z } from "zod";

export const GATEWAY_NEWS = "ai_gateway_news";

/** Postgres allows fewer than 8000. */
export const NEWS_BYTES_MAX = 7_500;
/** A day: what holds longer was not learned from a provider. */
const FOR_MS_MAX = 24 * 3_600_000;

const ForMs = z.int().min(1).max(FOR_MS_MAX);
const Breaker = { providerId: z.uuid(), endpoint: z.string().max(256), model: z.string().max(512) };
const News = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("breaker_opened"), ...Breaker, forMs: ForMs }),
  z.object({ kind: z.literal("breaker_closed"), ...Breaker }),
  z.object({
    kind: z.literal("key_out"),
    providerId: z.uuid(),
    keyId: z.uuid(),
    reason: z.enum(["rate_limited", "unauthorized", "forbidden"]),
    status: z.int().nullable(),
    forMs: ForMs.nullable(),
  }),
  z.object({ kind: z.literal("key_back"), providerId: z.uuid(), keyId: z.uuid() }),
]);
const Message = z.object({ from: z.string(), news: z.array(z.unknown()) });

export type NewsMessage = { readonly from: string; readonly news: readonly GatewayNews[] };

/** What later news of it replaces. */
export function subjectOf(news: GatewayNews): string {
  return news.kind === "key_out" || news.kind === "key_back"
    ? `key ${news.providerId} ${news.keyId}`
    : `breaker ${news.providerId} ${news.endpoint} ${news.model}`;
}

/** With the time that it has waited taken off. Null: it is over, or no such news can be sent. */
export function agedNews(news: GatewayNews, waitedMs: number): GatewayNews | null {
  const aged =
    "forMs" in news && news.forMs !== null
      ? { ...news, forMs: Math.min(Math.ceil(news.forMs - waitedMs), FOR_MS_MAX) }
      : news;
  return News.safeParse(aged).success ? aged : null;
}

/** As many of them, from the front, as one message holds; at least none. */
export function formatNews({ from, news }: NewsMessage): {
  readonly payload: string;
  readonly count: number;
} {
  let bytes = Buffer.byteLength(JSON.stringify({ from, news: [] }));
  const fitting: GatewayNews[] = [];
  for (const each of news) {
    bytes += Buffer.byteLength(JSON.stringify(each)) + 1;
    if (bytes > NEWS_BYTES_MAX) break;
    fitting.push(each);
  }
  return { payload: JSON.stringify({ from, news: fitting }), count: fitting.length };
}

/** What is malformed, or of another version, is left out. Null: all of it is. */
export function parseNews(payload: string): NewsMessage | null {
  let value: unknown = null;
  try {
    value = JSON.parse(payload);
  } catch {
    return null;
  }
  const message = Message.safeParse(value);
  if (!message.success) return null;
  const news = message.data.news.flatMap((each) => {
    const parsed = News.safeParse(each);
    return parsed.success ? [parsed.data] : [];
  });
  return { from: message.data.from, news };
}
