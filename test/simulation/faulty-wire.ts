/** A TCP proxy between two real processes, whose connections can be cut, or left open and deaf. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class FaultyWire implements AsyncDisposable {
  /** Where new connections go. */
  targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Also those of deaf connections, which nobody closes. */
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.targetPort = targetPort;
    server.on("connection", (socket) => this.#carry(socket));
  }

  static async start(targetPort: number): Promise<FaultyWire> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FaultyWire(server, targetPort);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Both ends see a connection that is reset. */
  cut(): void {
    for (const [one, other] of this.#pairs) {
      one.resetAndDestroy();
      other.resetAndDestroy();
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
    const target = { port: this.targetPort, host: "127.0.0.1" };
    const other = connect({ ...target, noDelay: true });
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
    one.pipe(other).pipe(one);
  }
}
