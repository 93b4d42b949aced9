/** What a turn reads of a chat that has been going on for long: its end, and what is new. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { systemClock } from "@atelier/base/system-clock";
import { readView } from "../chat-stream/chat-view-store.ts";
import { createChatMachine } from "./chat-machine-actions.ts";
import type { OwnWorker } from "./chat-machine.ts";
import type { ChatRow } from "./chat-row.ts";
import { findChat } from "./chat-store.ts";
import { chatWorld, must, SAYS, type ChatWorld } from "./chat-world-testkit.ts";
import { markRead } from "./chat-metadata-store.ts";

const MESSAGES = 2_000;
/** Rows of a turn, read by its statements, triggers and viewers; a whole history is ten times as much. */
const READ_MAX = 200;

test("a turn of a long chat reads no more of it than one of a short chat", async () => {
  await using world = await chatWorld();
  const { database } = world;
  const chat = await longChat(world);
  const workerId = randomUUID();
  const ownWorker: OwnWorker = {
    taking: async (_chatId, send) => send({ workerId, runnerId: randomUUID() }),
    hear: () => {},
    stepping: (_runnerId, commit) => commit(),
  };
  const machine = createChatMachine({ database, clock: systemClock, ownWorker });
  const turn = async (): Promise<void> => {
    const held = await read(world, chat.id);
    assert.ok(
      await machine.sendAtRest(chat.id, world.user("and?"), { conditions: [], writes: [] }),
    );
    const taken = await read(world, chat.id);
    const fence = { ...leaseOf(taken), historyVersion: taken.historyVersion, status: taken.status };
    must(await machine.beginFenced(chat.id, fence, null));
    must(await machine.commitStepFenced(chat.id, fence, [SAYS]));
    const view = { chatId: chat.id, historyVersion: held.historyVersion, queueVersion: 0 };
    assert.equal((await readView(database, { ...view, afterId: 0 }))?.messages.length, 2);
    const stepped = await read(world, chat.id);
    must(
      await machine.changeFenced(
        chat.id,
        { ...fence, historyVersion: stepped.historyVersion },
        (locked) => locked.finishTurn(),
      ),
    );
    must(await machine.abandonFenced(chat.id, { ...fence, ...(await asItIs(world, chat.id)) }));
    await markRead(database.sql, { chatId: chat.id, ownerId: world.ownerId });
  };
  // As a server has it that knows the history, of a database that knows its tables.
  await turn();
  await database.pool.query("analyze");
  await turn();
  const before = await rowsRead(world);
  await turn();
  const rows = (await rowsRead(world)) - before;
  assert.ok(rows > 0 && rows < READ_MAX, `${rows} rows of ${MESSAGES}`);
});

async function longChat(world: ChatWorld): Promise<ChatRow> {
  const running = await world.chatIn("R0");
  const said = Array.from({ length: MESSAGES }, () => SAYS);
  must(await world.machine.change(running.id, (chat) => chat.commitStep(said)));
  must(await world.machine.change(running.id, (chat) => chat.finishTurn()));
  return read(world, running.id);
}

async function read(world: ChatWorld, id: string): Promise<ChatRow> {
  return (await findChat(world.database.sql, id)) ?? assert.fail("the chat is there");
}

async function asItIs(
  world: ChatWorld,
  id: string,
): Promise<Pick<ChatRow, "historyVersion" | "status">> {
  const { historyVersion, status } = await read(world, id);
  return { historyVersion, status };
}

function leaseOf({ workerId, runnerId }: ChatRow): { workerId: string; runnerId: string } {
  return { workerId: workerId ?? "", runnerId: runnerId ?? "" };
}

/** Each connection tells what it has read when it is asked to, or some time after it has come to rest. */
async function rowsRead({ database: { pool } }: ChatWorld): Promise<number> {
  const all = Array.from({ length: pool.totalCount }, () =>
    pool.query("select pg_stat_force_next_flush(), pg_sleep(0.1)"),
  );
  await Promise.all(all);
  const { rows } = await pool.query<{ rows: string }>(
    `select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows
     from pg_stat_user_tables where relname = 'chat_messages'`,
  );
  return Number(rows[0]?.rows);
}
