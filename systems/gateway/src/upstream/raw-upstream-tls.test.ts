/** What the raw client does over TLS beyond the suite that all clients pass. */
import { systemClock } from "@atelier/base/system-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TLSSocket, TlsOptions } from "node:tls";
import { Worker } from "node:worker_threads";
import { openRawUpstream } from "./raw-upstream-io.ts";
import { makeCertificate } from "./test-certificate-testkit.ts";
import {
  answerText,
  CALL,
  endBelowTls,
  OK,
  PATIENT,
  send,
  tlsByteServer,
  TOLD_NOTHING,
  type Asked,
  type ByteServer,
  type UpstreamTestOptions,
} from "./upstream-client-testkit.ts";
import type { UpstreamClient } from "./upstream-client.ts";

const certificate = makeCertificate("localhost");

async function serve(
  onRequest: (asked: Asked<TLSSocket>) => void,
  options: TlsOptions = {},
): Promise<ByteServer> {
  const server = await tlsByteServer({ ...certificate, ...options }, onRequest);
  return Object.assign(server, { url: server.url.replace("127.0.0.1", "localhost") });
}

function open(
  origin: string,
  options: Partial<UpstreamTestOptions> = {},
): UpstreamClient & AsyncDisposable {
  const common = { origin, timeouts: PATIENT, clock: systemClock, ca: certificate.cert };
  const client = openRawUpstream({ ...common, ...options });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

test("a TLS connection speaks HTTP/1.1 only, names its server, and begins with the last session", async () => {
  const seen: unknown[] = [];
  await using server = await serve(
    ({ socket }) => {
      seen.push([socket.alpnProtocol, socket.servername, socket.isSessionReused()]);
      socket.write(answerText("ok", "Connection: close"));
    },
    { ALPNProtocols: ["h2", "http/1.1"] },
  );
  await using client = open(server.url);
  await send(client).over;
  await send(client).over;
  assert.deepEqual(seen, [
    ["http/1.1", "localhost", false],
    ["http/1.1", "localhost", true],
  ]);
});

test("a provider that speaks HTTP/2 only is unreachable, and says why", async () => {
  let asked = 0;
  await using server = await serve(() => (asked += 1), { ALPNProtocols: ["h2"] });
  await using client = open(server.url);
  const told = send(client);
  await told.over;
  assert.deepEqual([told.events, asked], [TOLD_NOTHING, 0]);
  assert.equal(told.failure?.cause, "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
});

for (const [what, framing, rest] of [
  ["with a length", "Content-Length: 5\r\n\r\nhel", "failed cut"],
  ["in chunks", "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "failed cut"],
  // Only TLS could say that it is whole, and Node does not pass on whether it did.
  ["without a length", "\r\nhel", "end"],
] as const) {
  test(`a body ${what} whose connection ends below TLS: ${rest}`, async () => {
    const asked = Promise.withResolvers<TLSSocket>();
    await using server = await serve(({ socket }) => {
      socket.write(`${OK}${framing}`);
      asked.resolve(socket);
    });
    await using client = open(server.url);
    const heard = Promise.withResolvers<void>();
    const told = send(client, { onData: () => (heard.resolve(), true) });
    await heard.promise;
    endBelowTls(await asked.promise);
    await told.over;
    assert.deepEqual(told.events, ["head 200", "data hel", rest]);
  });
}

test("an answer to a request that is still being encrypted is told, and its connection not used again", async () => {
  await using server = await serve(() => {});
  // It answers the head, and reads no more.
  const answering = (socket: TLSSocket): void => {
    socket.removeAllListeners("data");
    socket.pause();
    socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong");
  };
  await using client = open(server.url);
  const first = send(client, { call: { ...CALL, body: Buffer.alloc(32_000_000) } });
  while (server.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  answering(server.sockets[0] as TLSSocket);
  await first.over;
  assert.deepEqual(first.events, ["head 413", "data long", "end"]);
  const second = send(client);
  while (server.sockets.length === 1) await new Promise((resolve) => setImmediate(resolve));
  second.exchange.cancel();
});

/** In a thread of its own, so that it answers while this one is busy. */
const ANSWERING_SERVER = `
  const { createServer } = require("node:tls");
  const { parentPort, workerData } = require("node:worker_threads");
  let connections = 0;
  const server = createServer({ ...workerData, noDelay: true }, (socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.on("data", () => {
      socket.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok");
      parentPort.postMessage({ connections });
    });
  });
  server.listen(0, () => parentPort.postMessage({ port: server.address().port }));
`;

test("an answer that is there before TLS has said that the request is written costs no connection", async () => {
  const worker = new Worker(ANSWERING_SERVER, { eval: true, workerData: certificate });
  try {
    const [{ port }] = (await once(worker, "message")) as [{ port: number }];
    let connections = 0;
    worker.on("message", (seen: { connections: number }) => (connections = seen.connections));
    await using client = open(`https://localhost:${port}`);
    for (let i = 0; i < 10; i += 1) {
      const told = send(client);
      // Behind what writes the request at the end of this turn: the answer comes meanwhile.
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20));
      await told.over;
      assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
      await nextTurn();
    }
    assert.equal(connections, 1);
  } finally {
    await worker.terminate();
  }
});

test("a server that takes no request over TLS runs into the time-out", async () => {
  await using server = await serve(() => {});
  await using client = open(server.url, { timeouts: { ...PATIENT, silenceMsMax: 400 } });
  const told = send(client, { call: { ...CALL, body: Buffer.alloc(32_000_000) } });
  while (server.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  server.sockets[0]?.removeAllListeners("data").pause();
  await told.over;
  assert.deepEqual([told.events, told.failure?.cause], [["failed timeout"], "REQUEST_TIMEOUT"]);
});
