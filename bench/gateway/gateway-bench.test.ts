/** The whole benchmark once, as short as it can be: whether it works, not how fast anything is. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const RUN = join(import.meta.dirname, "../run.ts");

test(
  "a quick run measures the lanes that it is asked for",
  { skip: process.platform === "linux" ? false : "reads /proc" },
  () => {
    const args = ["gateway", "--quick", "--seconds", "0.2", "--lanes", "direct,bare,l0"];
    const run = spawnSync(process.execPath, [RUN, ...args, "--only", "cpu"], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /\| Atelier L0 \(auth, relay\) \| \d/, run.stdout + run.stderr);
    assert.doesNotMatch(run.stdout, /failed/);
  },
);
