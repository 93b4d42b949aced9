/**
 * A model provider of which one key is faulty. Each cell of a fault run has a path of its own here, with
 * its fault and its faulty key, so that one upstream serves a whole run. Over TLS every fifth connection
 * breaks in its handshake: who asks is not known before it, so no single key can fail there.
 */
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { makeLocalCertificate } from "@atelier/testkit/local-certificate";
import type { ModelConversation } from "@atelier/testkit/scripted-model-conduct";
import { eventText, toBody, toEvents } from "@atelier/testkit/scripted-model-wire";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createSocketServer, type AddressInfo, type Server } from "node:net";

export const FAULTS = [
  "none",
  "401",
  "403",
  "429",
  "500",
  "hang",
  "drip",
  "reset before head",
  "reset after head",
  "TLS failure",
] as const;
export type Fault = (typeof FAULTS)[number];

export type Wire = { readonly format: WireFormat; readonly stream: boolean };

export type UpstreamCell = Wire & {
  /** The first part of its path. */
  readonly name: string;
  readonly fault: Fault;
  readonly faultyKey: string;
};

export type FaultUpstream = AsyncDisposable & {
  readonly url: string;
  readonly tlsUrl: string;
  /** PEM, to be trusted. */
  readonly certificate: string;
  add(cell: UpstreamCell): void;
  /** Requests that reached the cell. */
  attempts(name: string): number;
  /** Broken so far, whoever asked. */
  brokenHandshakes(): number;
};

/** In every whole answer. */
export const ANSWER_TEXT = "The answer of a key that works.";
const BROKEN_HANDSHAKE_EVERY = 5;
/** For the fault 429. */
const RETRY_AFTER_S = 1;
const DRIP_MS = 100;

type Served = { readonly cell: UpstreamCell; readonly answer: Buffer; attempts: number };

export async function startFaultUpstream(): Promise<FaultUpstream> {
  const { cert, key } = makeLocalCertificate();
  const cells = new Map<string, Served>();
  const listener = (req: IncomingMessage, res: ServerResponse): void => {
    const served = cells.get((req.url ?? "").split("/")[1] ?? "");
    // What is done to a broken connection is done on purpose.
    req.on("error", () => {});
    res.on("error", () => {});
    req.resume().on("end", () => {
      if (served === undefined) return res.writeHead(404).end();
      served.attempts += 1;
      return serve(req, res, served);
    });
  };
  const plain = createServer(listener);
  const tls = createTlsServer({ cert, key, ALPNProtocols: ["http/1.1"] }, listener);
  let connections = 0;
  let brokenHandshakes = 0;
  const gate = createSocketServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    if (connections % BROKEN_HANDSHAKE_EVERY !== 0) return tls.emit("connection", socket);
    brokenHandshakes += 1;
    return socket.once("data", () => socket.end("this is no TLS"));
  });
  const [port, tlsPort] = await Promise.all([listen(plain), listen(gate)]);
  return {
    url: `http://127.0.0.1:${port}`,
    tlsUrl: `https://localhost:${tlsPort}`,
    certificate: cert,
    add: (cell) => cells.set(cell.name, { cell, answer: answerOf(cell), attempts: 0 }),
    attempts: (name) => cells.get(name)?.attempts ?? 0,
    brokenHandshakes: () => brokenHandshakes,
    async [Symbol.asyncDispose]() {
      const closed = once(plain, "close");
      plain.close();
      plain.closeAllConnections();
      gate.close();
      tls.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // It listens on a port, not on a pipe.
}

function serve(req: IncomingMessage, res: ServerResponse, { cell, answer }: Served): void {
  const { fault, faultyKey } = cell;
  // A connection for each request, so that handshakes go on breaking.
  if (fault === "TLS failure") res.setHeader("connection", "close");
  const credential = String(req.headers["x-api-key"] ?? req.headers.authorization);
  if (fault === "none" || fault === "TLS failure" || !credential.endsWith(faultyKey)) {
    res.writeHead(200, { "content-type": contentType(cell), "content-length": answer.length });
    res.end(answer);
    return;
  }
  switch (fault) {
    case "401":
    case "403":
    case "500":
      refuse(res, Number(fault), {});
      break;
    case "429":
      refuse(res, 429, { "retry-after": String(RETRY_AFTER_S) });
      break;
    case "hang":
      break;
    case "drip":
      drip(res, cell);
      break;
    case "reset before head":
      res.socket?.resetAndDestroy();
      break;
    case "reset after head":
      res.writeHead(200, { "content-type": contentType(cell) });
      res.flushHeaders();
      setImmediate(() => res.socket?.resetAndDestroy());
      break;
  }
}

function refuse(res: ServerResponse, status: number, headers: Record<string, string>): void {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify({ error: { type: "faulty_key", message: `This key gets ${status}.` } }));
}

/** A head at once; then a byte now and then of a first event that is never whole. Blocking: no byte. */
function drip(res: ServerResponse, { stream, format }: Wire): void {
  res.writeHead(200, { "content-type": contentType({ stream, format }) });
  res.flushHeaders();
  if (!stream) return;
  const timer = setInterval(() => res.write("d"), DRIP_MS);
  res.on("close", () => clearInterval(timer));
}

function contentType({ stream }: Wire): string {
  return stream ? "text/event-stream" : "application/json";
}

function answerOf({ format, stream }: Wire): Buffer {
  const conversation: ModelConversation = {
    format,
    model: "m",
    stream,
    includesUsage: true,
    tools: [],
    texts: [],
    results: [],
    inputTokens: 10,
  };
  const turn = { text: ANSWER_TEXT };
  return Buffer.from(
    stream
      ? toEvents(conversation, turn, "1").map(eventText).join("")
      : JSON.stringify(toBody(conversation, turn, "1")),
  );
}
