/**
 * A small round of `npm run simulate -- workspace-copy`. `ATELIER_TEST_COPY_MEGABYTES` makes it larger.
 */
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { copyThroughWorkspace, fatProcesses } from "../simulation/workspace-copy.ts";

const MEGABYTES = Number(process.env["ATELIER_TEST_COPY_MEGABYTES"] ?? 64);
const skip = process.platform === "linux" ? false : "memory is read from procfs, as on Linux";

test(
  "a large file goes there and back over two servers, and nobody holds it",
  { skip },
  async () => {
    await using database = await testDatabase();
    const bytes = MEGABYTES * 1024 * 1024;
    const figures = await copyThroughWorkspace(database, { bytes, report: () => {} });
    assert.equal(figures.legs.length, 4);
    for (const { grownBytes } of figures.legs) {
      const measured = Object.keys(grownBytes).toSorted();
      assert.deepEqual(measured, ["agent", "atelier cp", "its server", "the other server"]);
    }
    assert.deepEqual(fatProcesses(figures), []);
  },
);
