/** Streams that pass through a server in the middle behave as on a link of their own. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import assert from "node:assert/strict";
import { connect, performServerHandshake } from "node:http2";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { testLink, type TestLink } from "./link-testkit.ts";
import { relayStreams } from "./relay-streams.ts";
import { remoteServices } from "./remote-services.ts";
import { fakeServices } from "./services-testkit.ts";

/** A caller's session, whose streams go through `relayStreams` to the link. */
function through(target: TestLink | null) {
  const [caller, middle] = duplexPair();
  const answering = performServerHandshake(middle);
  answering.on("error", () => {});
  relayStreams(answering, { target: () => target?.link.session ?? null });
  const asking = connect("http://relay", { createConnection: () => caller });
  asking.on("error", () => {});
  return {
    services: remoteServices((path) =>
      asking.request({ ":method": "POST", ":path": path }, { endStream: false }),
    ),
    [Symbol.dispose]: () => {
      asking.destroy();
      answering.destroy();
    },
  };
}

const deps = { clock: systemClock, log: silentLogger };

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of source) bytes += chunk.byteLength;
  return bytes;
}

test("calls, downloads, uploads and channels pass through", async () => {
  const { services } = fakeServices();
  await using link = await testLink(services, deps);
  using relayed = through(link);
  assert.ok((await relayed.services.ports.list({})).ok);
  const download = await relayed.services.processes.follow({
    id: "x",
    stream: "stdout",
    offset: 3_000_000,
  });
  assert.ok(download.ok);
  assert.equal(await bytesOf(download.value.bytes), 3_000_000);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 100; i += 1) yield Buffer.alloc(50_000);
  }
  assert.deepEqual(await relayed.services.processes.writeInput({ id: "x" }, source()), {
    ok: true,
    value: { bytes: 5_000_000 },
  });
  const dialled = await relayed.services.ports.dial({ port: 1 });
  assert.ok(dialled.ok);
  const echoed = bytesOf(dialled.value.channel.incoming);
  await dialled.value.channel.write(Buffer.alloc(100_000));
  await dialled.value.channel.end();
  assert.equal(await echoed, 100_000);
});

test("what breaks behind the relay breaks before it", async () => {
  const { services } = fakeServices();
  await using link = await testLink(services, deps);
  using relayed = through(link);
  const download = await relayed.services.processes.follow({
    id: "broken",
    stream: "stdout",
    offset: 1_000_000,
  });
  assert.ok(download.ok);
  await assert.rejects(bytesOf(download.value.bytes));
});

test("a caller that leaves aborts the operation behind the relay", async () => {
  const { services, seen } = fakeServices();
  await using link = await testLink(services, deps);
  using relayed = through(link);
  const abort = new AbortController();
  const waiting = relayed.services.processes.wait(
    { id: "x", timeoutMs: 1_000 },
    { signal: abort.signal },
  );
  await seen.until("wait began");
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  await seen.until("wait aborted");
});

test("a link that breaks behind the relay answers as disconnected", async () => {
  const { services, seen } = fakeServices();
  await using link = await testLink(services, deps);
  using relayed = through(link);
  const waiting = relayed.services.processes.wait({ id: "x", timeoutMs: 1_000 });
  await seen.until("wait began");
  link.serverSocket.terminate();
  const answer = await waiting;
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "disconnected");
});

test("without a link behind it the relay answers as disconnected", async () => {
  using relayed = through(null);
  const answer = await relayed.services.ports.list({});
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "disconnected");
});
