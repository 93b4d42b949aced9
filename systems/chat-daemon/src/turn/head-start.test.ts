/** Turns whose model call is made ready while their message is on its way to the disk. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Clock } from "@atelier/base/clock";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import type { HttpTap } from "../debug-runs/debug-recorder.ts";
import { must } from "../state/chat-world-testkit.ts";
import type { ToolWorkspace } from "../tools/tool.ts";
import { TurnHeadStart } from "./head-start-actions.ts";
import { startHeldServer } from "./head-start-testkit.ts";
import { addWorkspace } from "./turn-testkit.ts";

test("a call is ready before its message is on the disk, and leaves behind it", async () => {
  await using server = await startHeldServer();
  const { log } = server;
  server.before = () => server.until("ready: hello, first, and?");
  await server.send("and?");
  await server.rests();
  assert.deepEqual(log, ["ready: hello, first, and?", "on the disk", "asked: hello, first, and?"]);
  assert.deepEqual(await server.said(), ["hello", "first", "and?", "second"]);
  // What the turn before it said is among what is foreseen of the next.
  log.length = 0;
  const all = "hello, first, and?, second, more";
  server.before = () => server.until(`ready: ${all}`);
  await server.send("more");
  await server.rests();
  assert.deepEqual(log, [`ready: ${all}`, "on the disk", `asked: ${all}`]);
  assert.deepEqual(server.ended, ["used", "used"]);
});

test("what was read beside the chat and is otherwise now counts, and what was made ready is dropped", async () => {
  await using server = await startHeldServer();
  const { log } = server;
  server.before = async () => {
    await server.until("ready: hello, first, and?");
    await addWorkspace(server.world);
  };
  await server.send("and?");
  await server.rests();
  const prompt = "hello, first, and?";
  assert.deepEqual(log, [
    ...[`ready: ${prompt}`, "on the disk", `dropped: ${prompt}`],
    ...[`ready: ${prompt}`, `asked: ${prompt}`],
  ]);
  assert.deepEqual(await server.said(), ["hello", "first", "and?", "second"]);
});

test("a message to a chat that is at work makes nothing ready: it waits, or stops the work", async () => {
  await using server = await startHeldServer({ isSilent: (prompt) => prompt.endsWith("and?") });
  const { machine, chatId } = server;
  await server.send("and?");
  await server.until("asked: hello, first, and?");
  assert.equal(await server.foresee("more"), null);
  must(await machine.change(chatId, (chat) => chat.interrupt("stop")));
  await server.rests();
});

test("a history that another server added to is asked with all of it, once", async () => {
  await using server = await startHeldServer();
  const { log, world } = server;
  server.before = async () => {
    await server.until("ready: hello, first, and?");
    await world.chats.database.pool.query(
      `insert into chat_messages (chat_id, created_at, role, content, visibility)
       values ($1, now(), 'system', '[{"type": "text", "text": "be brief"}]', 'both')`,
      [server.chatId],
    );
  };
  await server.send("and?");
  await server.rests();
  const asked = log.filter((line) => line.startsWith("asked"));
  assert.deepEqual(asked, ["asked: be brief, hello, first, and?"]);
  assert.ok(log.includes("dropped: hello, first, and?"));
});

test("a chat that has changed its model or its mode is prepared anew", async () => {
  const changes = ["plan_mode = 'plan'", 'labels = \'{"of": "ann"}\''];
  for (const change of changes) {
    await using server = await startHeldServer();
    server.before = async () => {
      await server.until("ready: hello, first, and?");
      await server.world.chats.database.pool.query(`update chats set ${change} where id = $1`, [
        server.chatId,
      ]);
    };
    await server.send("and?");
    await server.rests();
    assert.deepEqual(
      server.log.map((line) => line.split(":")[0]),
      ["ready", "on the disk", "dropped", "ready", "asked"],
    );
  }
});

test("nothing leaves where the message did not enter, or nobody knows whether it did", async () => {
  await using server = await startHeldServer();
  const { log, world } = server;
  const { machine, user } = world.chats;
  server.before = async () => {
    await server.until("ready: hello, first, and?");
    must(await machine.change(server.chatId, (chat) => chat.sendMessage(user("between"), "queue")));
  };
  assert.equal(await server.send("and?"), null);
  await server.rests();
  assert.deepEqual(log.filter((line) => !line.startsWith("ready")).toSorted(), [
    "asked: hello, first, between",
    "dropped: hello, first, and?",
    "on the disk",
  ]);
  log.length = 0;
  server.before = async () => {
    await server.until("ready: hello, first, between, second, then?");
    throw new Error("the connection was lost");
  };
  await assert.rejects(server.send("then?"), /connection was lost/);
  await server.until("dropped: hello, first, between, second, then?");
  assert.deepEqual(server.ended, ["dropped", "dropped"]);
  assert.deepEqual(await server.said(), ["hello", "first", "between", "second"]);
});

test("who stops a turn ends the call that was made ready for it", async () => {
  await using server = await startHeldServer({ isSilent: (prompt) => prompt.endsWith("and?") });
  const { log, chatId } = server;
  await server.send("and?");
  await server.until("asked: hello, first, and?");
  must(await server.machine.change(chatId, (chat) => chat.interrupt("stop")));
  await server.until("ended: hello, first, and?");
  await server.rests();
  assert.equal(log.filter((line) => line.startsWith("asked")).length, 1);
});

test("a call whose turn fails on the way to its answer is ended, and made again", async () => {
  let isAway = false;
  await using server = await startHeldServer({
    hasWorkspace: true,
    isSilent: (prompt) => isAway && prompt.endsWith("and?"),
    abandonedCalls: async () => {
      if (!isAway) return [];
      await server.until("asked: hello, first, and?");
      isAway = false;
      throw new Error("the database was away");
    },
  });
  const { log } = server;
  isAway = true;
  await server.send("and?");
  await server.rests();
  const prompt = "hello, first, and?";
  assert.deepEqual(
    log.filter((line) => !line.startsWith("on")),
    ["ready", "asked", "ended", "ready", "asked"].map((what) => `${what}: ${prompt}`),
  );
  assert.deepEqual(await server.said(), ["hello", "first", "and?", "second"]);
});

test("a workspace whose context is not told yet is looked at first", async () => {
  const unreachable = () => Promise.resolve(fail({ code: "workspace.unreachable" }));
  const services = { machine: { info: unreachable, contextFiles: unreachable } };
  const workspace = { workspaceId: "w", agentId: "another", services };
  await using server = await startHeldServer({
    hasWorkspace: true,
    workspaceOf: () => Promise.resolve(ok(workspace as unknown as ToolWorkspace)), // What it asks.
  });
  await server.send("and?");
  await server.rests();
  assert.deepEqual(
    server.log.map((line) => line.split(":")[0]),
    ["on the disk", "ready", "asked"],
  );
});

test("calls that people look at are made with the turn that they belong to", async () => {
  const tap: HttpTap = {
    ...{ recordHttp: (fetch) => fetch, take: () => [], credentials: new Set<string>() },
  };
  await using server = await startHeldServer({ tap });
  await server.send("and?");
  await server.rests();
  assert.deepEqual(
    server.log.map((line) => line.split(":")[0]),
    ["on the disk", "ready", "asked"],
  );
});

test("a head start that nobody takes leaves nothing running", async () => {
  await using server = await startHeldServer({ isSilent: (prompt) => prompt.endsWith("and?") });
  const { chatId, log } = server;
  const read = (await server.foresee("and?")) ?? assert.fail("it is foreseen");
  const head = new TurnHeadStart(server.turn, read);
  await server.until("ready: hello, first, and?");
  await head.confirm();
  await server.until("asked: hello, first, and?");
  head.drop();
  await server.until("ended: hello, first, and?");
  assert.equal(await head.take(), null);
  assert.equal(log.length, 3);
  assert.equal((await server.world.row(chatId)).status, "waiting");
});

test("a message is answered when its call has left", async () => {
  await using server = await startHeldServer();
  server.before = () => server.until("ready: hello, first, and?");
  await server.send("and?");
  assert.equal(server.log.at(-1), "asked: hello, first, and?");
  await server.rests();
});

test("a message waits for no call that does not leave", async () => {
  await using server = await startHeldServer();
  const read = (await server.foresee("and?")) ?? assert.fail("it is foreseen");
  const { turn } = server;
  const begin = (doStream: LanguageModelV4["doStream"], clock = NEVER): TurnHeadStart => {
    const forTurn: typeof turn.models.forTurn = async (chat, request) => {
      const made = await turn.models.forTurn(chat, request);
      return made.ok ? ok({ ...made.value, model: { ...made.value.model, doStream } }) : made;
    };
    return new TurnHeadStart({ ...turn, clock, models: { ...turn.models, forTurn } }, read);
  };
  // Refused on its way, or never begun.
  await begin(() => Promise.reject(new Error("over its limit"))).confirm();
  const broken = { ...turn, clock: NEVER, toolsOf: () => Promise.reject(new Error("away")) };
  await new TurnHeadStart(broken, read).confirm();
  // On its way for long.
  const hanging = begin(() => new Promise(() => {}), systemClock);
  await hanging.confirm();
  hanging.drop();
});

/** No time passes. */
const NEVER: Clock = { ...systemClock, sleep: () => new Promise(() => {}) };
