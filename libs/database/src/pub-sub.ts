/**
 * Messages between servers over Postgres' LISTEN/NOTIFY.
 *
 * A message is a nudge, never the truth: none arrive while the connection is away. So `resync()` is
 * called after each connect, and a subscriber that then reads the database anew misses nothing.
 * A connection that died in silence is noticed within HEARTBEAT_MS + ANSWER_MS_MAX.
 */
import { Socket } from "node:net";
import { assert } from "@atelier/base/assert";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { sql as statement } from "kysely";
import type pg from "pg";
import { newClient, type DatabaseConnection, type Sql } from "./database.ts";

export type Subscriber = {
  message(payload: string): void;
  /** Messages may have been missed: what was learned from them may be wrong. */
  resync(): void;
  /** From now on messages are missed, until `resync`. */
  lost?(): void;
};

export interface PubSub extends AsyncDisposable {
  /** Lasts until disposed. Calls `resync` once listening, and again after each reconnect. */
  subscribe(channel: string, on: Subscriber): Disposable;
  readonly isConnected: boolean;
}

export type PubSubOptions = {
  readonly connection: DatabaseConnection;
  readonly applicationName: string;
};

export type PubSubDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

const HEARTBEAT_MS = 5_000;
const ANSWER_MS_MAX = 5_000;
const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 5_000;
/** Postgres allows fewer than 8000 bytes. Send ids, not things. */
const PAYLOAD_BYTES_MAX = 7_999;

/** Starts listening on a connection of its own, and keeps trying until disposed. */
export function startPubSub(options: PubSubOptions, deps: PubSubDeps): PubSub {
  return new PostgresPubSub(options, deps);
}

/** In a transaction: delivered when it commits, and not at all when it does not. */
export async function publish(sql: Sql, channel: string, payload: string): Promise<void> {
  assertChannel(channel);
  assert(Buffer.byteLength(payload) <= PAYLOAD_BYTES_MAX, "a payload fits into a notification");
  await statement`select pg_notify(${channel}, ${payload})`.execute(sql);
}

class PostgresPubSub implements PubSub {
  readonly #options: PubSubOptions;
  readonly #deps: PubSubDeps;
  readonly #stop = new AbortController();
  readonly #subscribers = new Map<string, Set<Subscriber>>();
  readonly #ended: Promise<void>;
  #listener: Listener | null = null;

  constructor(options: PubSubOptions, deps: PubSubDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#ended = this.#run();
  }

  get isConnected(): boolean {
    return this.#listener !== null;
  }

  subscribe(channel: string, on: Subscriber): Disposable {
    assertChannel(channel);
    const own: Subscriber = {
      message: (text) => on.message(text),
      resync: () => on.resync(),
      lost: () => on.lost?.(),
    };
    const subscribers = this.#subscribers.get(channel) ?? new Set();
    this.#subscribers.set(channel, subscribers.add(own));
    // Not connected: the connect listens to it and resyncs.
    this.#listener?.listen(channel).then(
      () => {
        if (subscribers.has(own)) this.#tell(own, (subscriber) => subscriber.resync());
      },
      () => {}, // The connection is lost: the next one resyncs.
    );
    return {
      [Symbol.dispose]: () => {
        subscribers.delete(own);
        if (subscribers.size === 0 && this.#subscribers.get(channel) === subscribers) {
          this.#subscribers.delete(channel);
          this.#listener?.unlisten(channel);
        }
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the subscriptions were closed"));
    await this.#ended;
  }

  /** Repeats without end: listening is safe to repeat, and a server without messages is half blind. */
  async #run(): Promise<void> {
    const { clock, random, log } = this.#deps;
    const { signal } = this.#stop;
    let delayMs = RECONNECT_MS_MIN;
    while (!signal.aborted) {
      try {
        await this.#listenUntilLost(() => {
          delayMs = RECONNECT_MS_MIN;
        });
      } catch (error) {
        if (!signal.aborted) log.warn({ error, retryInMs: delayMs }, "database messages lost");
      }
      // Between half and all of the delay, so that servers do not return in step.
      const jitter = 0.5 + Number.parseInt(random.uuid().slice(0, 4), 16) / 0x20000;
      try {
        await clock.sleep(delayMs * jitter, signal);
      } catch {
        return; // Closed while it waited.
      }
      delayMs = Math.min(delayMs * 2, RECONNECT_MS_MAX);
    }
  }

  async #listenUntilLost(connected: () => void): Promise<void> {
    const { connection, applicationName } = this.#options;
    const { signal } = this.#stop;
    const socket = new Socket();
    const client = newClient(connection, applicationName, () => socket);
    const listener = new Listener(client, socket, this.#deps.clock, signal);
    client.on("notification", ({ channel, payload = "" }) => {
      this.#tellAll(this.#subscribers.get(channel), (subscriber) => subscriber.message(payload));
    });
    try {
      await listener.connect();
      // Subscribers that come while these statements run are listened to by the next turn.
      const listened = new Set<string>();
      for (;;) {
        const channel = this.#subscribers.keys().find((other) => !listened.has(other));
        if (channel === undefined) break;
        await listener.listen(channel);
        listened.add(channel);
      }
      this.#listener = listener;
      connected();
      this.#deps.log.debug({}, "database messages connected");
      for (const subscribers of this.#subscribers.values()) {
        this.#tellAll(subscribers, (subscriber) => subscriber.resync());
      }
      await listener.heartbeatUntilLost();
    } finally {
      const wasConnected = this.#listener !== null;
      this.#listener = null;
      if (wasConnected) {
        for (const subscribers of this.#subscribers.values()) {
          this.#tellAll(subscribers, (subscriber) => subscriber.lost?.());
        }
      }
      listener.close();
    }
  }

  #tellAll(subscribers: Iterable<Subscriber> = [], tell: (subscriber: Subscriber) => void): void {
    for (const subscriber of subscribers) this.#tell(subscriber, tell);
  }

  /** One subscriber's mistake must not cost the others their message. */
  #tell(subscriber: Subscriber, tell: (subscriber: Subscriber) => void): void {
    try {
      tell(subscriber);
    } catch (error) {
      this.#deps.log.error({ error }, "subscriber failed");
    }
  }
}

