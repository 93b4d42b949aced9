/** The direct listener on real sockets: as node:http where it reads itself, and out of the way where it does not. */
import { HttpDrain } from "@atelier/host/http-drain";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import type { GatewayRequest, GatewayResponse } from "../relay/client-exchange.ts";
import { DirectListener } from "./direct-listener-io.ts";
import { simulate } from "./direct-listener.simulation.ts";

type Handle = (req: GatewayRequest, res: GatewayResponse) => void;

const HEAD = "Host: x\r\n";
const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\n${HEAD}${headers}\r\n`;

const echo: Handle = (req, res) => {
  let body = "";
  req.on("data", (chunk) => (body += chunk.toString()));
  req.once("end", () => {
    const answer = Buffer.from(`${req.method} ${req.url} ${body}\n`);
    res.writeHead(200, ["Content-Length", String(answer.length)]);
    res.end(answer);
  });
};

class Client {
  text = "";
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.text = (this.text + chunk.toString("latin1")).slice(-100_000);
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
  }

  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) await once(this.socket, "data");
  }
}

/** Paths under /gate are the gateway's. */
async function serve(handle: Handle, { headersTimeout = 60_000 } = {}) {
  const left: string[] = [];
  const clock = new FakeClock();
  const options = { headersTimeout, requestTimeout: 300_000, keepAliveTimeout: 75_000 };
  const server = createServer(options, (req: IncomingMessage, res) => {
    left.push(`${req.method} ${req.url}`);
    echo(req, res);
  });
  const drain = new HttpDrain(server);
  const listener = new DirectListener(server, {
    ...{ clock, drain, handle, headBytesMax: 4_096 },
    prefixOf: (url) => (url.startsWith("/gate/") ? "/gate" : null),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ clock, drain, left, port },
    client: () => new Client(port),
    async [Symbol.asyncDispose]() {
      listener[Symbol.dispose]();
      server.closeAllConnections();
      if (server.listening) server.close();
    },
  };
}

test("whatever is sent, handler and client see what node:http shows them", async () => {
  const direct = await simulate({ seed: 20_260_101, runs: 250, report: () => {} });
  assert.ok(direct > 100, `${direct} requests were read directly`);
});

test("requests of one connection are answered in order, also those sent at once", async () => {
  await using server = await serve(echo);
  const client = server.client();
  const post = "POST /gate/b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
  client.socket.write(get("/gate/a") + post + get("/gate/c"));
  await client.until("/gate/c");
  assert.deepEqual(client.text.match(/(GET|POST) \/gate\/\w .*/g), [
    "GET /gate/a ",
    "POST /gate/b body",
    "GET /gate/c ",
  ]);
  assert.deepEqual(server.left, []);
});

test("the first request for others takes the connection to them for good", async () => {
  await using server = await serve(echo);
  const client = server.client();
  client.socket.write(get("/gate/a") + get("/other/b") + get("/gate/c"));
  await client.until("/gate/c");
  assert.deepEqual(server.left, ["GET /other/b", "GET /gate/c"]);
});

test("a body that nobody reads yet stays with the client", async () => {
  const started = Promise.withResolvers<GatewayRequest>();
  await using server = await serve((req, res) => {
    started.resolve(req);
    req.once("end", () => res.writeHead(200, []).end());
  });
  const client = server.client();
  const size = 50_000_000;
  client.socket.write(`POST /gate/a HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
  let isTaken = client.socket.write(Buffer.alloc(size));
  const req = await started.promise;
  assert.equal(isTaken, false);
  client.socket.once("drain", () => (isTaken = true));
  // Turns of the event loop in which the bytes would come, were they read.
  for (let i = 0; i < 200; i += 1) await new Promise(setImmediate);
  assert.equal(isTaken, false);
  let bytes = 0;
  req.on("data", (chunk) => (bytes += chunk.length));
  await client.until("200 OK");
  assert.equal(bytes, size);
});

test("a client that goes away is heard of, before and after its body is whole", async () => {
  const heard: string[] = [];
  const both = Promise.withResolvers<void>();
  const started = new Map<string, () => void>();
  await using server = await serve((req, res) => {
    req.on("data", () => {});
    req.once("close", () => heard.push(`request ${req.url}`));
    res.on("close", () => {
      heard.push(`answer ${req.url}`);
      if (heard.length === 3) both.resolve();
    });
    started.get(req.url ?? "")?.();
  });
  for (const [path, length] of [
    ["/gate/half", 10],
    ["/gate/whole", 0],
  ] as const) {
    const client = server.client();
    const begun = new Promise<void>((resolve) => started.set(path, resolve));
    client.socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
    await begun;
    client.socket.destroy();
    await client.closed;
  }
  await both.promise;
  assert.deepEqual(heard.toSorted(), [
    "answer /gate/half",
    "answer /gate/whole",
    "request /gate/half",
  ]);
});

