/** What the listener itself decides about a request, on real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { createHttpServer, listen } from "./http-listener.ts";

async function startListener(t: TestContext): Promise<{ port: number; targets: string[] }> {
  const targets: string[] = [];
  const server: Server = createHttpServer((request, response) => {
    targets.push(request.url ?? "");
    response.end("served");
  });
  server.on("upgrade", (request, socket) => {
    targets.push(request.url ?? "");
    socket.end();
  });
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, "close");
  });
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 }, "http-address");
  return { port, targets };
}

async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(request);
  return text(socket);
}

test("a request with two Host headers is refused", async (t) => {
  const { port, targets } = await startListener(t);
  const answer = await exchange(
    port,
    "GET /one HTTP/1.1\r\nHost: a.example\r\nX-Long: 1\r\nhOST: b.example\r\nConnection: close\r\n\r\n",
  );
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /\r\n\r\nMore than one Host header\.\n$/);
  assert.deepEqual(targets, []);
});

test("a WebSocket with two Host headers is refused", async (t) => {
  const { port, targets } = await startListener(t);
  const answer = await exchange(
    port,
    "GET /one HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.deepEqual(targets, []);
});

test("one Host header is served", async (t) => {
  const { port, targets } = await startListener(t);
  const answer = await exchange(
    port,
    "GET /one HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Host: b.example\r\nConnection: close\r\n\r\n",
  );
  assert.match(answer, /served$/);
  assert.deepEqual(targets, ["/one"]);
});