/** One connection: runs one statement at a time, and knows when the connection is lost. */
class Listener {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  readonly #signal: AbortSignal;
  /** Rejects when the connection is lost or no longer wanted. */
  readonly #lost: Promise<never>;
  readonly #lose: (error: unknown) => void;
  #last: Promise<unknown> = Promise.resolve();
  /** By channel: that it is listened to, or who asked for it last. */
  readonly #listening = new Map<string, symbol>();

  constructor(client: pg.Client, socket: Socket, clock: Clock, signal: AbortSignal) {
    this.#client = client;
    this.#socket = socket;
    this.#clock = clock;
    this.#signal = AbortSignal.any([signal, this.#closed.signal]);
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // Whoever waits for something gets it through the race.
    this.#lost = promise;
    this.#lose = reject;
    client.on("error", reject);
    client.on("end", () => reject(new Error("the database closed the connection")));
    this.#signal.addEventListener("abort", () => reject(this.#signal.reason as Error));
  }

  async connect(): Promise<void> {
    this.#signal.throwIfAborted();
    await Promise.race([this.#client.connect(), this.#lost]);
  }

  /** Queued behind the statements before it, since the driver takes one at a time. */
  async query(text: string): Promise<void> {
    const mine = this.#last.then(() => this.#client.query(text));
    this.#last = mine.catch(() => {});
    await Promise.race([mine, this.#lost]);
  }

  /** At once where it is listened to already. */
  async listen(channel: string): Promise<void> {
    if (this.#listening.get(channel) === LISTENING) return;
    const asked = Symbol(channel);
    this.#listening.set(channel, asked);
    try {
      await this.query(`listen "${channel}"`);
    } catch (error) {
      this.#lose(error);
      throw error;
    }
    // Else somebody asked for the opposite since, or asked again.
    if (this.#listening.get(channel) === asked) this.#listening.set(channel, LISTENING);
  }

  /** Statements keep their order: whoever subscribes to the channel after this listens anew. */
  unlisten(channel: string): void {
    this.#listening.delete(channel);
    this.query(`unlisten "${channel}"`).catch(this.#lose);
  }

  /** Throws the reason of the loss. */
  async heartbeatUntilLost(): Promise<never> {
    for (;;) {
      await Promise.race([this.#clock.sleep(HEARTBEAT_MS, this.#signal), this.#lost]);
      const answered = new AbortController();
      const deadline = this.#clock
        .sleep(ANSWER_MS_MAX, AbortSignal.any([this.#signal, answered.signal]))
        .then(() => {
          throw new Error(`no answer from the database for ${ANSWER_MS_MAX} ms`);
        });
      deadline.catch(() => {}); // Also aborted when the answer was in time.
      await Promise.race([this.query("select 1"), deadline]).finally(() => answered.abort());
    }
  }

  /** At once: a polite end would wait for a server that may be gone, and nothing is in progress. */
  close(): void {
    this.#closed.abort(new Error("the connection was closed"));
    this.#socket.destroy();
  }
}

const LISTENING = Symbol("listening");

function assertChannel(channel: string): void {
  assert(/^[a-z][a-z0-9_]{0,62}$/.test(channel), "a channel is a short lower-case name");
}
