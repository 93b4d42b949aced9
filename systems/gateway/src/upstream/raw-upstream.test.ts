/** What the raw client does beyond the suite that both clients pass: where it is stricter, and its pool. */
import type { Clock } from "@atelier/base/clock";
import { systemClock } from "@atelier/base/system-clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openRawUpstream } from "./raw-upstream-io.ts";
import {
  answerText,
  byteServer,
  CALL,
  closeOf,
  OK,
  TOLD_HELLO,
  TOLD_NOTHING,
  PATIENT,
  send,
  socketServer,
  type UpstreamTestOptions,
} from "./upstream-client-testkit.ts";
import { testFramingCases } from "./upstream-conformance-testkit.ts";
import type { UpstreamClient } from "./upstream-client.ts";

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n`;

testFramingCases(
  "raw",
  (options) => openRawUpstream({ ...options, clock: systemClock }),
  [
    ["100 is passed over", `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`, TOLD_HELLO],
    ["a folded line is refused", `${OK}X-A: a\r\n b\r\nContent-Length: 5\r\n\r\nhello`, TOLD_NOTHING],
    ["bare line feeds are refused", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", TOLD_NOTHING],
    ["the same length twice is refused", `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, TOLD_NOTHING],
    ["two codings are refused", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, TOLD_NOTHING],
    ["a coding that is not chunked is refused", `${OK}Transfer-Encoding: gzip\r\n\r\nhello`, TOLD_NOTHING],
    ["codings in two fields are refused", `${CHUNKED}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, TOLD_NOTHING],
    ["chunks of an older version are refused", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", TOLD_NOTHING],
    ["a switch that says nothing is refused", "HTTP/1.1 101 Hm\r\n\r\n", TOLD_NOTHING],
    ["endless interim answers are refused", "HTTP/1.1 100 Continue\r\n\r\n".repeat(17), TOLD_NOTHING],
    ["a body's length in the trailers is refused", `${CHUNKED}\r\n5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n`, ["head 200", "data hello", "failed cut"]],
    ["a space after a chunk's size is refused", `${CHUNKED}\r\n5 \r\nhello\r\n0\r\n\r\n`, ["head 200", "failed cut"]],
  ],
); // prettier-ignore

function open(
  origin: string,
  options: Partial<UpstreamTestOptions> & { clock?: Clock; isLoopFull?: () => boolean } = {},
): UpstreamClient & AsyncDisposable {
  const client = openRawUpstream({ origin, timeouts: PATIENT, clock: systemClock, ...options });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

test("an exchange begun as another ends uses its connection, also after HEAD", async () => {
  await using server = await byteServer(({ socket, head }) => {
    socket.write(head.startsWith("HEAD") ? `${OK}Content-Length: 7\r\n\r\n` : answerText("ok"));
  });
  await using client = open(server.url);
  const second = Promise.withResolvers<void>();
  send(client, {
    call: { ...CALL, method: "HEAD", body: null },
    onOver: () => second.resolve(send(client).over),
  });
  await second.promise;
  assert.equal(server.sockets.length, 1);
});

for (const [isLoopFull, when] of [
  [false, "at once where there is time"],
  [true, "at the end of its turn where there is none"],
] as const) {
  test(`a request goes out ${when}`, async (t) => {
    await using server = await byteServer(({ socket }) => socket.write(answerText("hello")));
    await using client = open(server.url, { isLoopFull: () => isLoopFull });
    await send(client).over;
    const { mock: write } = t.mock.method(Socket.prototype, "write");
    const exchange = send(client);
    assert.equal(write.callCount(), isLoopFull ? 0 : 1);
    await exchange.over;
    assert.deepEqual(exchange.events, TOLD_HELLO);
  });
}

test("a body is done with before the end of the answer is told, once it is written", async () => {
  await using server = await byteServer(({ socket }) => socket.write(answerText("hello")));
  await using client = open(server.url);
  const told: string[] = [];
  const call = { ...CALL, body: Buffer.alloc(100_000), onBodyDone: () => told.push("done") };
  const exchange = send(client, { call, onOver: () => told.push("over") });
  await exchange.over;
  assert.deepEqual(told, ["done", "over"]);
});

test("a body is not done with that is still written when its answer is whole", async () => {
  await using server = await socketServer((socket) => {
    socket.pause();
    socket.write(answerText("hello"));
  });
  await using client = open(server.url);
  const told: string[] = [];
  const body = Buffer.alloc(16 * 1024 * 1024);
  const call = { ...CALL, body, onBodyDone: () => told.push("done") };
  const exchange = send(client, { call, onOver: () => told.push("over") });
  await exchange.over;
  assert.deepEqual([exchange.events, told], [TOLD_HELLO, ["over"]]);
});

test("the connection that was used last is used next", async () => {
  const answers: (() => void)[] = [];
  await using server = await byteServer(({ socket, connectionCount }) => {
    answers.push(() => socket.write(answerText(`from ${connectionCount}`)));
  });
  await using client = open(server.url);
  const all = [send(client), send(client), send(client)];
  while (answers.length < 3) await nextTurn();
  const last: string[] = [];
  for (const answer of answers) {
    answer();
    const over = all
      .filter(({ events }) => events.length === 0)
      .map((each) => each.over.then(() => each));
    last.push((await Promise.race(over)).events[1] ?? "");
  }
  const told = send(client);
  while (answers.length < 4) await nextTurn();
  answers[3]?.();
  await told.over;
  assert.equal(told.events[1], last[2]);
});

test("a reset inside a body without a length is a cut", async () => {
  await using server = await byteServer(({ socket }) => {
    socket.write(`${OK}\r\nhel`, () => setTimeout(() => socket.resetAndDestroy(), 20));
  });
  await using client = open(server.url);
  const told = send(client);
  await told.over;
  assert.deepEqual(told.events, ["head 200", "data hel", "failed cut"]);
});

test("a server that drips its head runs into the time-out", async () => {
  await using server = await byteServer(({ socket }) => {
    const timer = setInterval(() => socket.write("X-A: 1\r\n"), 50);
    socket.write(OK);
    socket.on("close", () => clearInterval(timer));
  });
  await using client = open(server.url, { timeouts: { ...PATIENT, headMsMax: 400 } });
  const told = send(client);
  await told.over;
  assert.deepEqual([told.events, told.failure?.cause], [["failed timeout"], "HEAD_TIMEOUT"]);
});

test("sending a large request does not count as waiting for its answer", async () => {
  await using server = await socketServer((socket) => {
    socket.pause();
    setTimeout(() => socket.resume(), 2_000);
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 32_000_000) socket.write(answerText("ok"));
    });
  });
  await using client = open(server.url, { timeouts: { ...PATIENT, headMsMax: 1_500 } });
  const told = send(client, { call: { ...CALL, body: Buffer.alloc(32_000_000) } });
  await told.over;
  assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
});

test("a server that takes no request runs into the time-out", async () => {
  await using server = await socketServer((socket) => socket.pause());
  await using client = open(server.url, { timeouts: { ...PATIENT, silenceMsMax: 400 } });
  const told = send(client, { call: { ...CALL, body: Buffer.alloc(32_000_000) } });
  await told.over;
  assert.deepEqual([told.events, told.failure?.cause], [["failed timeout"], "REQUEST_TIMEOUT"]);
});

test("who waits too long for a connection is told so", async () => {
  await using server = await byteServer(() => {});
  const timeouts = { ...PATIENT, connectMsMax: 200 };
  await using client = open(server.url, { connectionsMax: 1, timeouts });
  const first = send(client);
  const told = send(client);
  await told.over;
  first.exchange.cancel();
  assert.deepEqual([told.events, told.failure?.cause], [TOLD_NOTHING, "CONNECTIONS_BUSY"]);
});

test("idle connections are closed before the server would, by its hint or ours", async () => {
  const clock = new FakeClock();
  await using server = await byteServer(({ socket, requestCount }) => {
    const hint = requestCount === 2 ? ["Keep-Alive: timeout=20, max=9"] : [];
    socket.write(answerText("ok", ...hint));
  });
  await using client = open(server.url, { clock });
  await send(client).over;
  await clock.advance(3_000);
  await send(client).over;
  assert.equal(server.sockets.length, 1);
  await clock.advance(18_000);
  await send(client).over;
  assert.equal(server.sockets.length, 1);
  await clock.advance(5_000);
  await closeOf(server.sockets[0]);
  await send(client).over;
  assert.equal(server.sockets.length, 2);
});

test("an idle connection whose time is over is not used, looked at or not", async () => {
  let nowMs = 0;
  const clock: Clock = {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: async (_delayMs, signal) => {
      await once(signal, "abort");
      throw signal.reason;
    },
  };
  await using server = await byteServer(({ socket }) => socket.write(answerText("ok")));
  await using client = open(server.url, { clock });
  for (nowMs = 0; nowMs < 10_000; nowMs += 3_000) await send(client).over;
  assert.equal(server.sockets.length, 1);
  nowMs += 2_000;
  await send(client).over;
  assert.equal(server.sockets.length, 2);
});
