/** Which way an exchange takes, and that a provider without HTTP/1.1 gets each request once. */
import { systemClock } from "@atelier/base/system-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openMixedUpstream } from "./mixed-upstream-io.ts";
import { makeCertificate } from "./test-certificate-testkit.ts";
import { CALL, PATIENT, send, tlsWire, answerText } from "./upstream-client-testkit.ts";
import type { UpstreamClient } from "./upstream-client.ts";

const certificate = makeCertificate("localhost");

type Asked = {
  readonly version: string;
  readonly body: string;
  readonly res: Http2ServerResponse;
};

type Provider = AsyncDisposable & { readonly origin: string; readonly asked: readonly Asked[] };

/** Each request waits for the test to answer it. */
async function startProvider(allowHTTP1: boolean): Promise<Provider> {
  const asked: Asked[] = [];
  const take = async (req: Http2ServerRequest, res: Http2ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(req as AsyncIterable<Buffer>)).toString();
    asked.push({ version: req.httpVersion, body, res });
  };
  const server = createSecureServer({ ...certificate, allowHTTP1 }, (req, res) => {
    take(req, res).catch(() => res.destroy());
  });
  server.on("sessionError", () => {});
  server.listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    origin: `https://localhost:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

function open(
  origin: string,
  http1Max: number,
  ca = certificate.cert,
): UpstreamClient & AsyncDisposable {
  const clock = systemClock;
  const client = openMixedUpstream({ origin, timeouts: PATIENT, clock, ca, http1Max });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

async function arrival(asked: readonly unknown[], count: number): Promise<void> {
  while (asked.length < count) await nextTurn();
}

test("what is more than a few at once goes over HTTP/2, and later ones over HTTP/1.1 again", async () => {
  await using provider = await startProvider(true);
  await using client = open(provider.origin, 2);
  const all = Array.from({ length: 5 }, () => send(client));
  await arrival(provider.asked, 5);
  const versions = provider.asked.map(({ version }) => version).toSorted();
  assert.deepEqual(versions, ["1.1", "1.1", "2.0", "2.0", "2.0"]);
  for (const { res } of provider.asked) res.end("ok");
  await Promise.all(all.map(({ over }) => over));
  for (const { events } of all) assert.deepEqual(events, ["head 200", "data ok", "end"]);
  await nextTurn();
  const later = send(client);
  await arrival(provider.asked, 6);
  assert.equal(provider.asked[5]?.version, "1.1");
  provider.asked[5]?.res.end();
  await later.over;
});

test("streams that are held count as under way", async () => {
  await using provider = await startProvider(true);
  await using client = open(provider.origin, 1);
  const held = Promise.withResolvers<void>();
  const slow = send(client, { onData: () => (held.resolve(), false) });
  await arrival(provider.asked, 1);
  provider.asked[0]?.res.end("slow");
  await held.promise;
  const other = send(client);
  await arrival(provider.asked, 2);
  assert.equal(provider.asked[1]?.version, "2.0");
  provider.asked[1]?.res.end("ok");
  await other.over;
  slow.exchange.resume();
  await slow.over;
  assert.deepEqual(slow.events, ["head 200", "data slow", "end"]);
});

test("a provider that refuses HTTP/1.1 gets each request once, whole, over HTTP/2", async () => {
  await using provider = await startProvider(false);
  await using client = open(provider.origin, 2);
  const body = Buffer.alloc(200_000, "x");
  const all = Array.from({ length: 3 }, () => send(client, { call: { ...CALL, body } }));
  await arrival(provider.asked, 3);
  for (const { res } of provider.asked) res.end("ok");
  await Promise.all(all.map(({ over }) => over));
  for (const { events } of all) assert.deepEqual(events, ["head 200", "data ok", "end"]);
  const next = send(client);
  await arrival(provider.asked, 4);
  provider.asked[3]?.res.end("ok");
  await next.over;
  assert.deepEqual(
    provider.asked.map(({ version, body: got }) => [version, got.length]),
    [...Array.from({ length: 3 }, () => ["2.0", 200_000]), ["2.0", 2]],
  );
});

test("an exchange that went over to HTTP/2 can be held, resumed and cancelled", async () => {
  await using provider = await startProvider(false);
  await using client = open(provider.origin, 2);
  const held = Promise.withResolvers<void>();
  const told = send(client, { onData: () => (held.resolve(), false) });
  await arrival(provider.asked, 1);
  provider.asked[0]?.res.end("hello");
  await held.promise;
  assert.deepEqual(told.events, ["head 200", "data hello"]);
  told.exchange.resume();
  await told.over;
  assert.deepEqual(told.events, ["head 200", "data hello", "end"]);

  // The first of a client: it goes over as well.
  await using another = open(provider.origin, 2);
  const cancelled = send(another);
  await arrival(provider.asked, 2);
  const closed = once(provider.asked[1]!.res, "close");
  cancelled.exchange.cancel();
  await closed;
  assert.deepEqual(cancelled.events, []);
});

test("an exchange cancelled while HTTP/1.1 is refused never reaches the provider", async () => {
  await using provider = await startProvider(false);
  await using client = open(provider.origin, 2);
  send(client).exchange.cancel();
  const other = send(client);
  await arrival(provider.asked, 1);
  provider.asked[0]?.res.end();
  await other.over;
  assert.equal(provider.asked.length, 1);
});

test("closing waits for an exchange that goes over to HTTP/2", async () => {
  await using provider = await startProvider(false);
  const client = open(provider.origin, 2);
  const told = send(client);
  const closed = client.close();
  await arrival(provider.asked, 1);
  provider.asked[0]?.res.end("ok");
  await closed;
  assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
});

test("a provider that has only HTTP/1.1 serves what is more than a few, too", async () => {
  const { byteServer, ca = "" } = tlsWire();
  await using server = await byteServer(({ socket }) => {
    setTimeout(() => socket.write(answerText("ok")), 5);
  });
  await using client = open(server.url, 2, ca);
  const all = Array.from({ length: 6 }, () => send(client));
  await Promise.all(all.map(({ over }) => over));
  for (const { events } of all) assert.deepEqual(events, ["head 200", "data ok", "end"]);
});
