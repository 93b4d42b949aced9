import assert from "node:assert/strict";
import { test } from "node:test";
import { CatalogLookups } from "./catalog-lookups.ts";
import type { PriceCatalog } from "./model-price.ts";

const AT = new Date("2026-01-01T00:00:00Z");
const TIERS = [
  { fromTokens: 0, input: 1, output: 2, cacheRead: null, cacheWrite: null, cacheWrite1h: null },
];

function countingCatalog(): PriceCatalog & { readonly asked: string[] } {
  const asked: string[] = [];
  const find: PriceCatalog["find"] = ({ provider, model }) => {
    asked.push(`${provider}/${model}`);
    return model.startsWith("known") ? TIERS : null;
  };
  return { version: "1", asked, find };
}

test("a model is looked up once, also one that the catalog does not know", async () => {
  const catalog = countingCatalog();
  const lookups = new CatalogLookups(catalog);
  const models = [
    { provider: "openai", model: "known" },
    { provider: "openai", model: "strange" },
  ];
  const expected = [
    { model: models[0], tiers: TIERS },
    { model: models[1], tiers: null },
  ];
  assert.deepEqual(await lookups.findAll(models, AT), expected);
  const more = { provider: "azure", model: "known" };
  assert.deepEqual(await lookups.findAll([...models, more], AT), [
    ...expected,
    { model: more, tiers: TIERS },
  ]);
  assert.deepEqual(catalog.asked, ["openai/known", "openai/strange", "azure/known"]);
});

test("other work goes on between lookups of many models", async () => {
  const lookups = new CatalogLookups(countingCatalog());
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const models = Array.from({ length: 160 }, (_, n) => ({ provider: "openai", model: `m${n}` }));
  await lookups.findAll(models, AT);
  isDone = true;
  assert.ok(turns >= 9, `${turns} turns of the event loop`);
});
