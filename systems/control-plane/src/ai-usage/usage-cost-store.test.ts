/** Counting money, in the statement that does it: against tables, and against exact integers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testDatabase } from "@atelier/testkit/test-database";
import fc from "fast-check";
import { CompiledQuery } from "kysely";
import { costOf, joinPrice } from "./usage-cost-store.ts";

type Tier = {
  readonly from_tokens: number;
  readonly input: number | null;
  readonly output: number | null;
  readonly cache_read: number | null;
  readonly cache_write: number | null;
  readonly cache_write_1h: number | null;
};
type Tokens = {
  readonly input: number;
  readonly output: number;
  readonly read: number;
  readonly write: number;
  readonly write1h: number;
};

const NO_TOKENS: Tokens = { input: 0, output: 0, read: 0, write: 0, write1h: 0 };
/** Of a model with a price for long prompts. */
const BASE: Tier = {
  ...{ from_tokens: 0, input: 3_000_000, output: 15_000_000 },
  ...{ cache_read: 300_000, cache_write: 3_750_000, cache_write_1h: 6_000_000 },
};
const LONG: Tier = {
  ...{ from_tokens: 200_001, input: 6_000_000, output: 22_500_000 },
  ...{ cache_read: 600_000, cache_write: 7_500_000, cache_write_1h: 12_000_000 },
};

async function startPrices() {
  const database = await testDatabase();
  const { pool } = database;
  return {
    pool,
    /** Replaces what was there. */
    async set(tiers: readonly Tier[]): Promise<void> {
      await pool.query("delete from ai_model_prices");
      const { rows } = await pool.query<{ id: number }>(
        `insert into ai_model_prices (provider, model, origin, valid_from)
         values ('anthropic', 'm', 'override', '-infinity') returning id`,
      );
      for (const tier of tiers) {
        await pool.query(
          `insert into ai_price_tiers (price_id, from_tokens, input, output, cache_read,
             cache_write, cache_write_1h) values ($1, $2, $3, $4, $5, $6, $7)`,
          [rows[0]?.id, ...Object.values(tier)],
        );
      }
    },
    async cost(tokens: Partial<Tokens>, extra: object = {}): Promise<number | null> {
      const all = { ...NO_TOKENS, ...tokens };
      const metadata = { cache_ephemeral_1h_input: all.write1h, ...extra };
      const query = `
        select ${costOf("r")} as cost
        from (select 'anthropic' as provider, 'm' as model) as k
        cross join (
          select $1::bigint as input_tokens, $2::bigint as output_tokens,
            $3::bigint as cache_read_input_tokens, $4::bigint as cache_write_input_tokens,
            $5::jsonb as metadata
        ) as r
        ${joinPrice("r", "k", "now()")}`;
      const values = [all.input, all.output, all.read, all.write, JSON.stringify(metadata)];
      const { rows } = await database.sql.executeQuery<{ cost: number | null }>(
        CompiledQuery.raw(query, values),
      );
      return rows[0]?.cost ?? null;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("each kind of token has its price, and long prompts have prices of their own", async () => {
  await using prices = await startPrices();
  await prices.set([BASE, LONG]);
  const table: [Partial<Tokens>, number][] = [
    [{}, 0],
    [{ input: 1_000_000 - 800_000 }, 600_000],
    [{ input: 200_001 }, 1_200_006],
    [{ output: 1_000 }, 15_000],
    [{ read: 100_000 }, 30_000],
    // The prompt is long by what came from the cache: all of it is dearer.
    [{ input: 1, read: 200_000, output: 10 }, 6 + 120_000 + 225],
    [{ input: 200_000 }, 600_000],
    [{ write: 1_000 }, 3_750],
    [{ write: 1_000, write1h: 1_000 }, 6_000],
    [{ write: 1_000, write1h: 400 }, 600 * 3.75 + 400 * 6],
    [{ write: 100_000, read: 100_001, write1h: 100_000 }, 1_200_000 + 60_000],
    // Each part is cut by itself.
    [{ read: 1, input: 1 }, 3],
    [{ read: 3 }, 0],
  ];
  for (const [tokens, cost] of table) {
    assert.equal(await prices.cost(tokens), cost, JSON.stringify(tokens));
  }
});

test("what is not known is null, and never 0", async () => {
  await using prices = await startPrices();
  assert.equal(await prices.cost({ input: 5 }), null);
  await prices.set([{ ...BASE, cache_read: null, cache_write: null, cache_write_1h: null }]);
  assert.equal(await prices.cost({ input: 1_000 }), 3_000);
  assert.equal(await prices.cost({ input: 1_000, read: 1 }), null);
  assert.equal(await prices.cost({ input: 1_000, write: 1 }), null);
  // Entries of an hour cost as the others where nothing else is said.
  await prices.set([{ ...BASE, cache_write_1h: null }]);
  assert.equal(await prices.cost({ write: 1_000, write1h: 1_000 }), 3_750);
  // Sound is dearer than text, by how much nobody tells us.
  assert.equal(await prices.cost({ input: 1_000 }, { prompt_audio: 10 }), null);
  // More than ten million dollars for one answer.
  assert.equal(await prices.cost({ output: 1_000_000_000_000 }), null);
});

test("the whole is exactly the sum of its parts, for any counts and prices", async () => {
  await using prices = await startPrices();
  const price = fc.oneof(fc.integer({ min: 0, max: 200_000_000 }), fc.constant(null));
  const count = fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(2_000_000));
  const tier = fc.record({
    ...{ input: price, output: price, cache_read: price, cache_write: price },
    cache_write_1h: price,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.record({ base: tier, long: tier, border: fc.integer({ min: 1, max: 1_000_000 }) }),
      fc.array(fc.record({ input: count, output: count, read: count, write: count, write1h: count }), { minLength: 1, maxLength: 5 }), // prettier-ignore
      async ({ base, long, border }, all) => {
        await prices.set([
          { from_tokens: 0, ...base },
          { from_tokens: border, ...long },
        ]);
        for (const tokens of all) {
          const isLong = tokens.input + tokens.read + tokens.write >= border;
          const tierOf = isLong ? long : base;
          assert.equal(await prices.cost(tokens), expectedCost(tokens, tierOf));
        }
      },
    ),
    { numRuns: 40 },
  );
});

function expectedCost(tokens: Tokens, tier: Omit<Tier, "from_tokens">): number | null {
  const long = Math.min(tokens.write, tokens.write1h);
  const parts: [number, number | null][] = [
    [tokens.input, tier.input],
    [tokens.output, tier.output],
    [tokens.read, tier.cache_read],
    [tokens.write - long, tier.cache_write],
    [long, tier.cache_write_1h ?? tier.cache_write],
  ];
  let sum = 0n;
  for (const [count, price] of parts) {
    if (count === 0) continue;
    if (price === null) return null;
    sum += (BigInt(count) * BigInt(price)) / 1_000_000n;
  }
  return Number(sum);
}
