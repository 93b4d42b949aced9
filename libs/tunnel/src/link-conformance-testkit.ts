/**
 * What every way to a workspace agent must do: each kind of operation, and each way to break. For
 * tests only.
 */
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import { fakeServices } from "./services-testkit.ts";

/** Services as they are seen over a link. */
export type TestWay = AsyncDisposable & {
  readonly services: WorkspaceServices;
  /** Ends the machine's link as a lost connection does. */
  breakLink(): void;
  /** Resolves when the link is over at both its ends. */
  readonly closed: Promise<unknown>;
};

export function testLinked(
  way: string,
  open: (services: WorkspaceServices) => Promise<TestWay>,
): void {
  test(`${way}: a call is answered, with its failure as a value`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    assert.deepEqual(await t.services.ports.list({}), { ok: true, value: { ports: [] } });
    assert.deepEqual(await t.services.git.state({ path: "/" }), {
      ok: false,
      failure: { code: "unsupported", message: "not here" },
    });
  });

  test(`${way}: input that makes no sense is refused on the other side, by field`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    const answer = await t.services.ports.dial({ port: 0 });
    assert.ok(!answer.ok && answer.failure.code === "invalid");
    assert.match(answer.failure.message, /^port: /);
  });

  test(`${way}: a download's bytes all come, also many`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    const answer = await t.services.processes.follow({
      id: "x",
      stream: "stdout",
      offset: 40_000_000,
    });
    assert.ok(answer.ok);
    assert.deepEqual(answer.value.value, { fromOffset: 40_000_000 });
    assert.equal(await bytesOf(answer.value.bytes), 40_000_000);
  });

  test(`${way}: a download that breaks in the middle throws: nobody takes it for whole`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    const answer = await t.services.processes.follow({
      id: "broken",
      stream: "stdout",
      offset: 1_000_000,
    });
    assert.ok(answer.ok);
    await assert.rejects(bytesOf(answer.value.bytes));
  });

  test(`${way}: an upload's bytes all arrive, and a failing source is not taken for its end`, async () => {
    const { services, seen } = fakeServices();
    await using t = await open(services);
    async function* source(breaks: boolean): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 100; i += 1) yield Buffer.alloc(10_000);
      if (breaks) throw new Error("the source broke");
    }
    assert.deepEqual(await t.services.processes.writeInput({ id: "x" }, source(false)), {
      ok: true,
      value: { bytes: 1_000_000 },
    });
    await assert.rejects(t.services.processes.writeInput({ id: "x" }, source(true)), {
      message: "the source broke",
    });
    await seen.until("upload broke");
  });

  test(`${way}: an upload that is refused early answers why, however much is left to send`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(64 * 1024);
    }
    const answer = await t.services.processes.writeInput({ id: "full" }, endless());
    assert.ok(!answer.ok);
    assert.equal(answer.failure.code, "no_space");
  });

  test(`${way}: an upload that is answered without being read ends, however much is left to send`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(64 * 1024);
    }
    const answer = await t.services.processes.writeInput({ id: "known" }, endless());
    assert.deepEqual(answer, { ok: true, value: { bytes: 0 } });
  });

  test(`${way}: events come as they happen, and a reader that leaves ends their source`, async () => {
    const { services, seen } = fakeServices();
    await using t = await open(services);
    const answer = await t.services.ports.watch({});
    assert.ok(answer.ok);
    const ports: number[] = [];
    for await (const event of answer.value) {
      ports.push(event.ports[0]?.port ?? 0);
      if (ports.length === 3) break;
    }
    assert.deepEqual(ports, [1, 2, 3]);
    await seen.until("watch ended");
  });

  test(`${way}: a channel carries bytes both ways, and ends one half at a time`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    const answer = await t.services.ports.dial({ port: 1 });
    assert.ok(answer.ok);
    const { channel } = answer.value;
    const echoed = bytesOf(channel.incoming);
    for (let i = 0; i < 50; i += 1) await channel.write(Buffer.alloc(100_000));
    await channel.end();
    assert.equal(await echoed, 5_000_000);
  });

  test(`${way}: destroying a channel destroys it on the other side`, async () => {
    const { services, seen } = fakeServices();
    await using t = await open(services);
    const answer = await t.services.ports.dial({ port: 1 });
    assert.ok(answer.ok);
    answer.value.channel.destroy();
    await seen.until("channel destroyed");
  });

  test(`${way}: a caller that aborts gets its own reason, and the operation is aborted`, async () => {
    const { services, seen } = fakeServices();
    await using t = await open(services);
    const abort = new AbortController();
    const waiting = t.services.processes.wait(
      { id: "x", timeoutMs: 1_000 },
      { signal: abort.signal },
    );
    await seen.until("wait began");
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, { message: "enough" });
    await seen.until("wait aborted");
  });

  test(`${way}: a link that breaks ends what is under way as disconnected, on both sides`, async () => {
    const { services, seen } = fakeServices();
    await using t = await open(services);
    const waiting = t.services.processes.wait({ id: "x", timeoutMs: 1_000 });
    const followed = await t.services.processes.follow({
      id: "x",
      stream: "stdout",
      offset: 50_000_000,
    });
    await seen.until("wait began");
    t.breakLink();
    const answer = await waiting;
    assert.ok(!answer.ok);
    assert.equal(answer.failure.code, "disconnected");
    assert.ok(followed.ok);
    await assert.rejects(bytesOf(followed.value.bytes));
    await Promise.all([seen.until("wait aborted"), t.closed]);
    const later = await t.services.ports.list({});
    assert.ok(!later.ok);
    assert.equal(later.failure.code, "disconnected");
  });

  test(`${way}: a reader that is slow holds the source up instead of filling memory`, async () => {
    const { services } = fakeServices();
    await using t = await open(services);
    const before = process.memoryUsage().rss;
    const answer = await t.services.processes.follow({
      id: "x",
      stream: "stdout",
      offset: 400_000_000,
    });
    assert.ok(answer.ok);
    const reader = answer.value.bytes[Symbol.asyncIterator]();
    await reader.next();
    await delay(300);
    const grownBy = process.memoryUsage().rss - before;
    assert.ok(grownBy < 200_000_000, `grew by ${grownBy}`);
    await reader.return?.();
  });
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of source) bytes += chunk.byteLength;
  return bytes;
}
