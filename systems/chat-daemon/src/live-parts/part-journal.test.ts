/** Kept parts: written in groups, found again without gaps, and gone after hours. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { FakeClock } from "@atelier/testkit/fake-clock";
import type { Database } from "@atelier/database/database";
import { testDatabase } from "@atelier/testkit/test-database";
import fc from "fast-check";
import { sql } from "kysely";
import type { BufferedPart } from "./part-buffer.ts";
import { insertParts } from "./part-journal-store.ts";
import { PartJournal } from "./part-journal-actions.ts";
import { JOURNAL_BACKLOG_MAX, joinEntries, PartBacklog } from "./part-journal.ts";

const EPISODE = {
  chatId: "11111111-1111-4111-8111-111111111111",
  historyVersion: 3,
  generationAttempt: 1,
};

const UNFENCED = { log: silentLogger, workerId: () => null, kept: () => {} };

function part(seq: number): BufferedPart {
  return { seq, role: "assistant", part: { type: "text", text: `${seq} ` } };
}

describe("entries", () => {
  test("however cut, doubled and mixed, they join to the same parts", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.nat(39), fc.nat(10)), { maxLength: 20 }),
        (count, pieces) => {
          const parts = Array.from({ length: count }, (_, index) => part(index + 1));
          const entries = pieces
            .filter(([first]) => first < count)
            .map(([first, length]) => ({
              id: EPISODE,
              firstSeq: first + 1,
              parts: parts.slice(first, first + length + 1),
            }));
          const joined = joinEntries(entries);
          const held = new Set(entries.flatMap((entry) => entry.parts.map(({ seq }) => seq)));
          let expected = 0;
          while (held.has(expected + 1)) expected += 1;
          assert.deepEqual(joined, parts.slice(0, expected));
        },
      ),
    );
  });

  test("a full backlog takes no more, and is free again once taken", () => {
    const backlog = new PartBacklog();
    for (let seq = 1; seq <= JOURNAL_BACKLOG_MAX; seq += 1) backlog.add(EPISODE, part(seq));
    assert.equal(backlog.add(EPISODE, part(JOURNAL_BACKLOG_MAX + 1)), false);
    assert.equal(backlog.take().length, 1);
    assert.equal(backlog.add(EPISODE, part(JOURNAL_BACKLOG_MAX + 1)), true);
  });
});

describe("the journal", () => {
  test("writes what came within a moment at once, and the rest when it stops", async () => {
    await using database = await testDatabase();
    const clock = new FakeClock();
    const journal = new PartJournal({ database, clock, ...UNFENCED });
    const stop = new AbortController();
    const writing = journal.keepWriting(stop.signal);
    journal.add(EPISODE, part(1));
    journal.add(EPISODE, part(2));
    journal.add({ ...EPISODE, generationAttempt: 2 }, part(1));
    await until(async () => {
      await clock.advance(20);
      return (await journal.read(EPISODE)).length === 2;
    });
    journal.add(EPISODE, part(3));
    stop.abort(new Error("stopped"));
    await assert.rejects(writing, /stopped/);
    assert.deepEqual(
      await journal.read(EPISODE),
      [1, 2, 3].map((seq) => part(seq)),
    );
    assert.equal((await journal.read({ ...EPISODE, generationAttempt: 2 })).length, 1);
    assert.equal((await journal.read({ ...EPISODE, historyVersion: 4 })).length, 0);
  });

  test("writes at once what comes alone, and gathers what comes in a crowd", async () => {
    const { clock, groups, answers, journal, stop, writing } = heldJournal();
    journal.add(EPISODE, part(1));
    await turn();
    assert.equal(groups.length, 1, "nobody has to wait for others that may come");
    answers[0]?.();
    journal.add(EPISODE, part(2));
    await turn();
    await clock.advance(19);
    journal.add(EPISODE, part(3));
    assert.equal(groups.length, 1, "the next one comes a while after it");
    await clock.advance(1);
    assert.equal(groups.length, 2);
    assert.match(groups[1] ?? "", /2 .*3 /);
    journal.add(EPISODE, part(4));
    await clock.advance(25);
    assert.equal(groups.length, 2, "there is one write at a time");
    answers[1]?.();
    await turn();
    assert.equal(groups.length, 3, "and what waited for it has waited long enough");
    answers[2]?.();
    stop.abort(new Error("stopped"));
    await assert.rejects(writing, /stopped/);
  });

  test("does not let an episode's first parts wait for others, and takes these along", async () => {
    const { clock, groups, hurried, answers, journal, stop, writing } = heldJournal();
    journal.add(EPISODE, part(1));
    await turn();
    answers[0]?.();
    await turn();
    journal.add(EPISODE, part(2));
    await turn();
    assert.equal(groups.length, 1, "the next of the same answer waits");
    await clock.advance(5);
    const another = { ...EPISODE, chatId: "22222222-2222-4222-8222-222222222222" };
    journal.add(another, part(1));
    await turn();
    assert.equal(groups.length, 2, "another's first does not");
    assert.match(groups[1] ?? "", /2 .*1 /, "and nothing waits any more");
    journal.add(another, part(2));
    const third = { ...EPISODE, chatId: "33333333-3333-4333-8333-333333333333" };
    journal.add(third, part(1));
    await turn();
    assert.equal(groups.length, 2, "there is one write at a time");
    answers[1]?.();
    await turn();
    assert.equal(groups.length, 3, "what came during it is next at once");
    answers[2]?.();
    journal.add(third, part(2));
    await turn();
    await clock.advance(19);
    assert.equal(groups.length, 3, "the time of the next one counts from there");
    await clock.advance(1);
    assert.equal(groups.length, 4);
    assert.deepEqual(hurried, [true, true, true, false], "what begins waits for no disk");
    answers[3]?.();
    stop.abort(new Error("stopped"));
    await assert.rejects(writing, /stopped/);
  });

  test("stops also while it gathers, and writes what waits", async () => {
    const { groups, answers, journal, stop, writing } = heldJournal();
    journal.add(EPISODE, part(1));
    await turn();
    answers[0]?.();
    await turn();
    journal.add(EPISODE, part(2));
    await turn();
    stop.abort(new Error("stopped"));
    await turn();
    assert.equal(groups.length, 2);
    answers[1]?.();
    await assert.rejects(writing, /stopped/);
  });

  test("tries again while the database refuses, and loses nothing", async () => {
    await using database = await testDatabase();
    const clock = new FakeClock();
    const journal = new PartJournal({ database, clock, ...UNFENCED });
    const stop = new AbortController();
    await sql`alter table chat_message_parts rename to away`.execute(database.sql);
    const writing = journal.keepWriting(stop.signal);
    journal.add(EPISODE, part(1));
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(100);
      await database.sql.selectNoFrom(sql`1`.as("one")).execute();
    }
    await sql`alter table away rename to chat_message_parts`.execute(database.sql);
    journal.add(EPISODE, part(2));
    await until(async () => {
      await clock.advance(2_000);
      return (await journal.read(EPISODE)).length === 2;
    });
    stop.abort(new Error("stopped"));
    await assert.rejects(writing, /stopped/);
  });

  test("makes partitions for hours to come and drops those long gone", async () => {
    await using database = await testDatabase();
    const clock = new FakeClock();
    const journal = new PartJournal({ database, clock, ...UNFENCED });
    const hours = async (): Promise<string[]> =>
      (
        await sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
          where inhparent = 'chat_message_parts'::regclass order by name`.execute(database.sql)
      ).rows.map(({ name }) => name.replace("chat_message_parts_", ""));
    await journal.tidyHours();
    assert.deepEqual(await hours(), ["2026010100", "2026010101", "2026010102", "default"]);
    await clock.advance(6.5 * 3_600_000);
    await journal.tidyHours();
    assert.deepEqual(await hours(), [
      ...["2026010101", "2026010102", "2026010106", "2026010107", "2026010108"],
      "default",
    ]);
  });

  test("drops old rows that found no partition, too", async () => {
    await using database = await testDatabase();
    const clock = new FakeClock();
    const journal = new PartJournal({ database, clock, ...UNFENCED });
    await insertParts(database, [{ id: EPISODE, firstSeq: 1, parts: [part(1)] }], {
      at: clock.now(),
      workerId: null,
      isFlushed: true,
    });
    await clock.advance(4 * 3_600_000);
    await journal.tidyHours();
    assert.equal((await journal.read(EPISODE)).length, 1);
    await clock.advance(2 * 3_600_000);
    await journal.tidyHours();
    assert.equal((await journal.read(EPISODE)).length, 0);
  });
});

test("what need not be on the disk yet is there for everybody, and its connection waits again for the next", async (t) => {
  await using database = await testDatabase();
  const { pool } = database;
  const queries = t.mock.method(pool, "query");
  await pool.query("set synchronous_commit = 'on'"); // Databases of tests wait for no disk.
  const about = { at: new Date(), workerId: null };
  for (const [seq, isFlushed] of [
    [1, false],
    [2, true],
  ] as const) {
    const entry = { id: EPISODE, firstSeq: seq, parts: [part(seq)] };
    assert.deepEqual(await insertParts(database, [entry], { ...about, isFlushed }), [entry]);
    const setting = await pool.query("show synchronous_commit");
    assert.deepEqual(setting.rows, [{ synchronous_commit: "on" }]);
    assert.equal(pool.totalCount, 1, "of the same connection");
    assert.equal((await joined(database)).length, seq);
  }
  const texts = queries.mock.calls.map(({ arguments: [query] }) => String(Object(query).text));
  const hurried = texts.filter((text) => text.includes("'synchronous_commit', 'off', true"));
  assert.equal(hurried.length, 1);
});

const joined = (database: Database) =>
  new PartJournal({ database, clock: new FakeClock(), ...UNFENCED }).read(EPISODE);

/** A journal that writes, until stopped, into a database that answers writes when it is told to. */
function heldJournal() {
  const clock = new FakeClock();
  const groups: string[] = [];
  const answers: (() => void)[] = [];
  const hurried: boolean[] = [];
  const query = async ({ name, values }: { readonly name: string; readonly values: string[] }) => {
    groups.push(values[0] ?? "");
    hurried.push(name.endsWith("_sooner"));
    await new Promise<void>((resolve) => answers.push(resolve));
    return [[null]];
  };
  const database = { pool: { query } } as unknown as Database;
  const journal = new PartJournal({ database, clock, ...UNFENCED });
  const stop = new AbortController();
  const writing = journal.keepWriting(stop.signal);
  return { clock, groups, hurried, answers, journal, stop, writing };
}

async function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Repeats until true; each try does real work, so it does not spin. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 2_000; round += 1) if (await isDone()) return;
  assert.fail("it does not happen");
}
