/** A TCP proxy between two real processes, whose connections can be cut, or left open and deaf. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class FaultyWire implements AsyncDisposable {
  /** Where new connections go: a port, or the path of a socket. */
  targetPort: number | string;
  /** New connections are broken at once. */
  isDown = false;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Also those of deaf connections, which nobody closes. */
  readonly #sockets = new Set<Socket>();

  readonly #tap: (sent: Buffer) => void;

  private constructor(server: Server, targetPort: number | string, tap: (sent: Buffer) => void) {
    this.#server = server;
    this.targetPort = targetPort;
    this.#tap = tap;
    server.on("connection", (socket) => this.#carry(socket));
  }

  /** `tap` sees what clients send. */
  static async start(
    targetPort: number | string,
    tap: (sent: Buffer) => void = () => {},
  ): Promise<FaultyWire> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FaultyWire(server, targetPort, tap);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Both ends see a connection that is reset. */
  cut(): void {
    for (const [one, other] of this.#pairs) {
      one.resetAndDestroy();
      // Local sockets know no resets.
      if (other.remoteFamily === undefined) other.destroy();
      else other.resetAndDestroy();
    }
  }

  /** Half-open: what comes from either side is swallowed from now on, and neither side hears why. */
  deafen(): void {
    for (const pair of this.#pairs) {
      this.#pairs.delete(pair);
      for (const socket of pair) {
        socket.unpipe();
        socket.removeAllListeners("close");
        socket.on("data", () => {}).resume();
        socket.on("close", () => this.#sockets.delete(socket));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(one: Socket): void {
    if (this.isDown) {
      one.resetAndDestroy();
      return;
    }
    const { targetPort } = this;
    const other =
      typeof targetPort === "string"
        ? connect(targetPort)
        : connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
    const pair = [one, other] as const;
    this.#pairs.add(pair);
    for (const [socket, peer] of [pair, [other, one]] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {}); // `close` follows.
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#pairs.delete(pair);
        peer.destroy();
      });
    }
    one.on("data", this.#tap);
    one.pipe(other).pipe(one);
  }
}
