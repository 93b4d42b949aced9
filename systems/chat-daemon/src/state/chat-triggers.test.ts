import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { chatWorld, must, SAYS, type ChatWorld } from "./chat-world-testkit.ts";

type Versions = {
  readonly snapshot_version: number;
  readonly history_version: number;
  readonly queue_version: number;
  readonly queue_length: number;
  readonly retry_state_version: number;
  readonly generation_attempt: number;
  readonly retry_state: unknown;
};

const RETRY = { attempt: 1, delay_ms: 1, error: "busy", retrying_at: "2026-01-01T00:00:00Z" };

test("messages that are inserted together have the version of their transaction", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  must(await world.machine.change(id, (chat) => chat.commitStep([SAYS, SAYS])));
  const { snapshot_version, history_version } = await versions(world, id);
  assert.equal(history_version, snapshot_version);
  const { rows } = await run(
    world,
    "select revision from chat_messages where chat_id = $1 order by id desc limit 2",
    id,
  );
  assert.deepEqual(rows, [{ revision: snapshot_version }, { revision: snapshot_version }]);
});

test("a history that changes begins anew: no attempts, no waits", async () => {
  await using world = await chatWorld();
  const id = await chatWaitingForRetry(world);
  const waiting = await versions(world, id);
  assert.equal(waiting.generation_attempt, 1);
  assert.equal(waiting.retry_state_version, waiting.snapshot_version);
  must(await world.machine.change(id, (chat) => chat.commitStep([SAYS])));
  const anew = await versions(world, id);
  assert.equal(anew.generation_attempt, 0);
  assert.equal(anew.retry_state, null);
  assert.equal(anew.retry_state_version, anew.snapshot_version);
});

test("a statement may begin the history itself, with no attempt or the first of a chat that runs", async () => {
  await using world = await chatWorld();
  const id = await chatWaitingForRetry(world);
  const begins = (set: string, by = 1): string => `
    update chats set snapshot_version = snapshot_version + ${by}, history_version = snapshot_version + 1, ${set}
    where id = $1`;
  const before = await versions(world, id);
  for (const { statement, reason } of [
    { statement: begins("generation_attempt = 2"), reason: /first of a chat that runs/ },
    { statement: begins("generation_attempt = -1"), reason: /first of a chat that runs/ },
    {
      statement: begins("generation_attempt = 1, status = 'waiting'"),
      reason: /first of a chat that runs/,
    },
    { statement: begins("generation_attempt = 0", 0), reason: /its triggers/ },
    {
      statement:
        "update chats set history_version = snapshot_version, generation_attempt = 0 where id = $1",
      reason: /its triggers/,
    },
  ]) {
    await assert.rejects(run(world, statement, id), reason, statement);
    assert.deepEqual(await versions(world, id), before);
  }
  await run(world, begins("generation_attempt = 1"), id);
  const begun = await versions(world, id);
  assert.deepEqual([begun.generation_attempt, begun.retry_state], [1, null]);
  const { snapshot_version: version } = begun;
  assert.deepEqual([begun.history_version, begun.retry_state_version], [version, version]);
  // A message behind it belongs to it: the attempt stays.
  await run(
    world,
    "insert into chat_messages (chat_id, created_at, role, content) values ($1, now(), 'assistant', '[]')",
    id,
  );
  assert.deepEqual(await versions(world, id), begun);
});

test("another attempt ends the wait for it", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  must(await world.machine.change(id, (chat) => chat.recordRetryState(RETRY)));
  must(await world.machine.change(id, (chat) => chat.recordGenerationAttempt()));
  const { retry_state, retry_state_version, snapshot_version } = await versions(world, id);
  assert.deepEqual([retry_state, retry_state_version], [null, snapshot_version]);
});

test("an update that changes nothing leaves every version", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  must(
    await world.machine.change(id, async (chat) => {
      await chat.recordGenerationAttempt();
      return chat.recordRetryState(RETRY);
    }),
  );
  await run(world, "update chats set snapshot_version = snapshot_version + 1 where id = $1", id);
  const before = await versions(world, id);
  assert.deepEqual(before.retry_state, RETRY);
  for (const statement of [
    "update chat_messages set role = role, deleted = deleted where chat_id = $1",
    "update chat_queued_messages set content = content, position = position where chat_id = $1",
    "update chats set retry_state = retry_state where id = $1",
    "update chats set generation_attempt = generation_attempt, status = status where id = $1",
  ]) {
    await run(world, statement, id);
    assert.deepEqual(await versions(world, id), before, statement);
  }
});

test("soft deletion changes the history, and only of what was not deleted", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  await run(world, "update chats set snapshot_version = snapshot_version + 1 where id = $1", id);
  await run(world, "update chat_messages set deleted = true where chat_id = $1", id);
  const { snapshot_version, history_version } = await versions(world, id);
  assert.equal(history_version, snapshot_version);
  const { rows } = await run(
    world,
    "select distinct revision from chat_messages where chat_id = $1",
    id,
  );
  assert.deepEqual(rows, [{ revision: snapshot_version }]);
});

