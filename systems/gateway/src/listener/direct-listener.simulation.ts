/**
 * The direct listener against `node:http` alone: the same bytes, plain and odd, to a server with it and to one
 * without. What the handler is told, and every byte that the client gets back, has to be the same.
 */
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { cutIntoChunks } from "@atelier/model-wire/simulated-inputs";
import { HttpDrain } from "@atelier/host/http-drain";
import { systemClock } from "@atelier/base/system-clock";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { GatewayRequest, GatewayResponse } from "../relay/client-exchange.ts";
import { DirectListener } from "./direct-listener-io.ts";
import { simulateRequests } from "./simulated-requests.ts";

export const title = "direct HTTP/1.1 listener against node:http";

export type SimulationInput = {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
};

const REPORT_EVERY = 5_000;
const PREFIX = "/gate";
/** A connection on which nothing is said for so long is one that waits for the client. */
const SILENCE_MS = 400;
const SILENT_TURNS = 50;
/** Some milliseconds each. */
export const runsDefault = 5_000;

/** Rejects at the first difference. Says how many requests were read directly. */
export async function simulate({ seed, runs, report }: SimulationInput): Promise<number> {
  const draws = new SeededDraws(seed);
  await using plain = await serve(false);
  await using direct = await serve(true);
  for (let run = 0; run < runs; run += 1) {
    const requests = simulateRequests(draws, PREFIX);
    const pieces = requests.map((text) => cutIntoChunks(draws, Buffer.from(text, "latin1")));
    const [expected, got] = await Promise.all([plain.tell(pieces), direct.tell(pieces)]);
    if (expected !== got) {
      const shown = JSON.stringify(requests);
      const both = `${shown}\nnode:  ${expected}\nours:  ${got}`;
      throw new Error(`seed ${seed}, run ${run}: ${both.replaceAll(/([byz])\1{40,}/g, "$1…")}`);
    }
    if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} connections, ${direct.count()} direct`);
  }
  return direct.count();
}

/** To the client, on this connection. */
type WrittenBytes = () => number;

type Conversation = {
  readonly told: string[];
  onAnswered: (written: WrittenBytes) => void;
};

async function serve(isDirect: boolean) {
  /** By the client's port: what is over may still be told of late. */
  const conversations = new Map<number, Conversation>();
  let direct = 0;
  const handle = (req: GatewayRequest, res: GatewayResponse): void => {
    let body = "";
    req.on("data", (chunk) => (body += chunk.toString("latin1")));
    req.on("error", () => {});
    res.on("error", () => {});
    const socket = req.socket as Socket; // Of both servers.
    const conversation = conversations.get(socket.remotePort ?? 0);
    res.on("close", () => conversation?.onAnswered(() => socket.bytesWritten));
    req.once("end", () => {
      const { method, url, headers, rawHeaders } = req;
      conversation?.told.push(JSON.stringify({ method, url, headers, rawHeaders, body }));
      answer(req, res, body);
    });
  };
  const server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, handle);
  server.on("upgrade", (_request, socket) => socket.destroy());
  const listener = isDirect
    ? new DirectListener(server, {
        clock: systemClock,
        drain: new HttpDrain(server),
        headBytesMax: 16 * 1024,
        prefixOf: (url) => (url.startsWith(PREFIX) ? PREFIX : null),
        handle: (req, res) => {
          direct += 1;
          handle(req, res);
        },
      })
    : null;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    count: () => direct,
    /** Everything that was told on both sides, as one text. */
    tell: async (requests: readonly (readonly Uint8Array[])[]): Promise<string> => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      await once(socket, "connect");
      const own = socket.localPort ?? 0;
      const conversation: Conversation = { told: [], onAnswered: () => {} };
      conversations.set(own, conversation);
      const answered = await exchange(socket, requests, conversation);
      conversations.delete(own);
      const { told } = conversation;
      return `${told.join("\n")}\n${answered.replaceAll(/Date: [^\r]*/g, "Date: then")}`;
    },
    async [Symbol.asyncDispose]() {
      listener?.[Symbol.dispose]();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** In each of the ways that the relay answers in, by what the request asks for. */
function answer(req: GatewayRequest, res: GatewayResponse, body: string): void {
  const way = Number(/way=(\d)/.exec(req.url ?? "")?.[1] ?? 0);
  const bytes = Buffer.from(`echo ${body}`, "latin1");
  switch (way) {
    case 0:
      res.writeHead(200, ["Content-Type", "text/plain", "Content-Length", String(bytes.length)]);
      res.end(bytes);
      break;
    case 1:
      res.writeHead(200, { "content-type": "text/plain" });
      res.write(bytes);
      res.end();
      break;
    case 2:
      res.writeHead(404, ["content-type", "text/event-stream"]);
      res.flushHeaders();
      setImmediate(() => {
        res.write(bytes);
        res.write(Buffer.from("more"));
        setImmediate(() => res.end(Buffer.from("last")));
      });
      break;
    case 3:
      res.writeHead(204, []);
      res.end();
      break;
    case 4:
      res.writeHead(200, ["x-large", "y".repeat(3_000)]);
      res.end(Buffer.alloc(70_000, "z"));
      break;
    default:
      res.writeHead(500, ["Connection", "close", "content-length", "0"]);
      res.end();
  }
}

/**
 * Sends a request when the one before it is answered: `node:http` drops the answers that are under way when it
 * meets a request that it refuses. Answers what came back until the end or silence.
 */
async function exchange(
  socket: Socket,
  requests: readonly (readonly Uint8Array[])[],
  conversation: Conversation,
): Promise<string> {
  let text = "";
  // Time alone may be a process that was held up: what is on its way comes within these turns.
  const leaveIfSilent = async (): Promise<void> => {
    const before = text.length;
    for (let turn = 0; turn < SILENT_TURNS; turn += 1) await new Promise(setImmediate);
    if (text.length === before) socket.destroy();
  };
  socket.setTimeout(SILENCE_MS, () => {
    leaveIfSilent().catch(() => {}); // It cannot fail.
  });
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.on("error", () => {});
  const closed = new Promise<null>((resolve) => socket.once("close", () => resolve(null)));
  for (const pieces of requests) {
    const answered = new Promise<WrittenBytes>((resolve) => {
      conversation.onAnswered = resolve;
    });
    for (const piece of pieces.length > MANY ? [Buffer.concat(pieces)] : pieces) {
      if (socket.destroyed) break;
      socket.write(piece);
      await new Promise(setImmediate);
    }
    const writtenBytes = (await Promise.race([answered, closed])) ?? (() => 0);
    // What is written to a connection that the server has closed takes the answer with it, if it is unread.
    while (!socket.destroyed && socket.bytesRead < writtenBytes()) await new Promise(setImmediate);
  }
  await closed;
  return withoutFrames(text);
}

/** Pieces beyond this are sent as one, because each costs a turn. */
const MANY = 60;

/** How a stream is cut into chunks is nobody's promise. */
function withoutFrames(text: string): string {
  return text.replaceAll(/\r\n[\da-f]+\r\n/g, "");
}
