/** Lines for live parts between two servers over one database. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { HearText, PartLine, PartLineService } from "@atelier/contract/rpc/chat-part-lines";
import type { ChatService, ChatSocketService } from "@atelier/contract/rpc/chat-service";
import { SharedText } from "@atelier/contract/rpc/socket-service";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import {
  startTestControlPlane,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";
import { refusalOf } from "./workspaces-testkit.ts";

async function startPair() {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const clock = new FakeClock();
  const one = resources.use(await startTestControlPlane({ database, clock }));
  const two = resources.use(await startTestControlPlane({ database, clock }));
  const owned = resources.move();
  return { one, two, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Chats that do nothing else. */
function serve({ plane }: TestControlPlane, partLines: PartLineService): Disposable {
  const nothing = {} as ChatService & ChatSocketService;
  return plane.chats.serveWith({ service: nothing, sockets: nothing, partLines });
}

type Served = { readonly chatId: string; readonly line: PartLine; readonly heard: string[] };

/** Who dials is answered with what it says, in capitals. */
function echo(plane: TestControlPlane) {
  const lines: Served[] = [];
  const mounted = serve(plane, (chatId, line) => {
    const heard: string[] = [];
    lines.push({ chatId, line, heard });
    return (text) => {
      heard.push(text);
      line.pass(new SharedText(text.toUpperCase()), () => {});
      line.pass(`${text}!`, () => {});
    };
  });
  return { lines, [Symbol.dispose]: () => mounted[Symbol.dispose]() };
}

function dial(from: TestControlPlane, to: TestControlPlane, chatId: string, hear: HearText) {
  const { serverId } = to.plane.chats;
  return from.plane.chats.lines.dial({ serverId, chatId }, hear, new AbortController().signal);
}

function over({ signal }: PartLine): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}

function said(line: PartLine, text: string): Promise<Error | null | undefined> {
  return new Promise((resolve) => line.pass(text, resolve));
}

test("what is said on a line arrives in order, both ways, until one of them ends it", async () => {
  await using pair = await startPair();
  using served = echo(pair.two);
  for (const endsIt of ["near", "far"]) {
    const chatId = randomUUID();
    const heard: string[] = [];
    const whole = Promise.withResolvers<void>();
    const line = await dial(pair.one, pair.two, chatId, (text) => {
      heard.push(text);
      if (heard.length === 400) whole.resolve();
    });
    assert.ok(line !== null);
    for (let i = 0; i < 200; i += 1) line.pass(`é${i}`, () => {});
    await whole.promise;
    assert.deepEqual(heard, Array.from({ length: 200 }, (_, i) => [`É${i}`, `é${i}!`]).flat());
    const far = served.lines.at(-1);
    assert.ok(far?.chatId === chatId);
    (endsIt === "near" ? line : far.line).end();
    await Promise.all([over(line), over(far.line)]);
    assert.ok((await said(line, "more")) instanceof Error);
    assert.ok((await said(far.line, "more")) instanceof Error);
  }
});

test("a text of many megabytes arrives, and one that nobody would ask for ends the line", async () => {
  await using pair = await startPair();
  const long = "x".repeat(8 * 1024 * 1024);
  using _mounted = serve(pair.two, (_chatId, line) => () => line.pass(long, () => {}));
  const first = Promise.withResolvers<string>();
  const line = await dial(pair.one, pair.two, randomUUID(), first.resolve);
  assert.ok(line !== null);
  line.pass("all", () => {});
  assert.equal((await first.promise).length, long.length);
  line.pass("x".repeat(2_000), () => {});
  await over(line);
});

test("servers that stop, are not there, or do not say where they are, are not reached", async () => {
  await using pair = await startPair();
  const { one, two } = pair;
  const reach = () => dial(one, two, randomUUID(), () => {});
  assert.equal(await reach(), null); // Nothing serves there.
  const served = echo(two);
  const line = await reach();
  assert.ok(line !== null);
  served[Symbol.dispose]();
  await over(line);
  assert.equal(await reach(), null);
  using _again = echo(two);
  const last = await reach();
  assert.ok(last !== null);
  two.plane.closeSockets();
  await over(last);
  assert.equal(await reach(), null);
  const nobody = { serverId: randomUUID(), chatId: randomUUID() };
  const { signal } = new AbortController();
  assert.equal(await one.plane.chats.lines.dial(nobody, () => {}, signal), null);
  await one.database.sql.updateTable("replicas").set({ relay_url: null }).execute();
  assert.equal(await reach(), null);
});

test("nobody but servers of the deployment hears what chats say", async () => {
  await using pair = await startPair();
  const { one } = pair;
  using served = echo(one);
  const owner = await one.setUp();
  const chatId = randomUUID();
  const path = `/internal/chats/${chatId}/stream/parts`;
  for (const options of [
    {},
    { token: owner.token },
    { headers: { "x-atelier-relay-pass": `${Date.now()}.${chatId}.x.y` } },
  ]) {
    assert.equal((await refusalOf(one.url, path, options)).status, 404);
  }
  assert.equal((await one.call("GET", path, owner)).status, 404);
  assert.equal(served.lines.length, 0);
});
