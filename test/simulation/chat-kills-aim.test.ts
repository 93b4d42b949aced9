/** What is aimed at is held exactly there: before the database has heard of it, or before its client has. */
import { silentLogger } from "@atelier/base/logger";
import { openDatabase } from "@atelier/database/database";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { Aim, databaseTap, relayTap } from "./chat-kills-aim.ts";
import type { Moment } from "./chat-kills-moments.ts";
import { FaultyWire, type HeldFate } from "./faulty-wire.ts";
import type { Said } from "./postgres-talk.ts";

for (const { kind, fate, isDoneWhenHeld, isDone, isHeard } of [
  { kind: "asked", fate: "pass", isDoneWhenHeld: false, isDone: true, isHeard: true },
  { kind: "asked", fate: "drop", isDoneWhenHeld: false, isDone: false, isHeard: false },
  { kind: "answered", fate: "pass", isDoneWhenHeld: true, isDone: true, isHeard: true },
  { kind: "answered", fate: "drop", isDoneWhenHeld: true, isDone: true, isHeard: false },
] as const satisfies readonly { kind: Moment["kind"]; fate: HeldFate; [key: string]: unknown }[]) {
  test(`a commit held as ${kind} and told to ${fate} is ${isDone ? "done" : "undone"}`, async () => {
    await using database = await testDatabase();
    const aim = new Aim<string>({ kind, is: (said) => isCommitOf("a", said) }, "");
    await using wire = await wireTo(database, aim);
    await using behind = openBehind(database, wire);
    const heard = behind
      .transaction((db) => insert(db, "a"))
      .then(
        () => true,
        () => false,
      );
    assert.equal(await aim.hit, "a server");
    assert.equal(await isThere(database), isDoneWhenHeld);
    aim.release(fate);
    assert.equal(await heard, isHeard);
    assert.equal(await isThere(database), isDone);
  });
}

test("the second of its kind is held, and nothing once it was let go", async () => {
  await using database = await testDatabase();
  const is = ({ text, values }: Said): boolean =>
    text.includes("site_settings") && values.includes("b");
  const aim = new Aim<string>({ kind: "asked", nth: 2, is }, "");
  await using wire = await wireTo(database, aim);
  await using behind = openBehind(database, wire);
  await insert(behind.sql, "b1");
  const second = insert(behind.sql, "b2");
  await aim.hit;
  await insert(behind.sql, "b3");
  aim.release("pass");
  await second;
  await insert(behind.sql, "b4");
});

test("one whose question is always the same is known by what it is answered", async () => {
  await using database = await testDatabase();
  const aim = new Aim<string>(
    {
      ...{ kind: "answered", nth: 2, is: ({ text }) => text.startsWith("select") },
      isAnswer: (answer) => answer.includes("wanted"),
    },
    "",
  );
  await using wire = await wireTo(database, aim);
  await using behind = openBehind(database, wire);
  const ask = () => behind.pool.query("select key from site_settings");
  await ask();
  await insert(behind.sql, "wanted");
  await ask();
  const heard = ask().then(() => "heard");
  await aim.hit;
  assert.equal(await Promise.race([heard, insert(behind.sql, "b").then(() => "held")]), "held");
  aim.release("pass");
  assert.equal(await heard, "heard");
  await ask();
});

for (const { kind, isHeardThere } of [
  { kind: "relayed", isHeardThere: false },
  { kind: "carried out elsewhere", isHeardThere: true },
] as const) {
  test(`what is ${kind} is ${isHeardThere ? "heard there, and its answer is not" : "not heard there"}`, async () => {
    await using resources = new AsyncDisposableStack();
    const heard: string[] = [];
    const server = resources.adopt(new WebSocketServer({ port: 0, host: "127.0.0.1" }), (each) =>
      each.close(),
    );
    server.on("connection", (socket) => {
      socket.on("message", (data: Buffer) => {
        heard.push(data.toString());
        server.emit("heard");
        socket.send("an answer");
      });
    });
    await once(server, "listening");
    const is = (text: string): boolean => text.includes("wanted");
    const aim = new Aim<string>({ kind, is, isNow: () => true }, "");
    const { port } = server.address() as AddressInfo;
    const tap = () =>
      relayTap(
        () => [aim],
        () => {},
      );
    const wire = resources.use(await FaultyWire.start(port, tap));
    const socket = new WebSocket(wire.url.replace("http", "ws"));
    await once(socket, "open");
    socket.send("another");
    await once(socket, "message");
    const answered = once(socket, "message").then(() => "answered");
    socket.send("wanted");
    await aim.hit;
    // Who asks beside it has an answer meanwhile.
    const beside = new WebSocket(wire.url.replace("http", "ws"));
    await once(beside, "open");
    beside.send("beside");
    const held = once(beside, "message").then(() => "held");
    assert.equal(await Promise.race([answered, held]), "held");
    while (isHeardThere && !heard.includes("wanted")) await once(server, "heard");
    assert.equal(heard.includes("wanted"), isHeardThere);
    aim.release("pass");
    assert.equal(await answered, "answered");
    assert.deepEqual(heard.toSorted(), ["another", "beside", "wanted"]);
    for (const each of [socket, beside]) each.terminate();
  });
}

function isCommitOf(key: string, { text, within }: Said): boolean {
  return text === "commit" && within.values.includes(key);
}

function wireTo({ connection }: TestDatabase, aim: Aim<string>): Promise<FaultyWire> {
  const { host, port } = connection;
  return FaultyWire.start(`${host}/.s.PGSQL.${port}`, () =>
    databaseTap(
      () => "a server",
      () => [aim],
      () => null,
    ),
  );
}

function openBehind({ connection }: TestDatabase, { port }: FaultyWire) {
  const { user, database } = connection;
  return openDatabase({
    connection: { host: "127.0.0.1", port, user, database },
    ...{ applicationName: "aim test", connectionsMax: 2, log: silentLogger },
  });
}

async function insert(db: TestDatabase["sql"], key: string): Promise<void> {
  await db.insertInto("site_settings").values({ key, value: "" }).execute();
}

async function isThere(database: TestDatabase): Promise<boolean> {
  const { rows } = await database.pool.query("select from site_settings where key = 'a'");
  return rows.length === 1;
}
