/**
 * Between a server and its Postgres: counts what the server has executed, by statement. Each execution
 * is a round trip, unless the client sends several before it waits.
 */
import { createServer, createConnection, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import type { SocketConnection } from "@atelier/database/postgres-process";

export type CountingProxy = AsyncDisposable & {
  /** As `--postgres-url` takes it. */
  readonly url: string;
  /** Executions of each statement since the last look, and bytes that the server sent. */
  take(): { readonly statements: ReadonlyMap<string, number>; readonly bytes: number };
};

export async function startCountingProxy(
  to: SocketConnection,
  log: (text: string) => void = () => {},
): Promise<CountingProxy> {
  let counts = new Map<string, number>();
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(join(to.host, `.s.PGSQL.${to.port}`));
    const frontend = new FrontendMessages((text) => {
      log(text);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    });
    near.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      frontend.add(chunk);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on("error", () => other.destroy()); // The other end learns of it.
      one.on("close", () => sockets.delete(one));
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on a port.
  return {
    url: `postgres://${to.user}@127.0.0.1:${port}/${to.database}`,
    take: () => {
      const taken = { statements: counts, bytes };
      [counts, bytes] = [new Map(), 0];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const START_UP_LENGTH_BYTES = 4;
const HEAD_BYTES = 5;

/** One connection's messages to Postgres; a prepared statement is parsed once and bound by its name. */
class FrontendMessages {
  readonly #executed: (text: string) => void;
  readonly #prepared = new Map<string, string>();
  #rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  #isStarted = false;

  constructor(executed: (text: string) => void) {
    this.#executed = executed;
  }

  add(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const length = this.#lengthOfNext();
      if (length === null || this.#rest.length < length) return;
      const message = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      if (this.#isStarted) this.#hear(message);
      // A request for TLS is refused with one byte, and the true start follows.
      else this.#isStarted = length > 2 * START_UP_LENGTH_BYTES;
    }
  }

  #lengthOfNext(): number | null {
    if (!this.#isStarted) {
      return this.#rest.length < START_UP_LENGTH_BYTES ? null : this.#rest.readInt32BE(0);
    }
    return this.#rest.length < HEAD_BYTES ? null : this.#rest.readInt32BE(1) + 1;
  }

  #hear(message: Buffer): void {
    const type = String.fromCharCode(message[0] ?? 0);
    const [first = "", second = ""] = message.toString("latin1", HEAD_BYTES).split("\0");
    if (type === "P") this.#prepared.set(first, second);
    // The portal's name comes before the statement's.
    if (type === "B") this.#executed(this.#prepared.get(second) ?? second);
    if (type === "Q") this.#executed(first);
  }
}
