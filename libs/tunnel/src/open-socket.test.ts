/** A socket opens, or says why not: against peers that speak at once, refuse, redirect, and hang. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { openSocket } from "./open-socket.ts";

type Path = "/greets" | "/refuses" | "/moved" | "/hangs";

/** A server that greets at once, refuses, sends on to where it greets, or says nothing. */
async function startPeer() {
  const http = createServer();
  const accepting = new WebSocketServer({ noServer: true });
  const held = new Set<Duplex>();
  const hung = Promise.withResolvers<void>();
  http.on("upgrade", (request, socket, head) => {
    held.add(socket);
    if (request.url === "/greets") {
      accepting.handleUpgrade(request, socket, head, (opened) => {
        opened.send(`hello ${String(request.headers["x-name"])}`);
      });
    } else if (request.url === "/refuses") {
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\n\r\nnot you");
    } else if (request.url === "/moved") {
      socket.end("HTTP/1.1 302 Found\r\nlocation: /greets\r\ncontent-length: 0\r\n\r\n");
    } else hung.resolve();
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo; // It listens on TCP.
  return {
    hung: hung.promise,
    open: (path: Path, more: { follows?: boolean; signal?: AbortSignal } = {}) => {
      const { follows: followsRedirects = false, signal = null } = more;
      const url = new URL(path, `ws://127.0.0.1:${port}`);
      const headers = { "x-name": "ann" };
      const limits = { timeoutMs: 30_000, payloadBytesMax: 0 };
      return openSocket({ url, headers, followsRedirects, ...limits }, signal);
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of held) socket.destroy();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

for (const { path, follows } of [
  { path: "/greets", follows: false },
  { path: "/moved", follows: true },
] as const) {
  test(`nothing of a peer that speaks at once is lost (${path})`, async () => {
    await using peer = await startPeer();
    const opened = await peer.open(path, { follows });
    assert.ok(opened.ok);
    assert.ok(opened.value.isPaused);
    // Time for the greeting to arrive while nobody listens.
    await new Promise(setImmediate);
    const greeted = once(opened.value, "message");
    opened.value.resume();
    const [said] = (await greeted) as [Buffer];
    assert.equal(said.toString(), "hello ann");
    opened.value.terminate();
  });
}

test("a refusal has the status and what was said", async () => {
  await using peer = await startPeer();
  assert.deepEqual(await peer.open("/refuses"), {
    ok: false,
    failure: { kind: "refused", status: 403, body: "not you" },
  });
});

test("a redirect that is not followed is a refusal", async () => {
  await using peer = await startPeer();
  const opened = await peer.open("/moved");
  assert.ok(!opened.ok && opened.failure.kind === "refused");
  assert.equal(opened.failure.status, 302);
});

test("a peer that is not there is unreachable", async () => {
  const gone = await startPeer();
  await gone[Symbol.asyncDispose]();
  const opened = await gone.open("/greets");
  assert.ok(!opened.ok && opened.failure.kind === "unreachable");
  assert.match(opened.failure.error.message, /ECONNREFUSED/);
});

test("a dial ends when its signal aborts, before or during it", async () => {
  await using peer = await startPeer();
  const stop = new AbortController();
  const waiting = peer.open("/hangs", { signal: stop.signal });
  await peer.hung;
  stop.abort(new Error("stop"));
  for (const dial of [waiting, peer.open("/hangs", { signal: stop.signal })]) {
    const opened = await dial;
    assert.ok(!opened.ok && opened.failure.kind === "unreachable");
  }
});
