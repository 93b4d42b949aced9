import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fail } from "@atelier/base/result";
import { chatWorld, must, SAYS, type ChatWorld } from "./chat-world-testkit.ts";
import { beat, deleteEndedLeases, isLeaseAlive } from "./heartbeat-store.ts";
import { listQueued } from "./queue-store.ts";
import { findChat } from "./chat-store.ts";
import type { ChatRow } from "./chat-row.ts";

test("messages that are sent at once all arrive, one after another", async () => {
  await using world = await chatWorld({ queueMax: 20 });
  const { id, snapshotVersion } = await world.chatIn("W");
  const sent = await Promise.all(
    Array.from({ length: 25 }, (_, at) =>
      world.machine.change(id, (chat) => chat.sendMessage(world.user(`${at}`), "queue")),
    ),
  );
  const kinds = sent.map((each) => (each.ok ? each.value.kind : "refused"));
  assert.equal(kinds.filter((kind) => kind === "inserted").length, 1);
  assert.equal(kinds.filter((kind) => kind === "queued").length, 20);
  const chat = await read(world, id);
  assert.deepEqual(
    [chat.status, chat.queueLength, chat.snapshotVersion],
    ["running", 20, snapshotVersion + 21],
  );
  const positions = (await listQueued(world.database.sql, id)).map(({ position }) => position);
  assert.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(positions).size, 20);
});

test("one message is promoted once, however many ask", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("E1");
  const [queued] = await listQueued(world.database.sql, id);
  const asked = await Promise.all(
    Array.from({ length: 8 }, () =>
      world.machine.change(id, (chat) => chat.promoteQueuedMessage(queued?.id ?? -1)),
    ),
  );
  assert.equal(asked.filter(({ ok }) => ok).length, 1);
  const { rows } = await world.database.pool.query(
    "select 1 from chat_messages where chat_id = $1 and content::text like '%queued%'",
    [id],
  );
  assert.equal(rows.length, 1);
});

test("edits, sends and interrupts at once leave one of the thirteen states", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  const { rows } = await world.database.pool.query<{ id: number }>(
    "select id from chat_messages where chat_id = $1 and role = 'user'",
    [id],
  );
  const first = rows[0]?.id ?? -1;
  await Promise.all(
    Array.from({ length: 24 }, (_, at) =>
      world.machine.change<unknown, unknown>(id, (chat) => {
        if (at % 4 === 0) return chat.editMessage(first, world.user(`edit ${at}`));
        if (at % 4 === 1) return chat.sendMessage(world.user(`send ${at}`), "interrupt");
        if (at % 4 === 2) return chat.interrupt("stop");
        return chat.finishInterruption([SAYS]);
      }),
    ),
  );
  const chat = await read(world, id);
  const queue = await listQueued(world.database.sql, id);
  assert.equal(chat.queueLength, queue.length);
  assert.notEqual(chat.status === "waiting" && queue.length > 0, true);
  const { rows: kept } = await world.database.pool.query<{ revision: number }>(
    "select max(revision) as revision from chat_messages where chat_id = $1",
    [id],
  );
  assert.equal(kept[0]?.revision, chat.historyVersion);
});

test("a family that is archived while a child is begun has no child that works on", async () => {
  await using world = await chatWorld();
  const outcomes = new Set<string>();
  for (let round = 0; round < 12; round += 1) {
    const root = await world.chatIn("W");
    const family = { parentChatId: root.id, rootChatId: root.id, dynamicTools: null };
    const create = () => world.machine.create(world.newChat(family));
    const archive = () => world.machine.setFamilyArchived(root.id, true);
    // Whoever asks first is a little ahead.
    const asked = round % 2 === 0 ? [create(), archive()] : [archive(), create()];
    const [first, second] = await Promise.all(asked);
    assert.notEqual(first?.ok, second?.ok, "one of them is refused");
    const refused = first?.ok === true ? second : first;
    assert.ok(refused !== undefined && !refused.ok);
    outcomes.add(refused.failure.kind);
    const { rows } = await world.database.pool.query<{ archived: boolean }>(
      "select archived from chats where id = $1 or root_chat_id = $1",
      [root.id],
    );
    assert.equal(new Set(rows.map(({ archived }) => archived)).size, 1);
  }
  assert.ok(outcomes.isSubsetOf(new Set(["parent_archived", "family_busy"])), [...outcomes].join());
});

