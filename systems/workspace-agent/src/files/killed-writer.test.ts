/**
 * An agent that is killed at any moment: each file is the old or the new one, files that are edited
 * together change together, and the repeat of the call that was under way completes it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  EDITED,
  editedContent,
  makeCall,
  openAgent,
  writtenContent,
} from "./killed-writer-testkit.ts";

const LANES = 2;
const ROUNDS = 25;
const PROGRAM = join(import.meta.dirname, "killed-writer-testkit.ts");

test(`a killed agent leaves whole files, ${LANES * ROUNDS} times`, async () => {
  await Promise.all(Array.from({ length: LANES }, killAgainAndAgain));
});

async function killAgainAndAgain(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "atelier-killed-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true }));
  const home = join(directory, "home");
  await mkdir(home);
  for (const name of EDITED) await writeFile(join(home, name), editedContent(0));
  await writeFile(join(home, "w"), writtenContent(0));
  let call = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    call = await runAndKill(directory, call);
    const seen = `round ${round}, call ${call}`;
    await checkEachFile(home, call, seen);
    {
      // A start alone makes edits whole.
      await using agent = await openAgent(directory);
      await checkTogether(home, seen);
      const answer = await makeCall(agent.files, call);
      assert.ok(answer.ok, `${seen}: ${JSON.stringify(answer)}`);
    }
    for (const name of EDITED) {
      assert.equal(await readFile(join(home, name), "utf8"), editedContent(call), seen);
    }
    assert.equal(await readFile(join(home, "w"), "utf8"), writtenContent(call), seen);
    assert.deepEqual((await readdir(home)).toSorted(), [...EDITED, "w"], seen);
    call += 1;
  }
}

/** The call during which it was killed. */
async function runAndKill(directory: string, firstCall: number): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, directory, `${firstCall}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child.stdout, "data");
  await delay(Math.random() * 120);
  child.kill("SIGKILL");
  await once(child, "close");
  return Number(output.trimEnd().split("\n").at(-1));
}

async function checkEachFile(home: string, call: number, seen: string): Promise<void> {
  for (const name of EDITED) {
    const content = await readFile(join(home, name), "utf8");
    assert.ok([editedContent(call - 1), editedContent(call)].includes(content), seen);
  }
  const written = await readFile(join(home, "w"), "utf8");
  assert.ok([writtenContent(call - 1), writtenContent(call)].includes(written), seen);
}

async function checkTogether(home: string, seen: string): Promise<void> {
  const contents = new Set<string>();
  for (const name of EDITED) contents.add(await readFile(join(home, name), "utf8"));
  assert.equal(contents.size, 1, `${seen}: edited together`);
}
