/**
 * Ends a `node:http` server without cutting anybody off: nothing further is accepted, idle
 * connections close, requests and streams under way finish, and at the deadline the rest is cut.
 *
 * The server's own `close()` is not used for this: it destroys a connection whose response is
 * written but not yet delivered, which cuts off slow readers.
 */
import type { Clock } from "@atelier/base/clock";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { Server, type Socket } from "node:net";

/** Tells a client, where the head of its answer is not yet on its way, not to send more. */
type CloseAfterwards = () => void;

/** Nearly always one exchange or none, at every request: a Set would make its table anew each time. */
type Connection = { readonly exchanges: CloseAfterwards[]; bytesReadWhenIdle: number };

/** Time for requests that are already in the host's buffers to be seen. */
const GRACE_MS = 100;

export class HttpDrain {
  readonly #server: HttpServer;
  readonly #connections = new Map<Socket, Connection>();
  #isDraining = false;
  #whenEmpty: () => void = () => {};

  /** Watch a server from before its first connection. */
  constructor(server: HttpServer) {
    this.#server = server;
    server.on("connection", (socket: Socket) => this.#addConnection(socket));
    server.prependListener("request", (request, response) => this.#addRequest(request, response));
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Resolves when every connection is closed, with how many were cut at the deadline. */
  async drain(clock: Clock, timeoutMs: number): Promise<{ readonly cut: number }> {
    this.#isDraining = true;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    Server.prototype.close.call(this.#server);
    for (const { exchanges } of this.#connections.values()) {
      for (const closeAfterwards of exchanges) closeAfterwards();
    }

    const timers = new AbortController();
    const deadline = clock.sleep(timeoutMs, timers.signal);
    const grace = clock.sleep(Math.min(GRACE_MS, timeoutMs), timers.signal).then(() => {
      for (const socket of this.#connections.keys()) this.#closeIfIdle(socket);
      if (this.#connections.size === 0) this.#whenEmpty();
    });
    await Promise.race([empty, deadline]);
    timers.abort(new Error("drained"));
    await Promise.allSettled([deadline, grace]);

    const cut = this.#connections.size;
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#server.close(() => {}); // Ends the server's own timers; its error says "not running".
    return { cut };
  }

  /**
   * A request of which the server itself does not tell. Call what it returns when its answer is
   * written.
   */
  addExchange(socket: Socket, closeAfterwards: CloseAfterwards): () => void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return () => {};
    connection.exchanges.push(closeAfterwards);
    if (this.#isDraining) closeAfterwards();
    return () => {
      remove(connection.exchanges, closeAfterwards);
      connection.bytesReadWhenIdle = socket.bytesRead;
      if (this.#isDraining) this.#closeIfIdle(socket);
    };
  }

  #addConnection(socket: Socket): void {
    this.#connections.set(socket, { exchanges: [], bytesReadWhenIdle: 0 });
    socket.once("close", () => {
      this.#connections.delete(socket);
      if (this.#isDraining && this.#connections.size === 0) this.#whenEmpty();
    });
  }

  #addRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    const over = this.addExchange(socket, () => {
      if (!response.headersSent) response.setHeader("connection", "close");
    });
    response.once("close", over);
  }

  /** Idle means: no response under way, and no byte of a next request. Delivers, then closes. */
  #closeIfIdle(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.exchanges.length > 0) return;
    if (socket.bytesRead === connection.bytesReadWhenIdle) socket.destroySoon();
  }
}

function remove(exchanges: CloseAfterwards[], over: CloseAfterwards): void {
  const at = exchanges.indexOf(over);
  if (at === -1) return;
  const last = exchanges.pop();
  if (last !== undefined && at < exchanges.length) exchanges[at] = last;
}
