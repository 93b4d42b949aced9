/**
 * The upstream client on raw sockets: strict HTTP/1.1, plain or over TLS, with a pool of connections
 * to one origin. The connection that was used last is used next, so that a pool shrinks to what is
 * needed. Costs about half of undici's CPU (docs/discoveries/upstream-client.md); passes the same suite.
 */
import type { Clock } from "@atelier/base/clock";
import { loopLoad } from "@atelier/host/loop-load";
import { connect as connectPlain, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { toRequestHeadEnd, toRequestLines } from "./http1-request-head.ts";
import {
  RawConnection,
  type ConnectionPool,
  type RawConnectionOptions,
} from "./raw-connection-io.ts";
import { RawExchange, type ExchangeCarrier } from "./raw-exchange-io.ts";
import { SharedRead } from "./shared-read-io.ts";
import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamExchange,
  UpstreamListener,
  UpstreamTimeouts,
} from "./upstream-client.ts";

export type RawUpstreamOptions = {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly timeouts: UpstreamTimeouts;
  readonly clock: Clock;
  /** Certificates to trust in place of the host's, as PEM. */
  readonly ca?: string;
  readonly connectionsMax?: number;
  /** Absent: that of this thread. */
  readonly isLoopFull?: () => boolean;
  /** The provider does not agree to HTTP/1.1: the client that exchanges go to. Absent: they fail. */
  readonly onHttp1Refused?: () => UpstreamClient;
};

export interface RawUpstreamClient extends UpstreamClient {
  /** Exchanges under way. */
  readonly inUse: number;
}

export function openRawUpstream(options: RawUpstreamOptions): RawUpstreamClient {
  return new RawUpstream(options);
}

/** Linux has 28,232 ports for connections to one address, for all processes. */
const CONNECTIONS_MAX = 10_000;
/** More idle ones than this are closed: they were for a burst. */
const IDLE_CONNECTIONS_MAX = 256;
/** Exchanges that wait for a connection. */
const WAITING_MAX = 10_000;
/**
 * Without use, where the server does not say. Model servers on one's own machines give up soon
 * (uvicorn after 5 s) and are quickly connected to; edges wait longer (load balancers of AWS 60 s,
 * nginx 75 s) and a new TLS connection costs round trips.
 */
const PLAIN_KEEP_ALIVE_MS = 4_000;
const TLS_KEEP_ALIVE_MS = 50_000;
/** Time-outs are this much late at most, or a quarter of the shortest. */
const CHECK_EVERY_MS_MAX = 500;

/** Of the method and the path, with the headers that they belong to. */
type RequestLines = { readonly method: string; readonly path: string; readonly text: string };

class RawUpstream implements RawUpstreamClient, ConnectionPool, ExchangeCarrier {
  readonly #options: RawUpstreamOptions;
  readonly #url: URL;
  readonly #connections = new Set<RawConnection>();
  /** The last is used next. */
  readonly #idle: RawConnection[] = [];
  readonly #waiting = new Set<RawExchange>();
  readonly #heads = new WeakMap<readonly string[], RequestLines>();
  readonly #closing = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  readonly #checkEveryMs: number;
  readonly #connectionsMax: number;
  #watching: Promise<void> | null = null;
  /** Of the last TLS connection: the next one begins with it. */
  #tlsSession: Buffer | undefined;
  #isClosing = false;

  constructor(options: RawUpstreamOptions) {
    this.#options = options;
    this.#url = new URL(options.origin);
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
    const { connectMsMax, headMsMax, silenceMsMax } = options.timeouts;
    const shortestMs = Math.min(connectMsMax, headMsMax, silenceMsMax);
    this.#checkEveryMs = Math.min(CHECK_EVERY_MS_MAX, shortestMs / 4);
  }

