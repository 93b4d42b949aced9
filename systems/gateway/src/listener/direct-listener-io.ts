/**
 * Takes the plain requests to the gateway off a `node:http` server, which costs a multiple for each of
 * them: connections are read here first, and go to the server with the first request that is not plain or not
 * the gateway's (decision 0022).
 */
import type { Clock } from "@atelier/base/clock";
import type { HttpDrain } from "@atelier/host/http-drain";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { GatewayRequest, GatewayResponse } from "../relay/client-exchange.ts";
import { DirectConnection, type DirectPhase } from "./direct-connection-io.ts";

export type DirectListenerOptions = {
  readonly clock: Clock;
  readonly drain: Pick<HttpDrain, "addExchange">;
  /** Of a request's head. As the server has it. */
  readonly headBytesMax: number;
  /** The part of a target's path before `/<provider>/…`. Null: the target or its host is not the gateway's. */
  prefixOf(url: string, host: string | undefined): string | null;
  handle(req: GatewayRequest, res: GatewayResponse, prefix: string): void;
};

/** How exactly limits of time are kept. */
const ROUND_MS = 5_000;
/** For a client that was answered before all of its request was there. */
const PARTING_MS_MAX = 10_000;
const MS_PER_SECOND = 1_000;

export class DirectListener implements Disposable {
  readonly #server: Server;
  readonly #options: DirectListenerOptions;
  readonly #connections = new Map<Socket, DirectConnection>();
  readonly #stop = new AbortController();
  /** What `node:http` does with a connection. */
  readonly #toServer: (socket: Socket) => void;
  /** In rounds; an answer may take any time. */
  readonly #roundsMax: Readonly<Record<DirectPhase, number>>;
  #date = { second: Number.NaN, text: "" };

  /** Before the server listens. Its own limits of time and size hold here as well. */
  constructor(server: Server, options: DirectListenerOptions) {
    const [toServer] = server.listeners("connection");
    if (toServer === undefined) throw new Error("The server takes no connections");
    this.#server = server;
    this.#options = options;
    this.#toServer = toServer;
    this.#roundsMax = {
      head: roundsOf(server.headersTimeout),
      body: roundsOf(server.requestTimeout),
      answer: Number.POSITIVE_INFINITY,
      idle: roundsOf(server.keepAliveTimeout),
      parting: roundsOf(PARTING_MS_MAX),
    };
    server.off("connection", this.#toServer);
    server.prependListener("connection", (socket: Socket) => this.#take(socket));
    this.#watch().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  [Symbol.dispose](): void {
    this.#stop.abort(new Error("the listener is closed"));
    for (const connection of this.#connections.values()) connection.destroy();
  }

  #take(socket: Socket): void {
    const { drain, ...own } = this.#options;
    const { keepAliveTimeout } = this.#server;
    const connection = new DirectConnection(socket, {
      ...own,
      keepAliveSeconds: Math.floor(keepAliveTimeout / MS_PER_SECOND),
      date: () => this.#dateText(),
      onExchange: (on, closeAfterwards) => drain.addExchange(on, closeAfterwards),
      handOver: () => {
        this.#connections.delete(socket);
        socket.off("close", forget);
        this.#toServer.call(this.#server, socket);
      },
    });
    const forget = (): void => {
      this.#connections.delete(socket);
    };
    this.#connections.set(socket, connection);
    socket.once("close", forget);
  }

  /** One timer for all: each request would cost the setting of one. */
  async #watch(): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(ROUND_MS, this.#stop.signal);
      for (const connection of this.#connections.values()) {
        connection.rounds += 1;
        if (connection.rounds <= this.#roundsMax[connection.phase]) continue;
        const isOver = connection.phase === "idle" || connection.phase === "parting";
        if (isOver) connection.destroy();
        else connection.refuseAsLate();
      }
    }
  }

  #dateText(): string {
    const now = this.#options.clock.now();
    const second = Math.floor(now.getTime() / MS_PER_SECOND);
    if (second !== this.#date.second) this.#date = { second, text: now.toUTCString() };
    return this.#date.text;
  }
}

function roundsOf(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : Math.ceil(ms / ROUND_MS);
}
