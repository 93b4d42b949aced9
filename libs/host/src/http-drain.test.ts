/** Draining a real server with real sockets: who finishes, who is closed, who is cut. */
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { HttpDrain } from "./http-drain.ts";

const REQUEST = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";

class Client {
  text = "";
  bytes = 0;
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.bytes < 10_000) this.text += chunk.toString();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
  }

  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) await once(this.socket, "data");
  }
}

async function drainable(listener: RequestListener) {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  const drain = new HttpDrain(server);
  const accepted: Socket[] = [];
  server.on("connection", (socket: Socket) => accepted.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const clock = new FakeClock();
  return { drain, clock, port, accepted, connect: () => new Client(port) };
}

test("a stream under way ends on its own terms, idle connections close, new ones are refused", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const {
    drain,
    clock,
    port,
    connect: client,
  } = await drainable((request, response) => {
    if (request.url !== "/stream") return response.end("short");
    response.write("first ");
    resolve(response);
  });
  const idle = client();
  idle.socket.write(REQUEST);
  await idle.until("short");
  const unused = client();
  const streaming = client();
  streaming.socket.write(REQUEST.replace("/", "/stream"));
  await streaming.until("first");
  const stream = await promise;

  const drained = drain.drain(clock, 10_000);
  await clock.advance(100);
  await Promise.all([idle.closed, unused.closed]);
  const late = connect(port, "127.0.0.1");
  await assert.rejects(once(late, "connect"), { code: "ECONNREFUSED" });

  await clock.advance(9_000);
  stream.end("last");
  assert.deepEqual(await drained, { cut: 0 });
  await streaming.closed;
  assert.match(streaming.text, /first [^]*last/);
});

test("a stream that does not end is cut at the deadline, not before", async () => {
  const {
    drain,
    clock,
    connect: client,
  } = await drainable((_, response) => {
    response.write("first");
  });
  const streaming = client();
  streaming.socket.write(REQUEST);
  await streaming.until("first");
  const drained = drain.drain(clock, 10_000);
  await clock.advance(9_999);
  assert.equal(streaming.socket.closed, false);
  await clock.advance(1);
  assert.deepEqual(await drained, { cut: 1 });
  await streaming.closed;
});

test("a response whose head is not yet sent tells the client to reconnect elsewhere", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const { drain, clock, connect: client } = await drainable((_, response) => resolve(response));
  const waiting = client();
  waiting.socket.write(REQUEST);
  const response = await promise;
  const drained = drain.drain(clock, 10_000);
  response.end("done");
  await Promise.all([waiting.closed, drained]);
  assert.match(waiting.text, /connection: close/i);
});

test("a request that arrives on an open connection while draining is answered", async () => {
  const { drain, clock, connect: client } = await drainable((_, response) => response.end("short"));
  const kept = client();
  kept.socket.write(REQUEST);
  await kept.until("short");
  kept.text = "";
  const drained = drain.drain(clock, 10_000);
  kept.socket.write(REQUEST);
  await kept.until("short");
  assert.match(kept.text, /connection: close/i);
  assert.deepEqual(await drained, { cut: 0 });
});

test("a request that has half arrived when draining begins is answered", async () => {
  const {
    drain,
    clock,
    accepted,
    connect: client,
  } = await drainable((_, response) => response.end("short"));
  const slow = client();
  slow.socket.write(REQUEST);
  await slow.until("short");
  slow.text = "";
  slow.socket.write(REQUEST.slice(0, 10));
  const drained = drain.drain(clock, 10_000);
  const arrived = (): number => accepted[0]?.bytesRead ?? 0;
  while (arrived() < REQUEST.length + 10) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(5_000);
  slow.socket.write(REQUEST.slice(10));
  await slow.until("short");
  assert.deepEqual(await drained, { cut: 0 });
});

test("a request that waits behind a stream of the same connection is answered", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const second = Promise.withResolvers<ServerResponse>();
  const {
    drain,
    clock,
    connect: client,
  } = await drainable((request, response) => {
    if (request.url === "/second") return second.resolve(response);
    response.write("first");
    resolve(response);
  });
  const pipelining = client();
  pipelining.socket.write(REQUEST + REQUEST.replace("/", "/second"));
  const [stream, waiting] = await Promise.all([promise, second.promise]);
  await pipelining.until("first");
  const drained = drain.drain(clock, 10_000);
  stream.end();
  await once(stream, "close");
  waiting.end("second answer");
  await pipelining.until("second answer");
  assert.deepEqual(await drained, { cut: 0 });
});

test("a reader that is slow gets the whole response that was already written", async () => {
  const bodyBytes = 20_000_000;
  const { promise, resolve } = Promise.withResolvers<void>();
  const {
    drain,
    clock,
    connect: client,
  } = await drainable((_, response) => {
    response.end(Buffer.alloc(bodyBytes));
    resolve();
  });
  const slow = client();
  slow.socket.pause();
  slow.socket.write(REQUEST);
  await promise;
  const drained = drain.drain(clock, 10_000);
  await clock.advance(5_000);
  slow.socket.resume();
  assert.deepEqual(await drained, { cut: 0 });
  await slow.closed;
  assert.ok(slow.bytes > bodyBytes);
});

test("a server without connections drains at once", async () => {
  const { drain, clock } = await drainable(() => {});
  const drained = drain.drain(clock, 10_000);
  await clock.advance(100);
  assert.deepEqual(await drained, { cut: 0 });
});
