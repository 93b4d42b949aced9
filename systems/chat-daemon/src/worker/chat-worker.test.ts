import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { newClient, openDatabase } from "@atelier/database/database";
import { startPubSub } from "@atelier/database/pub-sub";
import { listQueuedForCapacity, type ChatLimits } from "../state/acquisition-store.ts";
import { createChatMachine } from "../state/chat-machine-actions.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { findChat } from "../state/chat-store.ts";
import { LEASE_MS } from "../state/lease.ts";
import { chatWorld, must, SAYS, type ChatWorld } from "../state/chat-world-testkit.ts";
import { startChatWorker, UNLIMITED_CHATS, type ChatWorker } from "./chat-worker-task.ts";
import type { RunnerTaskContext, RunnerTasks } from "./runner-tasks.ts";

const SOON_MS_MAX = 60_000;

test("a chat is driven from its first message to its rest, and then belongs to nobody", async () => {
  await using world = await chatWorld();
  await using _server = startServer(world, ANSWERS);
  const { chat } = must(await world.machine.create(world.newChat()));
  await until(async () => {
    const row = await read(world, chat.id);
    return row.status === "waiting" && row.runnerId === null;
  });
  must(
    await world.machine.change(chat.id, (locked) =>
      locked.sendMessage(world.user("more"), "queue"),
    ),
  );
  await until(async () => {
    const row = await read(world, chat.id);
    return row.status === "waiting" && row.runnerId === null && row.fence === 2;
  });
});

test("interrupted work is finished by the runner, and what waited is done next", async () => {
  await using world = await chatWorld();
  const generations: string[] = [];
  await using _server = startServer(world, {
    runGeneration: async (context) => {
      generations.push(`${context.historyVersion}`);
      if (generations.length === 1) await aborted(context.signal);
      else await ANSWERS.runGeneration(context);
    },
    runInterrupt: ANSWERS.runInterrupt,
  });
  const { chat } = must(await world.machine.create(world.newChat()));
  await until(async () => Promise.resolve(generations.length === 1));
  must(
    await world.machine.change(chat.id, (locked) =>
      locked.sendMessage(world.user("rather this"), "interrupt"),
    ),
  );
  await until(async () => (await read(world, chat.id)).status === "waiting");
  const roles = await rolesOf(world, chat.id);
  assert.deepEqual(roles, ["user", "assistant", "user", "assistant"]);
});

test("work that is interrupted while nobody drives it comes to rest when somebody does", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R1");
  must(await world.machine.change(id, (chat) => chat.interrupt("stop")));
  const unowned = await read(world, id);
  assert.deepEqual([unowned.status, unowned.runnerId], ["interrupting", null]);
  const tasks: string[] = [];
  await using _server = startServer(world, {
    runGeneration: async (context) => {
      tasks.push("generation");
      await ANSWERS.runGeneration(context);
    },
    runInterrupt: async (context) => {
      tasks.push("interruption");
      await ANSWERS.runInterrupt(context);
    },
  });
  await until(async () => {
    const { status, runnerId } = await read(world, id);
    return status === "waiting" && runnerId === null;
  });
  assert.deepEqual(tasks, ["interruption", "generation"]);
});

test("a chat of a server that died is taken by another within 10 seconds, and its late writes are refused", async () => {
  await using world = await chatWorld();
  const zombies: RunnerTaskContext[] = [];
  await using dying = startServer(world, {
    ...ANSWERS,
    runGeneration: async (context) => {
      zombies.push(context);
      await aborted(context.signal);
    },
  });
  const { chat } = must(await world.machine.create(world.newChat()));
  await until(async () => Promise.resolve(zombies.length === 1));
  await dying.kill();
  const startedMs = systemClock.monotonicMs();
  await using _heir = startServer(world, ANSWERS);
  await until(async () => (await read(world, chat.id)).status === "waiting");
  // The lease, a look for chats, and what a busy machine adds.
  assert.ok(systemClock.monotonicMs() - startedMs <= LEASE_MS + 4_000);
  const before = await rolesOf(world, chat.id);
  const [zombie] = zombies;
  assert.ok(zombie !== undefined);
  const late = await world.machine.commitStepFenced(chat.id, zombie, [SAYS]);
  assert.deepEqual(late, { ok: false, failure: { kind: "stale" } });
  assert.deepEqual(await rolesOf(world, chat.id), before);
  assert.ok((await read(world, chat.id)).fence > zombie.fence);
});

test("a server that hangs in a transaction has let go of its chats when its lease ends", async () => {
  await using world = await chatWorld();
  const { rows } = await world.database.pool.query<{ setting: string }>(
    "select setting from pg_settings where name = 'idle_in_transaction_session_timeout'",
  );
  const limitMs = Number(rows[0]?.setting);
  assert.ok(0 < limitMs && limitMs < LEASE_MS, `${limitMs} ms`);
});

