/** Recorders of several threads of one server, as one thread plays them here, on a real database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { createMetrics } from "@atelier/host/metrics";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { endOf, startOf, tokensOf, toolCall } from "./ai-usage/interception-samples-testkit.ts";
import { createOpenRecordsMemory } from "./ai-usage/open-records.ts";
import type { EmittedToolCalls } from "./ai-usage/record-writer-actions.ts";
import { RecorderElsewhere, recordingElsewhere } from "./recorder-elsewhere.ts";

const SERVER = {
  clock: systemClock,
  log: silentLogger,
  replicaId: "00000001-0000-4000-8000-000000000000",
  logRecords: false,
};
const NEVER = new AbortController().signal;

/** Everybody hears what the others tell. */
class Table {
  readonly #listeners: ((emitted: EmittedToolCalls) => void)[] = [];

  seat() {
    let own: (emitted: EmittedToolCalls) => void = () => {};
    return {
      tell: (emitted: EmittedToolCalls) => {
        for (const listener of this.#listeners) if (listener !== own) listener(emitted);
      },
      onTold: (listener: (emitted: EmittedToolCalls) => void) => {
        own = listener;
        this.#listeners.push(listener);
      },
    };
  }
}

function recorderOn(
  database: Pick<TestDatabase, "pool">,
  table: Table,
  openRecords = createOpenRecordsMemory(),
) {
  const metrics = createMetrics();
  return new RecorderElsewhere({ ...SERVER, database, metrics, peers: table.seat(), openRecords });
}

/** A pool whose statements reach the database only after something else. */
function held({ pool }: TestDatabase, until: () => Promise<void>): TestDatabase["pool"] {
  const query = async (...args: unknown[]): Promise<unknown> => {
    await until();
    return (pool.query as (...all: unknown[]) => unknown).apply(pool, args);
  };
  return new Proxy(pool, {
    get: (target, name) => (name === "query" ? query : (Reflect.get(target, name) as unknown)),
  });
}

test("a tool's result finds its call in another thread before the database has it", async () => {
  await using database = await testDatabase();
  const table = new Table();
  await using one = recorderOn(database, table);
  await using other = recorderOn(database, table);
  const first = startOf();
  await one.start(first);
  one.end(endOf(first, { toolCalls: [toolCall("t1")] }));
  const second = startOf({ correlatingToolCallId: "t1" });
  await other.start(second);
  await one.drain(NEVER);
  const { rows } = await database.pool.query(
    "select thread_parent_id, session_id from ai_interceptions where id = $1",
    [second.id],
  );
  assert.deepEqual(rows, [{ thread_parent_id: first.id, session_id: first.id }]);
});

test("what a dead thread has left open is ended once, also a start that was on its way", async () => {
  await using database = await testDatabase();
  const table = new Table();
  const memory = createOpenRecordsMemory();
  let isSlow = Promise.resolve();
  await using dead = recorderOn({ pool: held(database, () => isSlow) }, table, memory);
  await using living = recorderOn(database, table);
  const [open, written, late] = [startOf(), startOf(), startOf()];
  await dead.start(open);
  await dead.start(written);
  dead.end(endOf(written, { tokens: [tokensOf(10)] }));
  await dead.drain(NEVER);
  const { promise, resolve: arrive } = Promise.withResolvers<void>();
  isSlow = promise;
  const starting = dead.start(late);
  const clock = new FakeClock();
  const elsewhere = recordingElsewhere({ ...SERVER, clock, database, recorder: living });
  const ended = elsewhere.endLeft(memory, NEVER);
  await living.drain(NEVER);
  arrive();
  await starting;
  await clock.advance(60_000);
  await ended;
  const { rows } = await database.pool.query<{ id: string; error: string | null; usages: number }>(
    `select id, error_type as error,
      (select count(*)::int from ai_token_usages t where t.interception_id = i.id) as usages
    from ai_interceptions i where ended_at is not null`,
  );
  const found = new Map(rows.map(({ id, ...rest }) => [id, rest]));
  assert.deepEqual(found.get(written.id), { error: null, usages: 1 });
  assert.deepEqual(found.get(open.id), { error: "unknown", usages: 0 });
  assert.deepEqual(found.get(late.id), { error: "unknown", usages: 0 });
});
