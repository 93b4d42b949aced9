/** What every upstream client must do; run here on the one made of undici. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { listen } from "../relay/gateway-testkit.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import type { UpstreamCall, UpstreamExchange, UpstreamListener } from "./upstream-client.ts";

const CALL: UpstreamCall = {
  method: "POST",
  path: "/x?y=1",
  headers: ["X-A", "1"],
  body: Buffer.from("{}"),
};

const LIMITS = { connectMsMax: 5_000, headMsMax: 5_000, idleMsMax: 5_000 };

type Told = { events: string[]; over: Promise<void>; exchange: UpstreamExchange };

function send(
  origin: string,
  { call = CALL, limits = {}, onData = (): boolean => true } = {},
): Told & AsyncDisposable {
  const client = openUndiciUpstream({ origin, ...LIMITS, ...limits });
  const events: string[] = [];
  const over = Promise.withResolvers<void>();
  const listener: UpstreamListener = {
    head: (status, rawHeaders) => {
      const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
      events.push(`head ${status} ${names.includes("x-answer") ? "x-answer" : ""}`.trim());
    },
    data: (chunk) => {
      events.push(`data ${Buffer.from(chunk).toString()}`);
      return onData();
    },
    end: () => {
      events.push("end");
      over.resolve();
    },
    failed: ({ kind }) => {
      events.push(`failed ${kind}`);
      over.resolve();
    },
  };
  const exchange = client.send(call, listener);
  return { events, over: over.promise, exchange, [Symbol.asyncDispose]: () => client.close() };
}

async function upstream(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = await listen(listener);
  return { url: server.url, [Symbol.asyncDispose]: () => server.close() };
}

test("an answer is told in order: head, data, end", async () => {
  let asked = "";
  await using server = await upstream((req, res) => {
    asked = [req.method, req.url, req.headers["x-a"]].join(" ");
    res.writeHead(201, { "x-answer": "1" });
    res.end("hello");
  });
  await using told = send(server.url);
  await told.over;
  assert.deepEqual(told.events, ["head 201 x-answer", "data hello", "end"]);
  assert.equal(asked, "POST /x?y=1 1");
});

test("a refused connection is unreachable", async () => {
  await using told = send("http://127.0.0.1:1");
  await told.over;
  assert.deepEqual(told.events, ["failed unreachable"]);
});

test("a connection that breaks before the head is unreachable, after it cut", async () => {
  await using early = await upstream((req) => req.socket.destroy());
  await using first = send(early.url);
  await first.over;
  assert.deepEqual(first.events, ["failed unreachable"]);

  await using late = await upstream((_req, res) => {
    res.writeHead(200);
    res.write("half", () => res.destroy());
  });
  await using second = send(late.url);
  await second.over;
  assert.deepEqual(second.events, ["head 200", "data half", "failed cut"]);
});

test("a body shorter than declared is cut", async () => {
  await using server = await upstream((_req, res) => {
    res.writeHead(200, { "content-length": "10" });
    res.write("half", () => res.destroy());
  });
  await using told = send(server.url);
  await told.over;
  assert.deepEqual(told.events, ["head 200", "data half", "failed cut"]);
});

test("silence is a timeout, before the head and inside the body", async () => {
  await using mute = await upstream(() => {});
  await using first = send(mute.url, { limits: { headMsMax: 1_000 } });
  await first.over;
  assert.deepEqual(first.events, ["failed timeout"]);

  await using stalling = await upstream((_req, res) => {
    res.writeHead(200);
    res.write("a");
  });
  await using second = send(stalling.url, { limits: { idleMsMax: 1_000 } });
  await second.over;
  assert.deepEqual(second.events, ["head 200", "data a", "failed timeout"]);
});

test("a call may be more patient or less than the client", async () => {
  await using mute = await upstream(() => {});
  await using told = send(mute.url, { call: { ...CALL, headMsMax: 300 } });
  const startedMs = performance.now();
  await told.over;
  assert.deepEqual(told.events, ["failed timeout"]);
  assert.ok(performance.now() - startedMs < LIMITS.headMsMax);
});

test("a connection whose TLS is never agreed is a timeout", async () => {
  const server = createServer(() => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  await using told = send(`https://127.0.0.1:${port}`, { limits: { connectMsMax: 300 } });
  await told.over;
  assert.deepEqual(told.events, ["failed timeout"]);
  server.close();
});

test("a cancelled exchange closes at the provider and tells nothing more", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await upstream((_req, res) => {
    res.on("close", () => closed.resolve());
    res.writeHead(200);
    res.write("a");
  });
  const seen = Promise.withResolvers<void>();
  await using told = send(server.url, {
    onData: () => {
      seen.resolve();
      return true;
    },
  });
  await seen.promise;
  told.exchange.cancel();
  await closed.promise;
  assert.deepEqual(told.events, ["head 200", "data a"]);
});

test("an exchange cancelled before it began never reaches the provider", async () => {
  let calls = 0;
  await using server = await upstream((_req, res) => {
    calls += 1;
    res.end();
  });
  await using told = send(server.url);
  told.exchange.cancel();
  await using other = send(server.url);
  await other.over;
  assert.deepEqual([told.events, calls], [[], 1]);
});

test("held data waits for resume", async () => {
  await using server = await upstream((_req, res) => {
    res.writeHead(200);
    res.write("a");
    setTimeout(() => res.end("b"), 50);
  });
  const held = Promise.withResolvers<void>();
  await using told = send(server.url, {
    onData: () => {
      held.resolve();
      return false;
    },
  });
  await held.promise;
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(told.events, ["head 200", "data a"]);
  told.exchange.resume();
  await Promise.race([told.over, new Promise((resolve) => setTimeout(resolve, 200))]);
  told.exchange.resume();
  await told.over;
  assert.deepEqual(told.events, ["head 200", "data a", "data b", "end"]);
});
