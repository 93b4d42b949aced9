/** Sums are kept with every request: they are what the records say, whatever came twice or late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { createMetrics } from "@atelier/host/metrics";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import { endOf, STARTED, startOf, tokensOf } from "./interception-samples-testkit.ts";
import { createInterceptionRecorder } from "./interception-recorder-actions.ts";
import { endInterceptions } from "./usage-record-store.ts";
import { bareEnd, CHATS_CLIENT, ORPHAN_MESSAGE, toEndText } from "./usage-record.ts";
import { priceLateRequests } from "./usage-repricing-actions.ts";
import { repriceRequests } from "./usage-repricing-store.ts";
import { maintainUsageStorage } from "./usage-retention-task.ts";

const NEVER = new AbortController().signal;

function recorderOn(database: TestDatabase) {
  return createInterceptionRecorder({
    ...{ database, clock: systemClock, log: silentLogger, metrics: createMetrics() },
    ...{ replicaId: "00000001-0000-4000-8000-000000000000", logRecords: false },
  });
}

async function setPrice(database: TestDatabase, model: string, micros: number): Promise<void> {
  await text`
    with made as (
      insert into ai_model_prices (provider, model, origin, valid_from)
      values ('anthropic', ${model}, 'override', '2020-01-01')
      returning id
    )
    insert into ai_price_tiers select id, 0, ${micros}, ${micros}, ${micros}, ${micros} from made
  `.execute(database.sql);
}

/** What the sums hold, and what they would hold if they were made anew. */
async function assertSumsAgree(database: TestDatabase): Promise<void> {
  const { rows: kept } = await text`
    select client, sum(requests)::bigint as requests, sum(errors)::bigint as errors,
      sum(input_tokens)::bigint as input, sum(cost_micros)::bigint as cost,
      sum(priced_requests)::bigint as priced, sum(unpriced_requests)::bigint as unpriced
    from ai_usage_totals group by client order by client`.execute(database.sql);
  const { rows: anew } = await text`
    select client, count(*) as requests, count(*) filter (where error_type is not null) as errors,
      coalesce(sum(input), 0)::bigint as input, coalesce(sum(cost), 0)::bigint as cost,
      count(*) filter (where not is_unpriced) as priced,
      count(*) filter (where is_unpriced) as unpriced
    from ai_interceptions i
    left join (
      select interception_id, sum(input_tokens) as input, sum(cost_micros) as cost,
        bool_or(cost_micros is null) as is_unpriced
      from ai_token_usages group by interception_id
    ) as t on t.interception_id = i.id
    where ended_at is not null
    group by client order by client`.execute(database.sql);
  assert.deepEqual(kept, anew);
  const { rows: sessions } = await text<{ cost: number; priced: number; unpriced: number }>`
    select sum(cost_micros)::bigint as cost, sum(priced_interceptions)::bigint as priced,
      sum(unpriced_interceptions)::bigint as unpriced from ai_sessions`.execute(database.sql);
  const sum = (name: "cost" | "priced" | "unpriced") =>
    (anew as Record<typeof name, number>[]).reduce((total, row) => total + row[name], 0);
  assert.deepEqual(sessions, [
    { cost: sum("cost"), priced: sum("priced"), unpriced: sum("unpriced") },
  ]);
}