  send(call: UpstreamCall, listener: UpstreamListener): UpstreamExchange {
    const head = this.#headOf(call);
    const exchange = new RawExchange(call, head ?? "", listener);
    if (head === null) failLater(exchange, "REQUEST_INVALID", "the request cannot be written");
    else if (this.#isClosing) failLater(exchange, "CLIENT_CLOSED", "the client is closed");
    else this.#assign(exchange);
    return exchange;
  }

  get inUse(): number {
    return this.#connections.size - this.#idle.length + this.#waiting.size;
  }

  /** Calls of one client come with the same list of headers, whose text is made once. */
  #headOf(call: UpstreamCall): string | null {
    const { method, path, headers, body } = call;
    const known = this.#heads.get(headers);
    if (known !== undefined && known.method === method && known.path === path) {
      return known.text + toRequestHeadEnd(method, body);
    }
    const text = toRequestLines(call, this.#url.host);
    if (text === null) return null;
    this.#heads.set(headers, { method, path, text });
    return text + toRequestHeadEnd(method, body);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const connection of this.#idle.splice(0)) connection.retire();
    this.#settleClose();
    await this.#closed.promise;
    await this.#watching;
  }

  release(connection: RawConnection): void {
    const next = this.#waiting.values().next().value;
    if (next !== undefined) {
      this.#waiting.delete(next);
      connection.carry(next);
    } else if (this.#isClosing || this.#idle.length >= IDLE_CONNECTIONS_MAX) {
      connection.retire();
    } else {
      this.#idle.push(connection);
    }
  }

  forget(connection: RawConnection): void {
    this.#connections.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    const next = this.#waiting.values().next().value;
    if (next !== undefined && this.#connections.size < this.#connectionsMax) {
      this.#waiting.delete(next);
      this.#connect(next);
    }
    this.#settleClose();
  }

  /** Beyond the limit for a moment: the connection that it was sent on is closing. */
  resend(exchange: RawExchange): void {
    this.#connect(exchange);
  }

  handOver(exchange: RawExchange): boolean {
    const client = this.#options.onHttp1Refused?.();
    if (client === undefined) return false;
    exchange.handTo(client);
    return true;
  }

  resume(): void {} // Nothing is held of an exchange that waits for a connection.

  drop(exchange: RawExchange): void {
    this.#waiting.delete(exchange);
  }

  #assign(exchange: RawExchange): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.mayCarry(nowMs)) {
        idle.carry(exchange);
        return;
      }
      idle.retire();
    }
    if (this.#connections.size < this.#connectionsMax) {
      this.#connect(exchange);
    } else if (this.#waiting.size < WAITING_MAX) {
      exchange.waitsSinceMs = nowMs;
      exchange.moveTo(this);
      this.#waiting.add(exchange);
    } else {
      failLater(exchange, "CONNECTIONS_BUSY", "too many requests wait for a connection");
    }
  }

  #connect(exchange: RawExchange): void {
    const { clock, timeouts, isLoopFull = () => loopLoad.isFull() } = this.#options;
    const common = { pool: this, timeouts, clock, isLoopFull };
    const connection = new RawConnection({ ...this.#openSocket(), ...common });
    this.#connections.add(connection);
    connection.carry(exchange);
    this.#watching ??= this.#watch();
  }

  #openSocket(): Pick<RawConnectionOptions, "socket" | "read" | "readyEvent" | "keepAliveMs"> {
    const host = this.#url.hostname.replace(/^\[|\]$/g, "");
    if (this.#url.protocol === "http:") {
      const read = new SharedRead();
      const port = Number(this.#url.port || 80);
      const socket = connectPlain({ host, port, onread: read.option });
      return { socket, read, readyEvent: "connect", keepAliveMs: PLAIN_KEEP_ALIVE_MS };
    }
    const { ca } = this.#options;
    const socket = connectTls({
      host,
      port: Number(this.#url.port || 443),
      // An address is no server name (RFC 6066 §3); the certificate is compared with it all the same.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: ["http/1.1"],
      ...(this.#tlsSession === undefined ? {} : { session: this.#tlsSession }),
      ...(ca === undefined ? {} : { ca }),
    });
    socket.on("session", (session: Buffer) => {
      this.#tlsSession = session;
    });
    return { socket, read: null, readyEvent: "secureConnect", keepAliveMs: TLS_KEEP_ALIVE_MS };
  }

  /** One timer for all time-outs, while there are connections. */
  async #watch(): Promise<void> {
    const { clock, timeouts } = this.#options;
    let lastMs = clock.monotonicMs();
    while (this.#connections.size > 0) {
      try {
        await clock.sleep(this.#checkEveryMs, this.#closing.signal);
      } catch {
        break; // The last connection of a closed client is gone.
      }
      const nowMs = clock.monotonicMs();
      for (const connection of this.#connections) connection.check(nowMs, nowMs - lastMs);
      for (const exchange of this.#waiting) {
        if (nowMs - exchange.waitsSinceMs <= timeouts.connectMsMax) break; // In order of arrival.
        this.#waiting.delete(exchange);
        exchange.fail("CONNECTIONS_BUSY", "no connection became free");
      }
      lastMs = nowMs;
    }
    this.#watching = null;
  }

  #settleClose(): void {
    if (!this.#isClosing || this.#connections.size > 0 || this.#waiting.size > 0) return;
    this.#closing.abort();
    this.#closed.resolve();
  }
}

/** The caller gets the exchange before the listener hears of it. */
function failLater(exchange: RawExchange, cause: string, detail: string): void {
  queueMicrotask(() => exchange.fail(cause, detail));
}
