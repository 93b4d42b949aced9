import { silentLogger } from "@atelier/base/logger";
import type { GatewayProvider, ProviderSnapshot } from "@atelier/contract/rpc/gateway-ports";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { provider } from "../relay/gateway-testkit.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import { UpstreamPools } from "./upstream-pools-io.ts";

function snapshot(version: number, ...providers: GatewayProvider[]): ProviderSnapshot {
  return { version, providers: new Map(providers.map((each) => [each.name, each])) };
}

/** Pools whose clients only note what becomes of them. */
function notedPools() {
  const notes: string[] = [];
  const pools = new UpstreamPools({
    log: silentLogger,
    translate: () => null,
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

test("a request that began before a change is still served with the client it began with", () => {
  const { pools, notes } = notedPools();
  const one = provider("up", "openai", "https://one.example");
  const before = snapshot(1, one);
  const first = pools.upstreamOf(one, before);
  const moved = { ...one, baseUrl: "https://two.example" };
  pools.upstreamOf(moved, snapshot(2, moved));
  assert.equal(pools.upstreamOf(one, before), first, "an older snapshot closes nothing");
  assert.deepEqual(notes.filter((note) => note.startsWith("close")).length, 1);
});

test("a provider that goes away in the middle of an answer: it ends whole, then the connection closes", async () => {
  const sockets = new Set<Socket>();
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => {
    res.writeHead(200);
    res.write("first ");
    asked.resolve(res);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pools = new UpstreamPools({
    log: silentLogger,
    translate: () => null,
    openClient: (each) => openUndiciUpstream({ origin: each, silenceMsMax: 5_000 }),
  });
  const one = provider("up", "openai", origin);
  const { client } = pools.upstreamOf(one, snapshot(1, one));
  let body = "";
  const ended = Promise.withResolvers<string>();
  const call = { method: "GET", path: "/", headers: [], body: null };
  client.send(call, {
    head: () => {},
    data: (chunk) => {
      body += Buffer.from(chunk).toString();
      return true;
    },
    end: () => ended.resolve("end"),
    failed: ({ kind }) => ended.resolve(kind),
  });
  const res = await asked.promise;
  const [socket] = sockets;
  assert(socket !== undefined);
  const closed = once(socket, "close");

  const other = provider("other", "openai", "http://127.0.0.1:1");
  pools.upstreamOf(other, snapshot(2, other));
  assert.equal(sockets.size, 1, "the answer is still under way");
  res.end("last");
  assert.equal(await ended.promise, "end");
  assert.equal(body, "first last");
  // Without anybody who closes it, it would stay for the whole time of an idle connection.
  await closed;
  assert.equal(sockets.size, 0);
  server.close();
  await pools[Symbol.asyncDispose]();
});