test("a slow client slows the answer down", async () => {
  const piece = Buffer.alloc(100_000);
  const pieces = 1_000;
  let written = 0;
  await using server = await serve((_req, res) => {
    res.writeHead(200, []);
    const write = (): void => {
      while (written < pieces) {
        written += 1;
        if (res.write(piece)) continue;
        res.once("drain", write);
        return;
      }
      res.end(Buffer.from("the end"));
    };
    write();
  });
  const client = server.client();
  client.socket.pause();
  client.socket.write(get("/gate/a"));
  // Turns of the event loop in which all would be written, were the client not waited for.
  for (let i = 0; i < 2_000; i += 1) await new Promise(setImmediate);
  assert.ok(written > 0 && written < pieces / 2, `${written} pieces are written`);
  client.socket.resume();
  await client.until("the end");
  assert.equal(written, pieces);
});

test("an answer shorter than it announced ends the connection", async () => {
  await using server = await serve((_req, res) => {
    res.writeHead(200, ["Content-Length", "10"]);
    res.end(Buffer.from("short"));
  });
  const client = server.client();
  client.socket.write(get("/gate/a"));
  await client.closed;
  assert.match(client.text, /short$/);
});

test("a header that would be more than one is refused", async () => {
  const refused = Promise.withResolvers<unknown>();
  await using server = await serve((_req, res) => {
    try {
      res.writeHead(200, ["x-a", "b\r\nx-c: d"]);
    } catch (error) {
      refused.resolve(error);
      res.writeHead(500, []).end();
    }
  });
  const client = server.client();
  client.socket.write(get("/gate/a"));
  assert.ok((await refused.promise) instanceof TypeError);
  await client.until("500 ");
});

test("who takes too long for a head is told so, and an idle connection is closed", async () => {
  await using server = await serve(echo);
  const slow = server.client();
  slow.socket.write("GET /gate/a HTTP/1.1\r\nHo");
  const idle = server.client();
  idle.socket.write(get("/gate/idle"));
  await idle.until("/gate/idle");
  await server.clock.advance(65_000);
  await slow.closed;
  assert.match(slow.text, /^HTTP\/1\.1 408 /);
  assert.equal(idle.socket.destroyed, false);
  await server.clock.advance(20_000);
  await idle.closed;
});

test("who is answered while still sending gets the answer, and is let go after that", async () => {
  await using server = await serve((_req, res) => {
    res.writeHead(413, ["Content-Length", "8"]).end(Buffer.from("too long"));
  });
  const head = `POST /gate/a HTTP/1.1\r\n${HEAD}Content-Length: 40000000\r\n\r\n`;
  const client = server.client();
  // It does not look before it has sent more than sockets hold.
  client.socket.pause();
  client.socket.write(head);
  const part = Buffer.alloc(20_000_000, 0x20);
  await new Promise((resolve, reject) => {
    client.socket.write(part, (error) => (error ? reject(error) : resolve(undefined)));
  });
  client.socket.resume();
  await client.closed;
  assert.match(client.text, /^HTTP\/1\.1 413 [^]*too long$/);

  const endless = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  endless.on("error", () => {});
  endless.write(head);
  await once(endless.resume(), "end");
  await server.clock.advance(15_000);
  // What is sent to a socket that is gone ends ours, too.
  while (!endless.destroyed) {
    endless.write("more");
    await new Promise(setImmediate);
  }
});

test("a head without end is refused by node:http", async () => {
  await using server = await serve(echo);
  const client = server.client();
  client.socket.write(`GET /gate/a HTTP/1.1\r\nHost: x\r\nx-long: ${"x".repeat(40_000)}`);
  await client.closed;
  assert.match(client.text, /^HTTP\/1\.1 431 /);
});

test("a server that drains closes idle connections, and the others after their answer", async () => {
  const answers: GatewayResponse[] = [];
  const started = Promise.withResolvers<void>();
  await using server = await serve((req, res) => {
    if (req.url === "/gate/idle") return echo(req, res);
    answers.push(res);
    started.resolve();
  });
  const idle = server.client();
  idle.socket.write(get("/gate/idle"));
  await idle.until("/gate/idle");
  const busy = server.client();
  busy.socket.write(get("/gate/busy"));
  await started.promise;
  const drained = server.drain.drain(server.clock, 10_000);
  await server.clock.advance(200);
  await idle.closed;
  assert.equal(busy.socket.destroyed, false);
  answers[0]?.writeHead(200, []).end(Buffer.from("done"));
  await busy.closed;
  assert.match(busy.text, /Connection: close\r\n[^]*done/);
  assert.deepEqual(await drained, { cut: 0 });
});