test("each kind of change of the queue has its version, and its length is counted", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  const stranger = randomUUID();
  await world.database.pool.query(
    `insert into users (id, email, username, status, created_at, updated_at)
     values ($1, $2, $2, 'active', now(), now())`,
    [stranger, stranger],
  );
  for (const { statement, isNews, length } of [
    { statement: "update chat_queued_messages set content = '[1]'", isNews: true, length: 1 },
    { statement: "update chat_queued_messages set position = 9", isNews: true, length: 1 },
    {
      statement: `update chat_queued_messages set model_config_id = '${world.modelConfigId}'`,
      isNews: true,
      length: 1,
    },
    {
      statement: `update chat_queued_messages set created_by = '${stranger}'`,
      isNews: true,
      length: 1,
    },
    { statement: "update chat_queued_messages set api_key_id = null", isNews: false, length: 1 },
    {
      statement: `insert into chat_queued_messages (chat_id, created_at, created_by, content, position)
        select chat_id, created_at, created_by, content, n from chat_queued_messages, generate_series(1, 3) n`,
      isNews: true,
      length: 4,
    },
    { statement: "delete from chat_queued_messages", isNews: true, length: 0 },
  ]) {
    await run(world, "update chats set snapshot_version = snapshot_version + 1 where id = $1", id);
    await world.database.pool.query(statement);
    const { queue_version, queue_length, snapshot_version } = await versions(world, id);
    assert.equal(queue_version === snapshot_version, isNews, statement);
    assert.equal(queue_length, length, statement);
  }
});

test("what belongs to triggers is not assigned by hand", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  const other = await world.chatIn("R0");
  for (const { statement, reason } of [
    { statement: "update chats set history_version = 99 where id = $1", reason: /its triggers/ },
    { statement: "update chats set queue_version = 99 where id = $1", reason: /its triggers/ },
    { statement: "update chats set queue_length = 9 where id = $1", reason: /its triggers/ },
    {
      statement: "update chats set retry_state_version = 99 where id = $1",
      reason: /its triggers/,
    },
    {
      statement: "update chats set snapshot_version = snapshot_version + 2 where id = $1",
      reason: /one at a time/,
    },
    {
      statement: "update chats set snapshot_version = snapshot_version - 1 where id = $1",
      reason: /one at a time/,
    },
    {
      statement: "update chat_messages set revision = 99 where chat_id = $1",
      reason: /revision belongs/,
    },
    {
      statement: `insert into chat_messages (chat_id, created_at, role, content, revision)
        values ($1, now(), 'user', '[]', 1)`,
      reason: /revision belongs/,
    },
    {
      statement: `update chat_messages set chat_id = '${other.id}' where chat_id = $1`,
      reason: /stays in its chat/,
    },
  ]) {
    const before = await versions(world, id);
    await assert.rejects(run(world, statement, id), reason, statement);
    assert.deepEqual(await versions(world, id), before);
  }
});

test("an API key that is deleted takes its name off messages without a new version", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  const before = await versions(world, id);
  await world.database.pool.query("delete from api_keys");
  assert.deepEqual(await versions(world, id), before);
  const { rows } = await run(
    world,
    "select distinct api_key_id from chat_messages where chat_id = $1",
    id,
  );
  assert.deepEqual(rows, [{ api_key_id: null }]);
});

test("a chat that is deleted takes its messages, its queue and its files along", async () => {
  await using world = await chatWorld();
  const file = await world.addFile();
  const { id } = await world.chatIn("R1");
  const content = [{ type: "file" as const, media_type: "text/plain", file_id: file }];
  must(
    await world.machine.change(id, (chat) =>
      chat.sendMessage(world.user("", { content }), "queue"),
    ),
  );
  await run(world, "delete from chats where id = $1", id);
  for (const table of ["chat_messages", "chat_queued_messages", "chat_file_links", "chat_files"]) {
    const { rows } = await world.database.pool.query(`select 1 from ${table}`);
    assert.equal(rows.length, 0, table);
  }
});

/** After its first attempt. */
async function chatWaitingForRetry(world: ChatWorld): Promise<string> {
  const { id } = await world.chatIn("R0");
  must(
    await world.machine.change(id, async (chat) => {
      await chat.recordGenerationAttempt();
      return chat.recordRetryState(RETRY);
    }),
  );
  return id;
}

async function versions(world: ChatWorld, chatId: string): Promise<Versions> {
  const { rows } = await run(
    world,
    `select snapshot_version, history_version, queue_version, queue_length, retry_state_version,
       generation_attempt, retry_state from chats where id = $1`,
    chatId,
  );
  return rows[0] as Versions;
}

async function run(world: ChatWorld, statement: string, chatId: string) {
  return world.database.pool.query<Record<string, unknown>>(statement, [chatId]);
}