test("a server that stops gives its chats to the others at once", async () => {
  await using world = await chatWorld();
  await using first = startServer(world, { ...ANSWERS, runGeneration: waits });
  const chats = await Promise.all(
    Array.from({ length: 12 }, async () => must(await world.machine.create(world.newChat())).chat),
  );
  await until(async () => Promise.resolve(first.worker.runnersCount === chats.length));
  await using _second = startServer(world, ANSWERS);
  const startedMs = systemClock.monotonicMs();
  await first.worker[Symbol.asyncDispose]();
  await until(async () => {
    const rows = await Promise.all(chats.map(({ id }) => read(world, id)));
    return rows.every(({ status }) => status === "waiting");
  });
  assert.ok(systemClock.monotonicMs() - startedMs < LEASE_MS, "nobody waited for its lease to end");
});

test("each chat has one runner, however many servers look for it", async () => {
  await using world = await chatWorld();
  const seen = new Map<string, number>();
  const tasks: RunnerTasks = {
    ...ANSWERS,
    runGeneration: async (context) => {
      seen.set(context.chatId, (seen.get(context.chatId) ?? 0) + 1);
      await ANSWERS.runGeneration(context);
    },
  };
  await using _one = startServer(world, tasks);
  await using _two = startServer(world, tasks);
  const chats = await Promise.all(
    Array.from({ length: 30 }, async () => must(await world.machine.create(world.newChat())).chat),
  );
  await until(async () => {
    const rows = await Promise.all(chats.map(({ id }) => read(world, id)));
    return rows.every(({ runnerId, status }) => runnerId === null && status === "waiting");
  });
  for (const { id } of chats) {
    assert.deepEqual(await rolesOf(world, id), ["user", "assistant"]);
    assert.equal((await read(world, id)).fence, 1);
  }
});

test("a chat that is driven for long stays with its server", async () => {
  await using world = await chatWorld();
  await using first = startServer(world, { ...ANSWERS, runGeneration: waits });
  const { chat } = must(await world.machine.create(world.newChat()));
  await until(async () => Promise.resolve(first.worker.runnersCount === 1));
  await using second = startServer(world, { ...ANSWERS, runGeneration: waits });
  const { pool } = world.database;
  for (let beats = 0; beats < 2; beats += 1) {
    // Most of the lease has passed by the database's clock: the next beat renews it.
    await pool.query(
      "update chat_heartbeats set heartbeat_at = heartbeat_at - interval '5 seconds'",
    );
    await until(async () => {
      const { rows } = await pool.query(
        "select 1 from chat_heartbeats where heartbeat_at > now() - interval '1 second'",
      );
      return rows.length > 0;
    });
  }
  assert.deepEqual([first.worker.runnersCount, second.worker.runnersCount], [1, 0]);
  assert.equal((await read(world, chat.id)).fence, 1);
});

test("a task that fails is repeated, and one that ends without progress too", async () => {
  await using world = await chatWorld();
  let attempts = 0;
  await using _server = startServer(world, {
    ...ANSWERS,
    runGeneration: async (context) => {
      attempts += 1;
      if (attempts === 1) throw new Error("no idea");
      if (attempts > 2) await ANSWERS.runGeneration(context);
    },
  });
  const { chat } = must(await world.machine.create(world.newChat()));
  await until(async () => (await read(world, chat.id)).status === "waiting");
  assert.equal(attempts, 3);
});

test("while the database is away nothing ends, and then all goes on", async () => {
  await using world = await chatWorld();
  const seen: string[] = [];
  await using server = startServer(world, {
    ...ANSWERS,
    runGeneration: async (context) => {
      seen.push(context.runnerId);
      if (seen.length === 1) await letNobodyIn(world, true);
      await ANSWERS.runGeneration(context);
    },
  });
  const { chat } = must(await world.machine.create(world.newChat()));
  // Refused several times by a database that is away, by the same runner.
  await until(async () => Promise.resolve(seen.length >= 3));
  await letNobodyIn(world, false);
  await until(async () => (await read(world, chat.id)).status === "waiting");
  assert.equal(new Set(seen).size, 1);
  const next = must(await world.machine.create(world.newChat())).chat;
  await until(async () => (await read(world, next.id)).status === "waiting");
  await until(async () => Promise.resolve(server.worker.runnersCount === 0));
});

test("a chat that is deleted ends its runner", async () => {
  await using world = await chatWorld();
  await using server = startServer(world, { ...ANSWERS, runGeneration: waits });
  const { chat } = must(await world.machine.create(world.newChat()));
  await until(async () => Promise.resolve(server.worker.runnersCount === 1));
  await world.database.pool.query("delete from chats where id = $1", [chat.id]);
  await until(async () => Promise.resolve(server.worker.runnersCount === 0));
});

