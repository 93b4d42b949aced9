/** A server that a test writes byte by byte, and an exchange whose listener takes notes. For tests only. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { makeCertificate } from "./test-certificate-testkit.ts";
import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
  UpstreamTimeouts,
} from "./upstream-client.ts";

export type UpstreamTestOptions = {
  readonly origin: string;
  readonly timeouts: UpstreamTimeouts;
  readonly ca?: string;
  readonly connectionsMax?: number;
};

export type OpenUpstream = (options: UpstreamTestOptions) => UpstreamClient;

export const PATIENT: UpstreamTimeouts = {
  connectMsMax: 5_000,
  headMsMax: 5_000,
  silenceMsMax: 5_000,
};

export const CALL: UpstreamCall = {
  method: "POST",
  path: "/x?y=1",
  headers: ["X-A", "1"],
  body: Buffer.from("{}"),
};

/** One request as the server got it, and the connection to answer on. */
export type Asked<S extends Socket = Socket> = {
  readonly socket: S;
  /** Request line and fields, each character one byte. */
  readonly head: string;
  readonly body: Buffer;
  /** Counted from 1, over all connections. */
  readonly requestCount: number;
  /** Counted from 1. */
  readonly connectionCount: number;
};

export type ByteServer = AsyncDisposable & {
  readonly url: string;
  readonly sockets: readonly Socket[];
  /** Most connections that were open at the same time. */
  readonly openMax: number;
  /** Resolves when a connection has closed. */
  readonly closed: Promise<void>;
};

/** Calls `onRequest` when a request with its body is whole. */
export function byteServer(onRequest: (asked: Asked) => void): Promise<ByteServer> {
  const server = createServer({ noDelay: true });
  return serve({ server, event: "connection", scheme: "http", onRequest });
}

export function tlsByteServer(
  options: TlsOptions,
  onRequest: (asked: Asked<TLSSocket>) => void,
): Promise<ByteServer> {
  const server = createTlsServer({ ...options, noDelay: true });
  letReset(server);
  const seen = onRequest as (asked: Asked) => void; // Its connections are TLS sockets.
  return serve({ server, event: "secureConnection", scheme: "https", onRequest: seen });
}

const socketsBelow = new WeakMap<Socket, Socket>();

/** Ends the connection without a word of TLS that it ends. */
export function endBelowTls(socket: TLSSocket): void {
  socketsBelow.get(socket)?.destroy();
}

/** A TLS socket of Node cannot reset its connection: the one below does. */
function letReset(server: Server): void {
  const below = new Map<number | undefined, Socket>();
  server.on("connection", (socket: Socket) => below.set(socket.remotePort, socket));
  server.on("secureConnection", (socket: TLSSocket) => {
    const tcp = below.get(socket.remotePort);
    if (tcp === undefined) return;
    socketsBelow.set(socket, tcp);
    socket.resetAndDestroy = () => {
      tcp.resetAndDestroy();
      return socket;
    };
  });
}

/** What a suite's servers speak over. */
export type Wire = {
  readonly byteServer: (onRequest: (asked: Asked) => void) => Promise<ByteServer>;
  /** Whom a client is to trust. */
  readonly ca?: string;
};

export const PLAIN_WIRE: Wire = { byteServer };

export function tlsWire(options: TlsOptions = {}): Wire {
  const certificate = makeCertificate("localhost");
  return {
    ca: certificate.cert,
    byteServer: async (onRequest) => {
      const server = await tlsByteServer({ ...certificate, ...options }, onRequest);
      return Object.assign(server, { url: server.url.replace("127.0.0.1", "localhost") });
    },
  };
}

/** A server that has other plans than to read requests. */
export function socketServer(onSocket: (socket: Socket) => void): Promise<ByteServer> {
  const server = createServer({ noDelay: true });
  return serve({ server, event: "connection", scheme: "http", onSocket });
}

type Serving = {
  readonly server: Server;
  readonly event: string;
  readonly scheme: string;
  readonly onRequest?: (asked: Asked) => void;
  readonly onSocket?: (socket: Socket) => void;
};

