/** A short form of what `npm run simulate -- workspace-kills` runs at length. */
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateKills } from "../simulation/workspace-kills.ts";

test("agents, servers and connections that are killed at work do nothing twice and lose nothing", async () => {
  await using database = await testDatabase();
  const seen: string[] = [];
  const { counts, violations } = await simulateKills(database.url, {
    kills: 6,
    // Draws the agent, both servers and both connections, and no half-open one: these take ten seconds.
    seed: 16,
    report: { onKill: (kind) => seen.push(kind), onViolation: () => {} },
    signal: new AbortController().signal,
  });
  assert.deepEqual(violations, []);
  assert.ok(new Set(seen).size >= 4, `the seed draws several kinds: ${seen.join(", ")}`);
  for (const [work, { done }] of Object.entries(counts)) assert.ok(done > 0, `${work} was done`);
});
