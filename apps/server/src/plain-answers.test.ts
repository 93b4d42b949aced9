/** Readiness under many probes and a database that hangs, and upgrades that are refused. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { createHttpServer } from "./http-listener.ts";
import { answerText, Readiness, refuseUpgrade } from "./plain-answers.ts";

async function serve(t: TestContext, listener: (a: IncomingMessage, b: ServerResponse) => void) {
  const server = createHttpServer(listener);
  server.on("upgrade", (_request, socket) => refuseUpgrade(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Everything that the server sends until it closes the connection. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write(request);
  await once(socket, "close");
  return text;
}

test("many probes ask the database once, and the next one asks again", async () => {
  let asked = 0;
  const readiness = new Readiness(new FakeClock(), async () => (asked += 1));
  assert.deepEqual(await Promise.all([readiness.isReady(), readiness.isReady()]), [true, true]);
  assert.equal(asked, 1);
  await readiness.isReady();
  assert.equal(asked, 2);
});

test("a database that refuses, or does not answer in time, means not ready", async () => {
  const clock = new FakeClock();
  const refusing = new Readiness(clock, () => Promise.reject(new Error("gone")));
  assert.equal(await refusing.isReady(), false);
  const hanging = new Readiness(clock, () => new Promise(() => {})).isReady();
  await clock.advance(2_000);
  assert.equal(await hanging, false);
});

const upgrade = (path: string, protocol: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`;

test("a WebSocket at the gateway is told to use HTTP", async (t) => {
  const port = await serve(t, () => assert.fail("no request"));
  const refused = await exchange(
    port,
    upgrade("/api/v2/aibridge/openai/v1/responses", "websocket"),
  );
  assert.match(refused, /^HTTP\/1\.1 426 Upgrade Required\r\nconnection: close\r\n/);
});

test("an offer to upgrade to HTTP/2 is ignored and the request answered", async (t) => {
  const port = await serve(t, (_, response) =>
    response.setHeader("connection", "close").end("yes"),
  );
  const answer = await exchange(port, upgrade("/api/v2/aibridge/openai/v1/responses", "h2c"));
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*yes/);
});

test("plain answers are for reading only", async (t) => {
  const port = await serve(t, (request, response) =>
    answerText(request, response, { status: 200, text: "OK" }),
  );
  const ask = (method: string): Promise<string> =>
    exchange(port, `${method} /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n`);
  assert.match(await ask("GET"), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nOK$/);
  assert.match(await ask("HEAD"), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
  assert.match(await ask("POST"), /^HTTP\/1\.1 405 [^]*\r\nallow: GET, HEAD\r\n/);
});
