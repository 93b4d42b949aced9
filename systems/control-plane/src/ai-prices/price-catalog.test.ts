/** The price list of others, read into whole numbers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { areSameTiers, type PriceTier } from "./model-price.ts";
import { CATALOG_VERSION, loadPriceCatalog, tiersOf, type ListedPrice } from "./price-catalog.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const UNKNOWN = { cacheRead: null, cacheWrite: null, cacheWrite1h: null };

test("dollars become micro-dollars, and tiers begin above their start", () => {
  const table: [ListedPrice, readonly PriceTier[] | null][] = [
    [
      { input_mtok: 0.1, output_mtok: 1.1 },
      [{ fromTokens: 0, input: 100_000, output: 1_100_000, ...UNKNOWN }],
    ],
    // Binary fractions do not show.
    [
      { input_mtok: 0.07, output_mtok: 0.57, cache_read_mtok: 0.0028 },
      [{ fromTokens: 0, input: 70_000, output: 570_000, ...UNKNOWN, cacheRead: 2_800 }],
    ],
    [
      {
        input_mtok: { base: 3, tiers: [{ start: 200_000, price: 6 }] },
        output_mtok: { base: 15, tiers: [{ start: 500_000, price: 20 }] },
      },
      [
        { fromTokens: 0, input: 3_000_000, output: 15_000_000, ...UNKNOWN },
        { fromTokens: 200_001, input: 6_000_000, output: 15_000_000, ...UNKNOWN },
        { fromTokens: 500_001, input: 6_000_000, output: 20_000_000, ...UNKNOWN },
      ],
    ],
    // By the image, by the hour: tokens cannot be counted by it.
    [{ requests_kcount: 5 }, null],
    [{ input_mtok: 1 }, null],
    // What we count as output has two prices there.
    [{ input_mtok: 1, output_mtok: 2, output_reasoning_mtok: 8 }, null],
  ];
  for (const [listed, tiers] of table) assert.deepEqual(tiersOf(listed), tiers);
});

test("models are found by the names that requests carry, and not by those of other providers", async () => {
  const catalog = await loadPriceCatalog();
  const inputOf = (provider: string, model: string) =>
    catalog.find({ provider, model }, NOW)?.[0]?.input ?? null;
  assert.equal(inputOf("anthropic", "claude-sonnet-4-5-20250929"), 3_000_000);
  assert.equal(inputOf("openai", "gpt-5-2025-08-07"), 1_250_000);
  assert.equal(inputOf("azure", "gpt-5"), 1_250_000);
  assert.equal(inputOf("openrouter", "anthropic/claude-sonnet-4.5"), 3_000_000);
  // A region costs a tenth more.
  assert.equal(inputOf("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"), 3_300_000);
  for (const [provider, model] of [
    ["openai", "nobody-knows"],
    ["anthropic", "gpt-5"],
    // Whose it is, nobody knows.
    ["openai-compat", "gpt-5"],
    ["vercel", "openai/gpt-5"],
    ["another type", "gpt-5"],
    ["openai", ""],
  ] as const) {
    assert.equal(inputOf(provider, model), null, `${provider} ${model}`);
  }
});

test("the version that prices are stored with is the one that is installed", () => {
  const file = new URL("../../package.json", import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as {
    dependencies: Record<string, string>;
  };
  assert.equal(CATALOG_VERSION, `genai-prices ${dependencies["@pydantic/genai-prices"]}`);
});

test("tiers are the same whatever their order", () => {
  const low = { fromTokens: 0, input: 1, output: 2, ...UNKNOWN };
  const high = { ...low, fromTokens: 10, input: 2 };
  assert(areSameTiers([low, high], [high, low]));
  assert(!areSameTiers([low, high], [low]));
  assert(!areSameTiers([low], [{ ...low, cacheRead: 0 }]));
});
