/** Frames that a WebSocket's client reads as the texts that went in. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { textFrame } from "./websocket-frame.ts";

test("texts of every length arrive whole, between those that the library sends", async () => {
  const texts = ["", "a", "ä".repeat(62), "b".repeat(125), "c".repeat(126), "d".repeat(65_535)];
  const server = createServer();
  const handshake = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request, wire, head) => {
    handshake.handleUpgrade(request, wire, head, (opened) => {
      for (const text of [...texts, "😀".repeat(20_000)]) {
        wire.write(textFrame(text));
        opened.send(`after ${text.length}`);
      }
      opened.close(1000);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const heard: string[] = [];
  client.on("message", (data: Buffer) => heard.push(data.toString("utf8")));
  await once(client, "close");
  server.close();
  const sent = [...texts, "😀".repeat(20_000)];
  assert.deepEqual(
    heard,
    sent.flatMap((text) => [text, `after ${text.length}`]),
  );
});
