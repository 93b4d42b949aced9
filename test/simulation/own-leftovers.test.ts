/** A run that is killed leaves nothing of its own behind, and nothing of others is touched. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { keepTogether } from "./own-leftovers.ts";

const GONE_MS_MAX = 20_000;
/** Starts a program in a session of its own, and tells its process and where its directory is. */
const RUN = `
  import { spawn } from "node:child_process";
  import { mkdtempSync } from "node:fs";
  import { tmpdir } from "node:os";
  import { join } from "node:path";
  import { keepTogether } from "${join(import.meta.dirname, "own-leftovers.ts")}";
  keepTogether();
  const made = mkdtempSync(join(tmpdir(), "atelier-made-"));
  const { pid } = spawn("sleep", ["30"], { detached: true, stdio: "ignore" });
  console.log(JSON.stringify({ made, pid }));
  setInterval(() => {}, 1_000);
`;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(isThere: () => boolean): Promise<void> {
  const startedMs = performance.now();
  while (isThere()) {
    assert.ok(performance.now() - startedMs < GONE_MS_MAX, "it is still there");
    await sleep(20);
  }
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
  test(`a run that ends by ${signal} takes its programs and directories along`, async () => {
    const parent = mkdtempSync(join(tmpdir(), "atelier-parent-"));
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", RUN], {
      env: { ...process.env, TMPDIR: parent },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const other = spawn("sleep", ["30"], { env: { ...process.env, TMPDIR: parent } });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { made, pid } = JSON.parse(line) as { made: string; pid: number };
    assert.ok(existsSync(made) && isRunning(pid));
    child.kill(signal);
    await gone(() => existsSync(made) || readdirSync(parent).length > 0);
    if (process.platform === "linux") await gone(() => isRunning(pid));
    // Of somebody else, though its directories would lie beside.
    assert.equal(other.exitCode ?? other.signalCode, null);
    other.kill("SIGKILL");
    rmSync(parent, { recursive: true });
  });
}

test("at its end a run has nothing left, and makes directories elsewhere again", async () => {
  const before = tmpdir();
  const own = keepTogether();
  const made = mkdtempSync(join(tmpdir(), "atelier-made-"));
  assert.ok(made.startsWith(own.directory));
  await own[Symbol.asyncDispose]();
  assert.equal(existsSync(own.directory), false);
  assert.equal(tmpdir(), before);
});