test("an end that comes twice, one after its server was taken for dead, one of two models", async () => {
  await using database = await testDatabase();
  await setPrice(database, "claude-sonnet", 2_000_000);
  await using one = recorderOn(database);
  await using two = recorderOn(database);
  const starts = Array.from({ length: 12 }, (_, index) =>
    startOf({
      clientSessionId: `s${index % 2}`,
      client: index % 3 === 0 ? CHATS_CLIENT : "Codex",
      model: index % 4 === 0 ? "no-price" : "claude-sonnet",
      startedAt: new Date(STARTED.getTime() + index * 10 * 60_000),
    }),
  );
  for (const [index, start] of starts.entries()) await (index % 2 === 0 ? one : two).start(start);
  await one.drain(NEVER);
  await two.drain(NEVER);
  const error = { type: "unknown", message: ORPHAN_MESSAGE } as const;
  const dead = starts.slice(0, 4).map((start) => bareEnd({ ...start, endedAt: STARTED, error }));
  await endInterceptions(database.pool, dead.map(toEndText));
  await assertSumsAgree(database);
  for (const start of starts) {
    const end = endOf(start, { tokens: [tokensOf(1_000), tokensOf(10)] });
    one.end(end);
    two.end(end);
  }
  await Promise.all([one.drain(NEVER), two.drain(NEVER)]);
  await assertSumsAgree(database);
  const { rows } = await text<{ quarters: number; requests: number; unpriced: number }>`
    select count(distinct quarter) as quarters, sum(requests)::bigint as requests,
      sum(unpriced_requests)::bigint as unpriced from ai_usage_totals`.execute(database.sql);
  assert.deepEqual(rows, [{ quarters: 8, requests: 12, unpriced: 3 }]);
});

test("counting again by several at once changes every sum once", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  for (let index = 0; index < 30; index++) {
    const start = startOf({ clientSessionId: `s${index % 3}`, client: CHATS_CLIENT });
    await recorder.start(start);
    recorder.end(endOf(start, { tokens: [tokensOf(1_000)] }));
  }
  await recorder.drain(NEVER);
  await setPrice(database, "claude-sonnet", 1_000_000);
  const repricing = {
    ...{ from: STARTED, to: new Date(STARTED.getTime() + 1), provider: null, model: null },
    ...{ isUnpricedOnly: false, pricesAt: STARTED },
  };
  const page = { after: null, limit: 20 };
  const parts = await Promise.all(
    Array.from({ length: 4 }, () =>
      database.transaction((sql) => repriceRequests(sql, repricing, page)),
    ),
  );
  assert.deepEqual(
    parts.map(({ changed }) => changed).toSorted((a, b) => a - b),
    [0, 0, 0, 20],
  );
  await assertSumsAgree(database);
  const clock = { ...systemClock, now: () => STARTED };
  await priceLateRequests({ database, clock }, NEVER);
  await assertSumsAgree(database);
  const { rows } = await text<{ cost: number; unpriced: number }>`
    select sum(cost_micros)::bigint as cost, sum(unpriced_requests)::bigint as unpriced
    from ai_chat_totals`.execute(database.sql);
  assert.deepEqual(rows, [{ cost: 30 * 1_009, unpriced: 0 }]);
});

test("sums outlive the records, and chats' sums their own time", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const start = startOf({ clientSessionId: "chat", client: CHATS_CLIENT });
  await recorder.start(start);
  recorder.end(endOf(start, { tokens: [tokensOf(1)] }));
  await recorder.drain(NEVER);
  const countsAfter = async (days: number) => {
    const clock = { ...systemClock, now: () => new Date(STARTED.getTime() + days * 86_400_000) };
    const keep = { retentionMs: 10 * 86_400_000, totalsRetentionMs: 100 * 86_400_000 };
    await maintainUsageStorage({ database, clock, log: silentLogger, ...keep }, NEVER);
    const tables = ["ai_interceptions", "ai_sessions", "ai_usage_totals", "ai_chat_totals"];
    const counts = tables.map(async (table) => {
      const { rows } = await text<{ count: number }>`
        select count(*) as count from ${text.table(table)}`.execute(database.sql);
      return rows[0]?.count;
    });
    return Promise.all(counts);
  };
  assert.deepEqual(await countsAfter(9), [1, 1, 1, 1]);
  assert.deepEqual(await countsAfter(50), [0, 0, 1, 1]);
  assert.deepEqual(await countsAfter(101), [0, 0, 1, 0]);
});