async function serve({ server, event, scheme, onRequest, onSocket }: Serving): Promise<ByteServer> {
  const sockets: Socket[] = [];
  const closed = Promise.withResolvers<void>();
  let requestCount = 0;
  let open = 0;
  let openMax = 0;
  server.on("tlsClientError", () => {});
  server.on(event, (socket: Socket) => {
    sockets.push(socket);
    open += 1;
    openMax = Math.max(openMax, open);
    const connectionCount = sockets.length;
    socket.on("error", () => {});
    socket.on("close", () => {
      open -= 1;
      closed.resolve();
    });
    onSocket?.(socket);
    if (onRequest === undefined) return;
    readRequests(socket, (head, body) => {
      requestCount += 1;
      onRequest({ socket, head, body, requestCount, connectionCount });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    sockets,
    get openMax() {
      return openMax;
    },
    closed: closed.promise,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function readRequests(socket: Socket, onRequest: (head: string, body: Buffer) => void): void {
  let bytes = Buffer.alloc(0);
  let wanted = 0;
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length < wanted) return;
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) return;
    const head = bytes.toString("latin1", 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    wanted = end + 4 + length;
    if (bytes.length < wanted) return;
    const body = bytes.subarray(end + 4, wanted);
    bytes = bytes.subarray(wanted);
    wanted = 0;
    onRequest(head, body);
  });
}

/** An exchange and what its listener heard: `head 200`, `data hello` (joined), `end` or `failed cut`. */
export type Told = {
  readonly events: string[];
  readonly rawHeaders: readonly string[];
  readonly failure: UpstreamFailure | null;
  readonly bytes: number;
  readonly over: Promise<void>;
  readonly exchange: UpstreamExchange;
};

export type SendOptions = {
  readonly call?: UpstreamCall;
  readonly onHead?: () => void;
  readonly onData?: (chunk: Uint8Array) => boolean;
  readonly onOver?: () => void;
  /** Bodies too large to keep are only counted. */
  readonly isBodyKept?: boolean;
};

export function send(client: UpstreamClient, options: SendOptions = {}): Told {
  const { call = CALL, onHead, onData, onOver, isBodyKept = true } = options;
  const over = Promise.withResolvers<void>();
  const events: string[] = [];
  let rawHeaders: readonly string[] = [];
  let failure: UpstreamFailure | null = null;
  let bytes = 0;
  let text: string | null = null;
  const note = (event: string): void => {
    if (text !== null) events.push(`data ${text}`);
    text = null;
    events.push(event);
  };
  const listener: UpstreamListener = {
    head: (status, headers) => {
      note(`head ${status}`);
      rawHeaders = headers;
      onHead?.();
    },
    data: (chunk) => {
      bytes += chunk.byteLength;
      if (isBodyKept) text = (text ?? "") + Buffer.from(chunk).toString("latin1");
      return onData?.(chunk) ?? true;
    },
    end: () => {
      note("end");
      over.resolve();
      onOver?.();
    },
    failed: (what) => {
      failure = what;
      note(`failed ${what.kind}`);
      over.resolve();
      onOver?.();
    },
  };
  const exchange = client.send(call, listener);
  return {
    get events() {
      return text === null ? events : [...events, `data ${text}`];
    },
    get rawHeaders() {
      return rawHeaders;
    },
    get failure() {
      return failure;
    },
    get bytes() {
      return bytes;
    },
    over: over.promise,
    exchange,
  };
}

/** A whole answer with this body. */
export function answerText(body: string, ...fields: readonly string[]): string {
  const lines = ["HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...fields];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Resolves once the socket is closed, by an end or a reset: what was not read decides which. */
export async function closeOf(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

export const OK = "HTTP/1.1 200 OK\r\n";
export const TOLD_HELLO = ["head 200", "data hello", "end"];
export const TOLD_NOTHING = ["failed unreachable"];

/** Tests under an implementation's name, and how they open it. */
export type Suite = {
  readonly name: string;
  readonly implementation: OpenUpstream;
  readonly wire: Wire;
  readonly byteServer: Wire["byteServer"];
  readonly test: (title: string, run: () => Promise<void>) => void;
  readonly open: (
    origin: string,
    options?: Partial<UpstreamTestOptions>,
  ) => UpstreamClient & AsyncDisposable;
};
