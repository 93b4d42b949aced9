/** The journal of parts and the list of chats, on a Postgres on disk. */
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { PartBuffer } from "@atelier/chat-daemon/live-parts/part-buffer";
import { PartJournal } from "@atelier/chat-daemon/live-parts/part-journal-actions";
import type { Database } from "@atelier/database/database";
import { sql } from "kysely";
import { chatAtRest, quantile, type ChatLane } from "./chat-lane.ts";
import type { ChatFigures } from "./latency.ts";

/**
 * Parts of 1,000 chats, 20 each a second, as they come; and how long each group takes from its first part
 * until it is safe.
 */
export async function measureJournal(
  { database }: Pick<ChatLane, "database">,
  { chats, seconds }: { readonly chats: number; readonly seconds: number },
): Promise<ChatFigures> {
  const stop = new AbortController();
  const written: { readonly parts: number; readonly waitedMs: number }[] = [];
  let firstMs: number | null = null;
  const timed = timedDatabase(database, (parts) => {
    written.push({ parts, waitedMs: performance.now() - began });
  });
  let began = performance.now();
  const journal = new PartJournal({
    ...{ database: timed.database, clock: systemClock, log: silentLogger },
    workerId: () => null,
    kept: (id, range) => buffer.kept(id, range),
  });
  timed.begins = () => {
    began = firstMs ?? performance.now();
    firstMs = null;
  };
  const buffer = new PartBuffer(systemClock, (id, part) => {
    firstMs ??= performance.now();
    journal.add(id, part);
  });
  const writing = journal.keepWriting(stop.signal).catch(() => {}); // Stopped.
  const ids = Array.from({ length: chats }, () => ({
    ...{ chatId: crypto.randomUUID(), historyVersion: 1, generationAttempt: 1 },
  }));
  for (const id of ids) buffer.createEpisode(id);
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  let added = 0;
  while (performance.now() - startedMs < seconds * 1_000) {
    const due = Math.floor(((performance.now() - startedMs) * chats * PARTS_PER_SECOND) / 1_000);
    for (; added < due; added += 1) {
      const id = ids[added % chats];
      if (id !== undefined) buffer.addPart(id, "assistant", { type: "text", text: PART });
    }
    await sleep(2);
  }
  const tookMs = performance.now() - startedMs;
  stop.abort();
  await writing;
  const cpu = process.cpuUsage(cpuBefore);
  const waits = written.map(({ waitedMs }) => waitedMs);
  const parts = written.reduce((total, each) => total + each.parts, 0);
  return {
    "journal parts/s": (parts * 1_000) / tookMs,
    "journal flush p50": quantile(waits, 0.5),
    "journal flush p99": quantile(waits, 0.99),
    "journal CPU µs/part": (cpu.user + cpu.system) / parts,
  };
}

const PARTS_PER_SECOND = 20;
const PART = "some words of it ";

/** Tells of each write of the journal, and how many parts were in it. */
function timedDatabase(database: Database, done: (parts: number) => void) {
  const timed = {
    begins: () => {},
    database: {
      ...database,
      pool: new Proxy(database.pool, {
        get: (pool, name) => {
          if (name !== "query") return Reflect.get(pool, name) as unknown;
          return async (statement: { readonly values: readonly string[] }) => {
            timed.begins();
            const [json = ""] = statement.values;
            const answer: unknown = await (
              pool.query as (asked: typeof statement) => Promise<unknown>
            ).call(pool, statement);
            done(json.split('["assistant"').length - 1);
            return answer;
          };
        },
      }),
    },
  };
  return timed;
}

export type ChatListing = { readonly deepId: string };

/** Copies of one chat: a hundred pinned, each tenth archived, each with an answer that is unread. */
export async function fillChats(
  { database, server, token }: Pick<ChatLane, "database" | "server" | "token">,
  count: number,
): Promise<ChatListing> {
  const { viewer } = await chatAtRest(server, token);
  viewer[Symbol.dispose]();
  const { rows } = await sql<{ id: string }>`
    select id from chats where parent_chat_id is null limit 1`.execute(database.sql);
  const model = rows[0];
  if (model === undefined) throw new Error("a chat must be there to copy");
  const columns = await copiedColumns(database);
  // Each statement within the pool's time limit.
  const chunk = 5_000;
  for (let from = 0; from < count; from += chunk) {
    const values = sql.raw(columns.map(({ value }) => value).join(", "));
    await sql`
      insert into chats (${sql.raw(columns.map(({ name }) => name).join(", "))})
      select ${values} from chats c, generate_series(${from + 1}::integer, ${from + chunk}::integer) n
      where c.id = ${model.id}`.execute(database.sql);
    await sql`
      insert into chat_messages (chat_id, created_at, role, content)
      select id, created_at, 'assistant', '[]' from chats
      where title like 'copy %' and substr(title, 6)::integer > ${from}`.execute(database.sql);
  }
  // As if they had been there for long: what was said in them is read.
  await sql`
    insert into chat_words (chat_id, root_chat_id, history_version, words)
    select id, id, history_version, '' from chats on conflict do nothing`.execute(database.sql);
  await sql`vacuum analyze chats, chat_messages, chat_words`.execute(database.sql);
  const { rows: deep } = await sql<{ id: string }>`
    select id from chats where pin_order = 0 and not archived
    order by updated_at desc, id desc limit 1 offset ${Math.floor(count * 0.8)}`.execute(
    database.sql,
  );
  return { deepId: deep[0]?.id ?? "" };
}

const CHANGED: Readonly<Record<string, string>> = {
  id: "gen_random_uuid()",
  title: "'copy ' || n",
  status: "'waiting'",
  worker_id: "null",
  runner_id: "null",
  archived: "n % 10 = 0",
  pin_order: "case when n <= 100 then n else 0 end",
  updated_at: "c.updated_at - n * interval '1 minute'",
  last_read_message_id: "null",
};

async function copiedColumns(database: Database) {
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_name = 'chats'`.execute(database.sql);
  return rows.map(({ name }) => ({ name, value: CHANGED[name] ?? `c.${name}` }));
}

const PAGE = 50;

/** Milliseconds for each page as a client sees it, in turns. */
export async function measureList(
  { server, token }: Pick<ChatLane, "server" | "token">,
  { deepId }: ChatListing,
  reads: number,
): Promise<ChatFigures> {
  const pages = {
    first: "",
    deep: `&after_id=${deepId}`,
    archived: "&q=archived:true",
    both: "&q=archived:any",
  };
  const times = new Map<string, number[]>();
  for (let read = -3; read < reads; read += 1) {
    for (const [name, query] of Object.entries(pages)) {
      const startedMs = performance.now();
      const path = `/api/v2/chats?limit=${PAGE}${query}`;
      const { status, body } = await server.api("GET", path, { token });
      const tookMs = performance.now() - startedMs;
      if (status !== 200 || body.length !== PAGE) throw new Error(`${path}: ${status}`);
      if (read >= 0) times.set(name, [...(times.get(name) ?? []), tookMs]);
    }
  }
  return Object.fromEntries(
    [...times].flatMap(([name, all]) => [
      [`list ${name} p50`, quantile(all, 0.5)],
      [`list ${name} p95`, quantile(all, 0.95)],
    ]),
  );
}
