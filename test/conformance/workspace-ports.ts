/** What every implementation of the port of TCP ports does (contract, workspace/ports). */
import type { WorkspacePorts } from "@atelier/contract/rpc/workspace/ports";
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { failsWith, valueOf } from "./answers.ts";

export type PortsWorld = AsyncDisposable & { readonly ports: WorkspacePorts };

/** A server of this process on a free port. */
async function listen(host: string, onSocket: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** Runs on worlds as `open` makes them. `name`: of the implementation. */
export function testPorts(name: string, open: () => Promise<PortsWorld>): void {
  const it = (says: string, check: (ports: WorkspacePorts) => Promise<void>): void => {
    test(`ports, ${name}: ${says}`, async () => {
      await using world = await open();
      await check(world.ports);
    });
  };
  testLists(it);
  testChannels(it);
}

type It = (says: string, check: (ports: WorkspacePorts) => Promise<void>) => void;

function testLists(it: It): void {
  it("a list shows what listens, and whose it is", async (ports) => {
    await using server = await listen("127.0.0.1");
    const found = valueOf(await ports.list({})).ports.filter(({ port }) => port === server.port);
    assert.equal(found.length, 1);
    const { address, pid, processName } = found[0] ?? {};
    assert.deepEqual([address, pid], ["127.0.0.1", process.pid]);
    assert.notEqual(processName, "");
  });

  it("a watch tells the list, and again when it changes", async (ports) => {
    const controller = new AbortController();
    const lists = valueOf(await ports.watch({}, controller))[Symbol.asyncIterator]();
    const until = async (port: number, isThere: boolean): Promise<void> => {
      for (;;) {
        const next = await lists.next();
        assert.ok(next.done !== true, "the watch goes on");
        if (next.value.ports.some((each) => each.port === port) === isThere) return;
      }
    };
    const server = await listen("127.0.0.1");
    await until(server.port, true);
    await server[Symbol.asyncDispose]();
    await until(server.port, false);
    const reason = new Error("enough");
    const next = lists.next();
    controller.abort(reason);
    await assert.rejects(next, reason);
  });
}

function testChannels(it: It): void {
  it("a port where nothing listens is not found", async (ports) => {
    const server = await listen("127.0.0.1");
    await server[Symbol.asyncDispose]();
    failsWith(await ports.dial({ port: server.port }), "not_found", /Nothing listens/);
    failsWith(await ports.dial({ port: 0 }), "invalid");
  });

  for (const host of ["127.0.0.1", "::1"]) {
    it(`each half of a channel to ${host} ends for itself`, async (ports) => {
      await using server = await listen(host, (socket) => {
        let heard = "";
        socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
        socket.on("end", () => socket.end(`heard ${heard}`));
      });
      const { channel } = valueOf(await ports.dial({ port: server.port }));
      await channel.write(Buffer.from("one "));
      await channel.write(Buffer.from("two"));
      await channel.end();
      assert.equal(await textOf(channel.incoming), "heard one two");
    });
  }

  it("the other half may end first", async (ports) => {
    const heard = Promise.withResolvers<string>();
    await using server = await listen("127.0.0.1", (socket) => {
      socket.end("first");
      textOf(socket).then(heard.resolve, heard.reject);
    });
    const { channel } = valueOf(await ports.dial({ port: server.port }));
    assert.equal(await textOf(channel.incoming), "first");
    await channel.write(Buffer.from("still here"));
    await channel.end();
    assert.equal(await heard.promise, "still here");
  });

  it("who reads slowly is not overrun", async (ports) => {
    let sentBytes = 0;
    await using server = await listen("127.0.0.1", (socket) => {
      const chunk = Buffer.alloc(64 * 1024);
      const fill = (): void => {
        while (sentBytes < 200_000_000) {
          sentBytes += chunk.byteLength;
          if (!socket.write(chunk)) return;
        }
        socket.end();
      };
      socket.on("drain", fill);
      fill();
    });
    const { channel } = valueOf(await ports.dial({ port: server.port }));
    const reader = channel.incoming[Symbol.asyncIterator]();
    await reader.next();
    // Until nothing more is taken: everything between has its limit.
    for (let before = -1; before !== sentBytes;) {
      before = sentBytes;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(sentBytes < 60_000_000, `${sentBytes} bytes were taken without a reader`);
    let bytes = 0;
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
      bytes += next.value.byteLength;
    }
    assert.ok(bytes > 190_000_000);
  });

  it("a channel that is destroyed, or aborted, closes the connection", async (ports) => {
    for (const isAborted of [false, true]) {
      const closed = Promise.withResolvers<void>();
      await using server = await listen("127.0.0.1", (socket) => {
        socket
          .resume()
          .on("close", () => closed.resolve())
          .on("end", () => socket.end());
      });
      const controller = new AbortController();
      const { channel } = valueOf(await ports.dial({ port: server.port }, controller));
      await channel.write(Buffer.from("x"));
      if (isAborted) controller.abort(new Error("enough"));
      else channel.destroy();
      await closed.promise;
      await assert.rejects(textOf(channel.incoming));
    }
  });

  it("a connection that is reset breaks the channel", async (ports) => {
    await using server = await listen("127.0.0.1", (socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    const { channel } = valueOf(await ports.dial({ port: server.port }));
    await channel.write(Buffer.from("x"));
    await assert.rejects(textOf(channel.incoming));
  });
}