test("of two servers one takes a chat", async () => {
  await using world = await chatWorld();
  for (let round = 0; round < 10; round += 1) {
    const { id } = await world.chatIn("R0");
    const owners = Array.from({ length: 6 }, () => ({
      workerId: randomUUID(),
      runnerId: randomUUID(),
    }));
    const taken = await Promise.all(owners.map((owner) => world.machine.acquire(id, owner)));
    const winners = taken.filter((row) => row !== null);
    assert.equal(winners.length, 1);
    const { runnerId, workerId, fence } = await read(world, id);
    assert.deepEqual([runnerId, workerId], [winners[0]?.runnerId, winners[0]?.workerId]);
    assert.equal(fence, 1);
  }
});

test("a chat is taken when its lease has ended, and its former runner's writes are refused", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  const [old, heir] = [newOwner(), newOwner()];
  const first = (await world.machine.acquire(id, old)) ?? assert.fail("it is free");
  const lease = { chatId: id, runnerId: old.runnerId };
  assert.equal(await world.machine.acquire(id, heir), null);
  await age(world, 8);
  assert.equal(await world.machine.acquire(id, heir), null);
  await beat(world.database.sql, [lease]);
  await age(world, 8);
  assert.equal(await isLeaseAlive(world.database.sql, lease), true);
  await age(world, 2);
  assert.equal(await isLeaseAlive(world.database.sql, lease), false);
  const second = (await world.machine.acquire(id, heir)) ?? assert.fail("its lease has ended");
  assert.deepEqual(
    [second.fence, second.snapshotVersion, second.historyVersion],
    [first.fence + 1, first.snapshotVersion + 1, first.historyVersion],
  );
  const fence = {
    runnerId: old.runnerId,
    historyVersion: first.historyVersion,
    status: first.status,
  };
  const late = await world.machine.changeFenced(id, fence, (chat) => chat.commitStep([SAYS]));
  assert.deepEqual(late, fail({ kind: "stale" }));
  // A beat of the former runner is nobody's lease any more.
  await beat(world.database.sql, [lease]);
  assert.equal((await read(world, id)).runnerId, heir.runnerId);
  await age(world, 10);
  assert.equal(await deleteEndedLeases(world.database.sql), 2);
});

test("a chat that rests, is archived, or is just being changed is not taken", async () => {
  await using world = await chatWorld();
  for (const state of ["W", "E0", "E1", "XW", "XE1"] as const) {
    const { id } = await world.chatIn(state);
    assert.equal(await world.machine.acquire(id, newOwner()), null, state);
  }
  const { id } = await world.chatIn("R0");
  await world.machine.change(id, async (chat) => {
    assert.equal(await world.machine.acquire(id, newOwner()), null);
    return chat.recordGenerationAttempt();
  });
  assert.notEqual(await world.machine.acquire(id, newOwner()), null);
});

test("a server that dies in the middle of a transition has changed nothing", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  const rows = async () => {
    const { pool } = world.database;
    const chat = await read(world, id);
    const messages = await pool.query("select * from chat_messages where chat_id = $1", [id]);
    return { chat, messages: messages.rows, queue: await listQueued(world.database.sql, id) };
  };
  const before = await rows();
  const killed = world.machine.change(id, async (chat) => {
    must(await chat.commitStep([SAYS]));
    must(await chat.finishTurn());
    await world.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and state = 'idle in transaction'`,
    );
    return chat.commitStep([SAYS]);
  });
  await assert.rejects(killed);
  assert.deepEqual(await rows(), before);
  must(await world.machine.change(id, (chat) => chat.finishTurn()));
});

function newOwner() {
  return { workerId: randomUUID(), runnerId: randomUUID() };
}

/** Time passes for leases: they are the database's. */
async function age({ database }: ChatWorld, seconds: number): Promise<void> {
  await database.pool.query(
    "update chat_heartbeats set heartbeat_at = heartbeat_at - make_interval(secs => $1)",
    [seconds],
  );
}

async function read({ database }: ChatWorld, chatId: string): Promise<ChatRow> {
  return (await findChat(database.sql, chatId)) ?? assert.fail("the chat is there");
}
