/** A small round of the simulation that `npm run simulate -- gateway-reloads` runs at length. */
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateReloads } from "../simulation/gateway-reloads.ts";

test("thirty reloads and key rotations under load on two servers fail no request", async () => {
  await using database = await testDatabase();
  const options = { reloads: 30, seed: 7, workers: 4, report: () => {} };
  const figures = await simulateReloads(database, options);
  assert.deepEqual(figures.failures, []);
  assert.equal(figures.refusedKeys, 0);
  assert.ok(figures.reloads >= 30);
  assert.ok(figures.counts.streamsAcrossReloads > 0, "streams outlived reloads");
  const { blocking, streams } = figures.counts;
  assert.equal(figures.recordedEnded, blocking + streams);
  assert.equal(figures.recordedFailed, 0);
  assert.equal(figures.connectionsLeft, 0);
  assert.ok(figures.takenOverMs.size >= 4, "the seed draws several kinds of changes");
});
