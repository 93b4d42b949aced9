/** That a body reads the same whether it had come as a whole before or comes meanwhile, and leaves its connection usable. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { readBytes } from "./read-body.ts";

const BYTES_MAX = 1_000;

for (const isThere of [true, false]) {
  test(`a body that ${isThere ? "has come" : "comes meanwhile"} is read whole, up to its limit`, async () => {
    const server = createServer((incoming, response) => {
      const read = async (): Promise<void> => {
        while (isThere && !incoming.complete) await turn();
        const body = await readBytes(incoming, BYTES_MAX);
        response.end(
          body.ok ? `${body.value.length} ${body.value.toString("utf8")}` : body.failure.code,
        );
      };
      read().catch(assert.fail);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = async (pieces: readonly string[]): Promise<string> => {
      const outgoing = request({ port, host: "127.0.0.1", method: "POST", agent });
      // Without a length: what it comes to is seen only as it comes.
      for (const piece of pieces) outgoing.write(piece);
      outgoing.end();
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      return Buffer.concat(await answer.toArray()).toString("utf8");
    };
    assert.equal(await send(["one", "two"]), "6 onetwo");
    assert.equal(await send([]), "0 ");
    assert.equal(await send(["x".repeat(BYTES_MAX)]), `1000 ${"x".repeat(BYTES_MAX)}`);
    assert.equal(await send(["x".repeat(BYTES_MAX), "x"]), "request.too_large");
    agent.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
}

async function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
