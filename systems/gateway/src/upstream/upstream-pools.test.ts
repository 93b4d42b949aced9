import { silentLogger } from "@atelier/base/logger";
import type { GatewayProvider, ProviderSnapshot } from "@atelier/contract/rpc/gateway-ports";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { provider } from "../relay/gateway-testkit.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import type { UpstreamClient } from "./upstream-client.ts";
import { UpstreamPools } from "./upstream-pools-io.ts";

function snapshot(version: number, ...providers: GatewayProvider[]): ProviderSnapshot {
  return { version, providers: new Map(providers.map((each) => [each.name, each])) };
}

/** Pools whose clients only note what becomes of them. */
function notedPools() {
  const notes: string[] = [];
  const pools = new UpstreamPools({
    translate: () => null,
    log: silentLogger,
    openClient: (origin) => {
      notes.push(`open ${origin}`);
      return {
        send: () => assert.fail("nothing is sent"),
        close: async () => {
          notes.push(`close ${origin}`);
        },
      };
    },
  });
  return { pools, notes };
}

test("a provider keeps its client through changes, and leaves it when it moves to another host", () => {
  const { pools, notes } = notedPools();
  const one = provider("up", "openai", "https://one.example/v1");
  const first = pools.upstreamOf(one, snapshot(1, one));
  assert.equal(pools.upstreamOf(one, snapshot(1, one)), first);
  const rotated = { ...one, keys: [], baseUrl: "https://one.example/v2/" };
  const second = pools.upstreamOf(rotated, snapshot(2, rotated));
  assert.deepEqual([second.client === first.client, second.basePath], [true, "/v2"]);
  assert.deepEqual(notes, ["open https://one.example"]);
  const moved = { ...one, baseUrl: "https://two.example/v1" };
  pools.upstreamOf(moved, snapshot(3, moved));
  assert.deepEqual(notes, [
    "open https://one.example",
    "close https://one.example",
    "open https://two.example",
  ]);
});

test("two providers at one host do not share connections", () => {
  const { pools, notes } = notedPools();
  const both = ["a", "b"].map((name) => provider(name, "openai", "https://one.example"));
  for (const each of both) pools.upstreamOf(each, snapshot(1, ...both));
  assert.equal(notes.length, 2);
});

test("a request that began before a change is served where it began, also when it sends after it", async () => {
  await using old = await startProvider((res) => res.end("served"));
  const pools = realPools();
  const one = provider("up", "openai", old.origin);
  const before = snapshot(1, one);
  const { client } = pools.upstreamOf(one, before);
  const moved = { ...one, baseUrl: "http://127.0.0.1:1" };
  pools.upstreamOf(moved, snapshot(2, moved));
  assert.equal(pools.upstreamOf(one, before).client, client, "an older snapshot changes nothing");
  assert.deepEqual(await sent(client), { ending: "end", body: "served" });
  await old.unused();
  assert.deepEqual(await sent(client), { ending: "end", body: "served" });
  await old.unused();
  await pools[Symbol.asyncDispose]();
});

test("a provider that goes away in the middle of an answer: it ends whole, then the connection closes", async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  await using old = await startProvider((res) => {
    res.writeHead(200);
    res.write("first ");
    asked.resolve(res);
  });
  const pools = realPools();
  const one = provider("up", "openai", old.origin);
  const answer = sent(pools.upstreamOf(one, snapshot(1, one)).client);
  const res = await asked.promise;
  const other = provider("other", "openai", "http://127.0.0.1:1");
  pools.upstreamOf(other, snapshot(2, other));
  assert.equal(old.sockets.size, 1, "the answer is still under way");
  res.end("last");
  assert.deepEqual(await answer, { ending: "end", body: "first last" });
  // Without anybody who closes it, it would stay for the whole time of an idle connection.
  await old.unused();
  await pools[Symbol.asyncDispose]();
});

function realPools(): UpstreamPools {
  return new UpstreamPools({
    translate: () => null,
    log: silentLogger,
    openClient: (origin) =>
      openUndiciUpstream({
        origin,
        timeouts: { connectMsMax: 10_000, headMsMax: 5_000, silenceMsMax: 5_000 },
      }),
  });
}

/** What came of one request. */
async function sent(client: UpstreamClient) {
  let body = "";
  const ended = Promise.withResolvers<string>();
  client.send(
    { method: "GET", path: "/", headers: [], body: null },
    {
      head: () => {},
      data: (chunk) => {
        body += Buffer.from(chunk).toString();
        return true;
      },
      end: () => ended.resolve("end"),
      failed: ({ cause }) => ended.resolve(cause),
    },
  );
  const ending = await ended.promise;
  return { ending, body };
}

async function startProvider(answer: (res: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((_req, res) => answer(res));
  let closed = (): void => {};
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      closed();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    /** Resolves when nobody is connected. */
    unused: () =>
      new Promise<void>((resolve) => {
        closed = () => {
          if (sockets.size === 0) resolve();
        };
        closed();
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
