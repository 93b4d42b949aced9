/** What is said over a WebSocket is understood, however its bytes are cut and masked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { FaultyWire } from "./faulty-wire.ts";
import { SocketFrames } from "./socket-frames.ts";

/** One for each length that a frame can have. */
const MESSAGES = ["echo one", "x".repeat(300), "y".repeat(70_000), "", "echo four"];

test("what both sides of a socket say is read without frames and masks, cut anywhere", async () => {
  const [asked, told] = [new Reader(), new Reader()];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (socket) => {
    socket.on("message", (data: Buffer) => socket.send(data));
  });
  await using wire = await FaultyWire.start((server.address() as AddressInfo).port, () => ({
    sent: (bytes) => asked.add(bytes),
    answered: (bytes) => told.add(bytes),
  }));
  const socket = new WebSocket(`${wire.url.replace("http", "ws")}/a-path`, {
    perMessageDeflate: false,
  });
  await once(socket, "open");
  for (const each of MESSAGES) {
    const echoed = once(socket, "message");
    socket.send(each);
    await echoed;
  }
  socket.terminate();
  server.close();
  // Compared as a truth: the texts are too long to be told.
  for (const reader of [asked, told]) assert.ok(reader.text.startsWith(MESSAGES.join("")));
  assert.match(asked.frames.head ?? "", /^GET \/a-path HTTP/);
  assert.match(told.frames.head ?? "", /^HTTP\/1\.1 101/);
});

class Reader {
  readonly frames = new SocketFrames();
  text = "";

  add(bytes: Buffer): null {
    // Cut where nobody would cut it.
    for (let at = 0; at < bytes.byteLength; at += 7) {
      this.text += this.frames.read(bytes.subarray(at, at + 7)).toString("latin1");
    }
    return null;
  }
}
