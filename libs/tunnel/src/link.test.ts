/** A link with real sockets: each kind of operation, and each way to break. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import { testLink } from "./link-testkit.ts";
import { fakeServices } from "./services-testkit.ts";

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of source) bytes += chunk.byteLength;
  return bytes;
}

test("a call is answered, with its failure as a value", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  assert.deepEqual(await t.link.services.ports.list({}), { ok: true, value: { ports: [] } });
  assert.deepEqual(await t.link.services.git.state({ path: "/" }), {
    ok: false,
    failure: { code: "unsupported", message: "not here" },
  });
});

test("input that makes no sense is refused on the other side, by field", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  const answer = await t.link.services.ports.dial({ port: 0 });
  assert.ok(!answer.ok && answer.failure.code === "invalid");
  assert.match(answer.failure.message, /^port: /);
});

test("a download's bytes all come, also many", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  const answer = await t.link.services.processes.follow({
    id: "x",
    stream: "stdout",
    offset: 40_000_000,
  });
  assert.ok(answer.ok);
  assert.deepEqual(answer.value.value, { fromOffset: 40_000_000 });
  assert.equal(await bytesOf(answer.value.bytes), 40_000_000);
});

test("a download that breaks in the middle throws: nobody takes it for whole", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  const answer = await t.link.services.processes.follow({
    id: "broken",
    stream: "stdout",
    offset: 1_000_000,
  });
  assert.ok(answer.ok);
  await assert.rejects(bytesOf(answer.value.bytes));
});

test("an upload's bytes all arrive, and a failing source is not taken for its end", async () => {
  const { services, seen } = fakeServices();
  await using t = await testLink(services);
  async function* source(breaks: boolean): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 100; i += 1) yield Buffer.alloc(10_000);
    if (breaks) throw new Error("the source broke");
  }
  assert.deepEqual(await t.link.services.processes.writeInput({ id: "x" }, source(false)), {
    ok: true,
    value: { bytes: 1_000_000 },
  });
  await assert.rejects(t.link.services.processes.writeInput({ id: "x" }, source(true)), {
    message: "the source broke",
  });
  await seen.until("upload broke");
});

test("an upload that is refused early answers why, however much is left to send", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(64 * 1024);
  }
  const answer = await t.link.services.processes.writeInput({ id: "full" }, endless());
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "no_space");
});

test("an upload that is answered without being read ends, however much is left to send", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(64 * 1024);
  }
  const answer = await t.link.services.processes.writeInput({ id: "known" }, endless());
  assert.deepEqual(answer, { ok: true, value: { bytes: 0 } });
});

test("events come as they happen, and a reader that leaves ends their source", async () => {
  const { services, seen } = fakeServices();
  await using t = await testLink(services);
  const answer = await t.link.services.ports.watch({});
  assert.ok(answer.ok);
  const ports: number[] = [];
  for await (const event of answer.value) {
    ports.push(event.ports[0]?.port ?? 0);
    if (ports.length === 3) break;
  }
  assert.deepEqual(ports, [1, 2, 3]);
  await seen.until("watch ended");
});

test("a channel carries bytes both ways, and ends one half at a time", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  const answer = await t.link.services.ports.dial({ port: 1 });
  assert.ok(answer.ok);
  const { channel } = answer.value;
  const echoed = bytesOf(channel.incoming);
  for (let i = 0; i < 50; i += 1) await channel.write(Buffer.alloc(100_000));
  await channel.end();
  assert.equal(await echoed, 5_000_000);
});

test("destroying a channel destroys it on the other side", async () => {
  const { services, seen } = fakeServices();
  await using t = await testLink(services);
  const answer = await t.link.services.ports.dial({ port: 1 });
  assert.ok(answer.ok);
  answer.value.channel.destroy();
  await seen.until("channel destroyed");
});

test("a caller that aborts gets its own reason, and the operation is aborted", async () => {
  const { services, seen } = fakeServices();
  await using t = await testLink(services);
  const abort = new AbortController();
  const waiting = t.link.services.processes.wait(
    { id: "x", timeoutMs: 1_000 },
    { signal: abort.signal },
  );
  await seen.until("wait began");
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  await seen.until("wait aborted");
});

test("a link that breaks ends what is under way as disconnected, on both sides", async () => {
  const { services, seen } = fakeServices();
  await using t = await testLink(services);
  const waiting = t.link.services.processes.wait({ id: "x", timeoutMs: 1_000 });
  const followed = await t.link.services.processes.follow({
    id: "x",
    stream: "stdout",
    offset: 50_000_000,
  });
  await seen.until("wait began");
  t.serverSocket.terminate();
  const answer = await waiting;
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "disconnected");
  assert.ok(followed.ok);
  await assert.rejects(bytesOf(followed.value.bytes));
  await Promise.all([seen.until("wait aborted"), t.link.closed, t.agentClosed]);
  const later = await t.link.services.ports.list({});
  assert.ok(!later.ok);
  assert.equal(later.failure.code, "disconnected");
});

test("a reader that is slow holds the source up instead of filling memory", async () => {
  const { services } = fakeServices();
  await using t = await testLink(services);
  const before = process.memoryUsage().rss;
  const answer = await t.link.services.processes.follow({
    id: "x",
    stream: "stdout",
    offset: 400_000_000,
  });
  assert.ok(answer.ok);
  const reader = answer.value.bytes[Symbol.asyncIterator]();
  await reader.next();
  await delay(300);
  const grownBy = process.memoryUsage().rss - before;
  assert.ok(grownBy < 100_000_000, `grew by ${grownBy}`);
  await reader.return?.();
});
