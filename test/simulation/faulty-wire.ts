/** A TCP proxy between two real processes, whose connections can be cut, held up, or left open and deaf. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What becomes of bytes that were held up, and of their connection. */
export type HeldFate = "pass" | "drop";

/** Sees what passes on one connection. What it gives a promise for is held up, with all that follows. */
export type WireTap = {
  /** From who dialled. */
  sent(bytes: Buffer): Promise<HeldFate> | null;
  answered(bytes: Buffer): Promise<HeldFate> | null;
};

export class FaultyWire implements AsyncDisposable {
  /** Where new connections go: a port, or the path of a socket. */
  targetPort: number | string;
  /** New connections are broken at once. */
  isDown = false;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Also those of deaf connections, which nobody closes. */
  readonly #sockets = new Set<Socket>();
  readonly #tap: (() => WireTap) | null;

  private constructor(server: Server, targetPort: number | string, tap: (() => WireTap) | null) {
    this.#server = server;
    this.targetPort = targetPort;
    this.#tap = tap;
    server.on("connection", (socket) => this.#carry(socket));
  }

  /** `tap` makes one for each connection. */
  static async start(
    targetPort: number | string,
    tap: (() => WireTap) | null = null,
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
      reset(one);
      reset(other);
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
    if (this.#tap === null) {
      one.pipe(other).pipe(one);
      return;
    }
    const tap = this.#tap();
    pump(pair, (bytes) => tap.sent(bytes));
    pump([other, one], (bytes) => tap.answered(bytes));
  }
}

function pump(
  [from, to]: readonly [Socket, Socket],
  see: (bytes: Buffer) => Promise<HeldFate> | null,
): void {
  const pass = (bytes: Buffer): void => {
    if (to.write(bytes)) return;
    from.pause();
    to.once("drain", () => from.resume());
  };
  const hold = async (bytes: Buffer, held: Promise<HeldFate>): Promise<void> => {
    from.pause();
    if ((await held) === "drop") {
      reset(from);
      reset(to);
      return;
    }
    from.resume();
    pass(bytes);
  };
  from.on("data", (bytes: Buffer) => {
    const held = see(bytes);
    if (held === null) pass(bytes);
    else hold(bytes, held).catch((error: unknown) => to.destroy(error as Error));
  });
  from.on("end", () => to.end());
}

/** Local sockets know no resets. */
function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