test("a client that does not answer in time is not waited for", async () => {
  await using world = await chatWorld();
  const chat = await world.chatIn("A0");
  await world.database.pool.query(
    "update chats set requires_action_deadline_at = now() where id = $1",
    [chat.id],
  );
  await using _server = startServer(world, ANSWERS);
  await until(async () => (await read(world, chat.id)).status === "waiting");
  const roles = await rolesOf(world, chat.id);
  assert.deepEqual(roles.slice(-2), ["tool", "assistant"]);
});

test("places are limited, owners take turns, and who waits is told so", async () => {
  await using world = await chatWorld();
  const limits: ChatLimits = { topLevelMax: 2, subagentsMax: null };
  const other = await addOwner(world);
  const mine: ChatRow[] = [];
  for (let count = 0; count < 4; count += 1) {
    mine.push(must(await world.machine.create(world.newChat())).chat);
  }
  const theirs = must(await world.machine.create(world.newChat({ ownerId: other }))).chat;
  await using server = startServer(world, { ...ANSWERS, runGeneration: waits }, limits);
  await until(async () => Promise.resolve(server.worker.runnersCount === 2));
  const runs = async (id: string) => (await read(world, id)).runnerId !== null;
  assert.deepEqual([await runs(mine[0]?.id ?? ""), await runs(theirs.id)], [true, true]);
  const { sql } = world.database;
  const asked = [mine[1]?.id ?? "", theirs.id];
  assert.deepEqual([...(await listQueuedForCapacity(sql, asked, limits))], [mine[1]?.id]);
  assert.equal((await listQueuedForCapacity(sql, asked, UNLIMITED_CHATS)).size, 0);
  // Stopping needs no place.
  must(await world.machine.change(mine[3]?.id ?? "", (chat) => chat.interrupt("stop")));
  await until(async () => (await read(world, mine[3]?.id ?? "")).status === "waiting");
  assert.equal(await runs(mine[1]?.id ?? ""), false);
  // A place that is left goes to who waits longest.
  must(await world.machine.change(theirs.id, (chat) => chat.interrupt("stop")));
  await until(() => runs(mine[1]?.id ?? ""));
  assert.equal(await runs(mine[2]?.id ?? ""), false);
});

const ANSWERS: RunnerTasks = {
  runGeneration: async (context) => {
    await context.machine.changeFenced(context.chatId, context, async (chat) => {
      const committed = await chat.commitStep([SAYS]);
      return committed.ok ? chat.finishTurn() : committed;
    });
  },
  runInterrupt: async (context) => {
    await context.machine.changeFenced(context.chatId, context, (chat) =>
      chat.finishInterruption([SAYS]),
    );
  },
};

async function waits({ signal }: RunnerTaskContext): Promise<void> {
  await aborted(signal);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

type Server = AsyncDisposable & {
  readonly worker: ChatWorker;
  /** As if the process ended: nothing is given back, and nothing reaches the database any more. */
  readonly kill: () => Promise<void>;
};

function startServer(world: ChatWorld, tasks: RunnerTasks, limits?: ChatLimits): Server {
  const { connection } = world.database;
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const applicationName = "chat worker test";
  const database = openDatabase({
    ...{ connection, applicationName, connectionsMax: 4, log: silentLogger },
  });
  const pubSub = startPubSub({ connection, applicationName }, deps);
  const machine = createChatMachine({ database, clock: systemClock });
  const worker = startChatWorker({ ...deps, database, pubSub, machine, tasks }, limits);
  const kill = async (): Promise<void> => {
    await database[Symbol.asyncDispose]();
    await pubSub[Symbol.asyncDispose]();
  };
  return {
    worker,
    kill,
    [Symbol.asyncDispose]: async () => {
      await worker[Symbol.asyncDispose]();
      await kill();
    },
  };
}

async function read(world: ChatWorld, chatId: string): Promise<ChatRow> {
  return (await findChat(world.database.sql, chatId)) ?? assert.fail("the chat is there");
}

async function rolesOf(world: ChatWorld, chatId: string): Promise<string[]> {
  const { rows } = await world.database.pool.query<{ role: string }>(
    "select role from chat_messages where chat_id = $1 and not deleted order by id",
    [chatId],
  );
  return rows.map(({ role }) => role);
}

/** As a server whose database restarts: connections break, and new ones are refused. */
async function letNobodyIn({ database }: ChatWorld, isAway: boolean): Promise<void> {
  const { connection } = database;
  const client = newClient({ ...connection, database: "postgres" }, "chat worker test");
  await client.connect();
  await client.query(`alter database ${connection.database} allow_connections ${String(!isAway)}`);
  if (isAway) {
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
      [connection.database],
    );
  }
  await client.end();
}

async function addOwner(world: ChatWorld): Promise<string> {
  const id = systemRandom.uuid();
  await world.database.pool.query(
    `insert into users (id, email, username, status, created_at, updated_at)
     values ($1, $2, $2, 'active', now(), now())`,
    [id, id],
  );
  return id;
}

/** Other processes move the state: it is asked for until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(SOON_MS_MAX);
  while (!(await isSo())) await systemClock.sleep(20, deadline);
}
