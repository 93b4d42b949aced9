import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseProcessRow } from "./process-identity.ts";
import { KEEPER_LOST_CLAIM, keeperArguments } from "./process-keeper.ts";

async function scene() {
  const directory = await mkdtemp(join(tmpdir(), "atelier-keeper-"));
  await mkdir(join(directory, "run"));
  return {
    directory,
    read: (name: string) => readFile(join(directory, name), "utf8"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** The status with which the keeper ends. */
async function keep(
  directory: string,
  argv: readonly string[],
  { shell = "/bin/sh", procDirectory = "/proc", env = process.env } = {},
): Promise<number | null> {
  const output = openSync(join(directory, "output"), "a");
  const child = spawn(shell, [...keeperArguments(procDirectory), directory, ...argv], {
    detached: true,
    env,
    stdio: ["ignore", output, "ignore", output],
  });
  await once(child, "exit");
  closeSync(output);
  return child.exitCode;
}

const SAYS_PID = "read -r pid rest </proc/self/stat; echo $pid; exit 4";

for (const shell of ["/bin/sh", "/bin/bash"]) {
  for (const procDirectory of ["/proc", "/nowhere"]) {
    test(`${shell} with ${procDirectory} notes who runs and how it ended`, async () => {
      await using s = await scene();
      const argv = ["/bin/sh", "-c", SAYS_PID];
      assert.equal(await keep(s.directory, argv, { shell, procDirectory }), 4);
      assert.equal(await s.read("run/exit"), "4\n");
      const keeper = parseProcessRow((await s.read("run/keeper")).trimEnd());
      const command = parseProcessRow((await s.read("run/command")).trimEnd());
      assert.equal(command?.parentPid, keeper?.pid);
      assert.equal(keeper?.parentPid, process.pid);
      assert.equal(`${command?.pid}\n`, await s.read("output"));
    });
  }
}

test("of many keepers over one directory one runs the command, without any program", async () => {
  await using s = await scene();
  // Nothing on the PATH: the keeper needs builtins only.
  const env = { PATH: "/nowhere", atelier_row: "of somebody else" };
  const argv = ["/bin/sh", "-c", 'echo "ran $atelier_row"; exit 0'];
  const statuses = await Promise.all(
    Array.from({ length: 12 }, () => keep(s.directory, argv, { env })),
  );
  const lost = statuses.filter((status) => status === KEEPER_LOST_CLAIM);
  assert.deepEqual([statuses.length, lost.length], [12, 11]);
  assert.equal(await s.read("output"), "ran \n");
  assert.deepEqual((await readdir(join(s.directory, "run"))).toSorted(), [
    "command",
    "exit",
    "keeper",
  ]);
});

test("a keeper whose directory is gone starts nothing", async () => {
  await using s = await scene();
  await rm(join(s.directory, "run"), { recursive: true });
  assert.equal(await keep(s.directory, ["/bin/echo", "ran"]), KEEPER_LOST_CLAIM);
  assert.equal(await s.read("output"), "");
});

test("a program that is missing is reported where the command would report", async () => {
  await using s = await scene();
  assert.equal(await keep(s.directory, ["/nowhere/program"]), 127);
  assert.match(await s.read("output"), /\/nowhere\/program/);
});
