/**
 * The way of a request that is not the gateway's from a worker to the main thread: over a socket of
 * files that only this user can open, with the client's address beside it. The API sees the request as
 * if it had come to it directly.
 */
import {
  request as httpRequest,
  Agent,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** Written by the worker over whatever a client sends, and taken off by the main thread. */
const PEER_HEADER = "x-atelier-worker-peer";
/** Of a connection, not of a message: the next connection has its own. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
  "expect",
  PEER_HEADER,
]);

export class MainThreadHop {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  forward(req: IncomingMessage, res: ServerResponse): void {
    const { method, url } = req;
    const headers = [...withoutHop(req.rawHeaders), PEER_HEADER, req.socket.remoteAddress ?? ""];
    const sent = httpRequest({
      ...{ socketPath: this.#socketPath, agent: this.#agent, method, path: url, headers },
      setHost: false,
    });
    sent.on("response", (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHop(answer.rawHeaders));
      answer.pipe(res);
      answer.on("error", () => res.destroy());
    });
    sent.on("error", () => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502, { "content-length": 0 }).end();
    });
    // A client that leaves ends the request there, too.
    res.on("close", () => {
      if (!res.writableFinished) sent.destroy();
    });
    req.pipe(sent);
  }

  /** The bytes go on as they are: what the two sides speak from then on is theirs. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const other = connect(this.#socketPath);
    const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`];
    const raw = req.rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      if (raw[i]?.toLowerCase() !== PEER_HEADER) lines.push(`${raw[i]}: ${raw[i + 1]}`);
    }
    lines.push(`${PEER_HEADER}: ${req.socket.remoteAddress ?? ""}`, "", "");
    other.write(lines.join("\r\n"), "latin1");
    other.write(head);
    other.pipe(socket);
    socket.pipe(other);
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Before any other listener: afterwards a request looks as if its client had connected here. */
export function arriveFromWorkers(server: Server): void {
  const arrive = (req: IncomingMessage): void => {
    const peer = req.headers[PEER_HEADER];
    delete req.headers[PEER_HEADER];
    // One request at a time is under way on a connection from a worker.
    Object.defineProperty(req.socket, "remoteAddress", { value: peer, configurable: true });
  };
  server.prependListener("request", arrive);
  server.prependListener("upgrade", arrive);
}

function withoutHop(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter(
    (_, i) => !HOP_HEADERS.has((rawHeaders[i - (i % 2)] ?? "").toLowerCase()),
  );
}
