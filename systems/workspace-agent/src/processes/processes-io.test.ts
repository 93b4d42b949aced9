/** What only the agent's own side shows: restarts, kills, limits, floods. See also test/conformance. */
import type { StartProcess, WorkspaceProcesses } from "@atelier/contract/rpc/workspace/processes";
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { HoleMaker } from "./output-hole-io.ts";
import { parseProcessRow } from "./process-identity.ts";
import { isLiving, testEffect, testMachine } from "./processes-testkit.ts";

const WAIT_MS = 60_000;

async function start(
  processes: WorkspaceProcesses,
  input: Partial<StartProcess> & { command: StartProcess["command"] },
) {
  const answer = await processes.start(input);
  assert.ok(answer.ok, answer.ok ? "" : answer.failure.message);
  return answer.value.process;
}

async function ended(processes: WorkspaceProcesses, id: string) {
  const answer = await processes.wait({ id, timeoutMs: WAIT_MS });
  assert.ok(answer.ok && answer.value.state !== "running");
  return answer.value;
}

async function outputOf(processes: WorkspaceProcesses, id: string): Promise<string> {
  const answer = await processes.output({ id });
  assert.ok(answer.ok);
  return answer.value.head;
}

/** Looks until it is so; fails with the last answer. */
async function until<Value>(
  look: () => Promise<Value>,
  isSo: (value: Value) => boolean,
): Promise<Value> {
  const deadlineMs = performance.now() + WAIT_MS;
  for (;;) {
    const value = await look();
    if (isSo(value)) return value;
    assert.ok(performance.now() < deadlineMs, `it never came: ${JSON.stringify(value)}`);
    await delay(5);
  }
}

test("a process goes on without the agent; the next one has its output and its end", async () => {
  await using machine = await testMachine();
  const first = await machine.startAgent();
  const command = "echo before; while [ ! -e go ]; do sleep 0.01; done; echo after; exit 9";
  const begun = await start(first.processes, { command, group: "g" });
  const quick = await start(first.processes, { command: "echo quick; exit 1" });
  const quickEnd = await ended(first.processes, quick.id);
  await until(
    () => outputOf(first.processes, begun.id),
    (output) => output === "before\n",
  );
  await first.stop();
  const second = await machine.startAgent();
  const running = await second.processes.get({ id: begun.id });
  assert.ok(running.ok);
  assert.deepEqual(running.value, { ...begun, outputBytes: { stdout: 7, stderr: 0 } });
  assert.deepEqual(await second.processes.get({ id: quick.id }), { ok: true, value: quickEnd });
  const followed = await second.processes.follow({ id: begun.id, stream: "stdout" });
  assert.ok(followed.ok);
  await writeFile(join(machine.workspaceDirectory, "go"), "");
  const bytes = await Array.fromAsync(followed.value.bytes);
  assert.equal(String(Buffer.concat(bytes)), "before\nafter\n");
  const end = await ended(second.processes, begun.id);
  assert.equal(end.exitCode, 9);
  await second.stop();
  // Ended while no agent looked, and told the same by every later one.
  const third = await machine.startAgent();
  assert.deepEqual(await third.processes.get({ id: begun.id }), { ok: true, value: end });
});

test("a process is in a session of its own: what ends the agent's does not reach it", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent();
  const { pid } = await start(processes, { command: "sleep 300" });
  const rowOf = async (name: string) =>
    parseProcessRow((await readFile(`/proc/${name}/stat`, "utf8")).trimEnd());
  const [command, agent] = await Promise.all([rowOf(String(pid)), rowOf("self")]);
  assert.ok(command !== null && agent !== null);
  assert.equal(command.session, command.parentPid);
  assert.notEqual(command.session, agent.session);
});

test("what ended while no agent was there is told with its exit code", async () => {
  await using machine = await testMachine();
  const first = await machine.startAgent();
  const command = "while [ ! -e go ]; do sleep 0.01; done; kill -INT $$";
  const { id, pid } = await start(first.processes, { command });
  await first.stop();
  await writeFile(join(machine.workspaceDirectory, "go"), "");
  await until(
    () => isLiving(pid ?? 0),
    (lives) => !lives,
  );
  const { processes } = await machine.startAgent();
  assert.equal((await ended(processes, id)).signal, "SIGINT");
});

test("a process that was killed with its keeper is lost, unless this agent killed it", async () => {
  await using machine = await testMachine();
  const first = await machine.startAgent();
  const lost = await start(first.processes, { command: "sleep 300" });
  const killed = await start(first.processes, { command: "sleep 300" });
  const keeperOf = async (id: string): Promise<number> =>
    Number.parseInt(
      await readFile(join(machine.stateDirectory, "processes", id, "run/keeper"), "utf8"),
      10,
    );
  await first.stop();
  process.kill(-(await keeperOf(lost.id)), "SIGKILL");
  // An agent that is itself killed just before it kills.
  await writeFile(join(machine.stateDirectory, "processes", killed.id, "run/killed"), "");
  const { processes } = await machine.startAgent();
  const { state, exitCode, signal } = await ended(processes, lost.id);
  assert.deepEqual([state, exitCode, signal], ["lost", null, null]);
  assert.equal((await ended(processes, killed.id)).signal, "SIGKILL");
  assert.equal(await isLiving(killed.pid ?? 0), false);
});

test("a command outlives its keeper: it is running, then lost", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent();
  const { id, pid } = await start(processes, { command: "sleep 300" });
  const row = await readFile(`/proc/${pid}/stat`, "utf8");
  process.kill(Number(row.split(" ")[3]), "SIGKILL");
  await delay(250); // Longer than a pass of the upkeep: it looks, and sees that the command lives.
  const running = await processes.get({ id });
  assert.ok(running.ok && running.value.state === "running");
  process.kill(pid ?? 0, "SIGKILL");
  assert.equal((await ended(processes, id)).state, "lost");
});

test("an interrupted start is done where nothing proves otherwise, and lost after a boot", async () => {
  await using machine = await testMachine();
  const input = (callId: string) => ({ command: "echo once >> count", effect: testEffect(callId) });
  const first = await machine.startAgent();
  const done = await start(first.processes, input("done"));
  await ended(first.processes, done.id);
  await first.stop();
  const journal = join(machine.stateDirectory, "effects.log");
  const lines = (await readFile(journal, "utf8")).split("\n").slice(0, -1);
  assert.equal(lines.filter((line) => line.includes('"ended"')).length, 1);
  const withoutEnd = lines.filter((line) => !line.includes('"ended"')).map((line) => `${line}\n`);

  // Killed after the start and before the outcome was written.
  await writeFile(journal, withoutEnd.join(""));
  const second = await machine.startAgent();
  const again = await second.processes.start(input("done"));
  assert.ok(again.ok && again.value.replayed && again.value.process.id === done.id);
  await second.stop();

  // Killed between the note and the claim: the directory is there, and nobody claimed it.
  await writeFile(journal, withoutEnd.join(""));
  const run = join(machine.stateDirectory, "processes", done.id, "run");
  await rm(run, { recursive: true });
  await mkdir(run);
  const third = await machine.startAgent();
  const anew = await third.processes.start(input("done"));
  assert.ok(anew.ok && !anew.value.replayed);
  await ended(third.processes, done.id);
  assert.equal(await readFile(join(machine.workspaceDirectory, "count"), "utf8"), "once\nonce\n");
  await third.stop();

  // The same, and the directory did not reach the disk before the machine stopped.
  await writeFile(journal, withoutEnd.join(""));
  await rm(join(machine.stateDirectory, "processes", done.id), { recursive: true });
  const fourth = await machine.startAgent();
  const lost = await fourth.processes.start(input("done"));
  assert.ok(!lost.ok && lost.failure.code === "effect_lost");
  assert.deepEqual(await fourth.processes.start(input("done")), lost);
  assert.equal(await readFile(join(machine.workspaceDirectory, "count"), "utf8"), "once\nonce\n");
});

test("a keeper that claims its start after its agent died is found by the next", async () => {
  await using machine = await testMachine();
  const first = await machine.startAgent();
  const { id } = await start(first.processes, { command: "sleep 300" });
  await first.stop();
  // Its directory as it was a moment before the claim.
  const run = join(machine.stateDirectory, "processes", id, "run");
  const names = await readdir(run);
  const texts = await Promise.all(names.map((name) => readFile(join(run, name))));
  await Promise.all(names.map((name) => rm(join(run, name))));
  const { processes } = await machine.startAgent();
  assert.ok(!(await processes.get({ id })).ok);
  await Promise.all(names.map((name, i) => writeFile(join(run, name), texts[i] ?? "")));
  const found = await until(
    () => processes.get({ id }),
    ({ ok }) => ok,
  );
  assert.ok(found.ok && found.value.state === "running");
});

test("the input of a process ends with its agent", async () => {
  await using machine = await testMachine();
  const first = await machine.startAgent();
  const { id } = await start(first.processes, { command: "cat; exit 3", input: "pipe" });
  const bytes = (async function* () {
    yield Buffer.from("x");
  })();
  await first.processes.writeInput({ id, endInput: false }, bytes);
  await first.stop();
  const { processes } = await machine.startAgent();
  assert.equal((await ended(processes, id)).exitCode, 3);
  assert.equal(await outputOf(processes, id), "x");
  const fed = await processes.writeInput({ id }, bytes);
  assert.ok(!fed.ok && fed.failure.code === "conflict");
});

test("a machine without a shell says what is missing, and keeps nothing", async () => {
  await using machine = await testMachine();
  const agent = await machine.startAgent({ shell: "/no/such/sh" });
  const answer = await agent.processes.start({ command: "true", idempotencyKey: "k" });
  assert.ok(!answer.ok && answer.failure.code === "unsupported");
  assert.match(answer.failure.message, /\/no\/such\/sh.*Install/);
  assert.deepEqual(await readdir(join(machine.stateDirectory, "processes")), []);
  await agent.stop();
  const { processes } = await machine.startAgent();
  await start(processes, { command: "true", idempotencyKey: "k" });
});

test("what is too large for the system to start is a failure", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent();
  const answer = await processes.start({ command: ["echo", "x".repeat(200_000)] });
  assert.ok(!answer.ok && answer.failure.code === "too_large");
});

test("no process sees the agent's credentials", async () => {
  await using machine = await testMachine();
  const baseEnvironment = { PATH: process.env["PATH"], ATELIER_AGENT_TOKEN: "secret-token" };
  const { processes } = await machine.startAgent({ baseEnvironment });
  const { id } = await start(processes, { command: "env; cat /proc/$PPID/environ" });
  await ended(processes, id);
  const seen = await outputOf(processes, id);
  assert.match(seen, new RegExp(`ATELIER_PROCESS_ID=${id}`));
  assert.doesNotMatch(seen, /secret-token/);
});

test("at most so many run at a time; the next is told so, and may try again", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent({ limits: { runningMax: 3 } });
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => processes.start({ command: "sleep 300" })),
  );
  const codes = answers.map((answer) => (answer.ok ? "ok" : answer.failure.code));
  assert.deepEqual(codes.toSorted(), ["busy", "busy", "ok", "ok", "ok"]);
  const effect = testEffect("later");
  const refused = await processes.start({ command: "true", effect });
  assert.ok(!refused.ok && refused.failure.code === "busy");
  const first = answers.find((answer) => answer.ok);
  assert.ok(first?.ok);
  await processes.signal({ id: first.value.process.id, signal: "SIGKILL" });
  assert.ok((await processes.start({ command: "true", effect })).ok);
});

test("ended processes are forgotten beyond their number, except those whose daemons live", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent({ limits: { endedMax: 2 } });
  const daemon = await start(processes, { command: "setsid sleep 300 >/dev/null 2>&1 &" });
  await ended(processes, daemon.id);
  const ids: string[] = [daemon.id];
  for (let i = 0; i < 4; i += 1) {
    const { id } = await start(processes, { command: `echo ${i}` });
    await ended(processes, id);
    ids.push(id);
  }
  // The upkeep passes often while something runs.
  const { id: running } = await start(processes, { command: "sleep 300" });
  const kept = [running, ...ids.slice(-2).toReversed(), daemon.id];
  const list = async (): Promise<string[]> => {
    const answer = await processes.list({});
    assert.ok(answer.ok);
    return answer.value.processes.map(({ id }) => id);
  };
  await until(list, (listed) => listed.length === kept.length);
  assert.deepEqual(await list(), kept);
  const directories = async () =>
    (await readdir(join(machine.stateDirectory, "processes"))).toSorted();
  await until(directories, (names) => names.join() === kept.toSorted().join());
});

const SMALL = { headBytesMax: 64 * 1024, tailBytesMax: 256 * 1024, slackBytesMax: 128 * 1024 };

for (const { how, holes, isLossless } of [
  { how: "with holes", holes: new HoleMaker(), isLossless: true },
  { how: "by rewriting", holes: new HoleMaker(async () => false), isLossless: false },
]) {
  test(`a flood is cut in the middle, ${how}; head, tail and offsets are right`, async () => {
    await using machine = await testMachine();
    const { processes } = await machine.startAgent({ limits: SMALL, holes });
    const command = "seq -f '%015.0f' 1 4000000";
    const { id } = await start(processes, { command });
    const { outputBytes } = await ended(processes, id);
    if (isLossless) assert.equal(outputBytes.stdout, 64_000_000);
    else assert.ok(outputBytes.stdout > 32_000_000 && outputBytes.stdout <= 64_000_000);
    const path = join(machine.stateDirectory, "processes", id, "stdout");
    const most = SMALL.headBytesMax + SMALL.tailBytesMax + SMALL.slackBytesMax + 16_384;
    // The upkeep looks at what is ended within seconds, or at once while it grows.
    await until(
      async () => (await stat(path)).blocks * 512,
      (bytes) => bytes <= most,
    );
    const answer = await processes.output({ id, maxBytes: 300_000 });
    assert.ok(answer.ok);
    const { head, tail, totalBytes, omittedBytes } = answer.value;
    assert.equal(totalBytes, outputBytes.stdout);
    assert.equal(head.length + tail.length + omittedBytes, totalBytes);
    assert.equal(head.length, SMALL.headBytesMax);
    assert.ok(head.startsWith("000000000000001\n000000000000002\n"));
    // What is written while a file is rewritten is lost, and may be the end.
    if (isLossless) assert.ok(tail.endsWith("000000003999999\n000000004000000\n"));
    assert.doesNotMatch(tail, /\0/);
    if (isLossless) assertCounts(tail);
    const followed = await processes.follow({ id, stream: "stdout", offset: 100_000 });
    assert.ok(followed.ok);
    const { fromOffset } = followed.value.value;
    assert.ok(fromOffset > 100_000 && fromOffset <= totalBytes - SMALL.tailBytesMax);
    const rest = Buffer.concat(await Array.fromAsync(followed.value.bytes));
    assert.equal(rest.byteLength, totalBytes - fromOffset);
    assert.ok(String(rest).endsWith(tail.slice(-1_000)));
  });
}

/** Every whole line is one more than the one before. */
function assertCounts(text: string): void {
  const numbers = text.split("\n").slice(1, -1).map(Number);
  for (const [i, number] of numbers.entries()) assert.equal(number, (numbers[0] ?? 0) + i);
}

test("a follower that is overtaken by a cut is broken off, and never gets zeroes", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent({ limits: SMALL });
  const { id } = await start(processes, { command: "exec yes" });
  const followed = await processes.follow({ id, stream: "stdout" });
  assert.ok(followed.ok);
  let bytes = 0;
  await assert.rejects(async () => {
    for await (const chunk of followed.value.bytes) {
      assert.ok(!chunk.includes(0));
      bytes += chunk.byteLength;
      await delay(20); // A slow reader.
    }
  }, /left out before it was read/);
  const later = await processes.follow({ id, stream: "stdout", offset: bytes });
  assert.ok(later.ok && later.value.value.fromOffset > bytes);
});

test("an endless flood takes little disk, and the agent answers meanwhile", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent({ limits: SMALL });
  // As much as some machines' memory takes in a tenth of a second would say little of the upkeep.
  const { id } = await start(processes, {
    command: "while :; do yes | head -c 4000000; sleep 0.01; done",
  });
  const path = join(machine.stateDirectory, "processes", id, "stdout");
  const delaysMs: number[] = [];
  const sizes: number[] = [];
  await until(
    async () => {
      const startedMs = performance.now();
      const answer = await processes.get({ id });
      delaysMs.push(performance.now() - startedMs);
      sizes.push((await stat(path)).blocks * 512);
      return answer.ok ? answer.value.outputBytes.stdout : 0;
    },
    (bytes) => bytes > 500_000_000,
  );
  const worst = Math.max(...sizes);
  assert.ok(worst < 300_000_000, `${worst} bytes on disk`);
  const sorted = delaysMs.toSorted((a, b) => a - b);
  assert.ok((sorted[Math.floor(sorted.length / 2)] ?? 0) < 200, "the median answer is quick");
});

test("a line that is written is followed within milliseconds", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent();
  const command = "for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 0.02; date +%s%N; done";
  const { id } = await start(processes, { command });
  const followed = await processes.follow({ id, stream: "stdout" });
  assert.ok(followed.ok);
  const delaysMs: number[] = [];
  for await (const chunk of followed.value.bytes) {
    const nowMs = Date.now(); // As `date` has it, also when the clock was set meanwhile.
    // On a busy machine several lines come at once.
    const lines = String(Buffer.from(chunk)).trim().split("\n");
    delaysMs.push(...lines.map((line) => nowMs - Number(line) / 1e6));
  }
  assert.equal(delaysMs.length, 11);
  // The quickest: who asks now and then would be late each time, however idle the machine.
  const quickest = Math.min(...delaysMs);
  assert.ok(quickest < 50, `${quickest} ms`);
});

test("a hundred processes run at once, each with its own output and end", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent();
  const ends = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const { id } = await start(processes, { command: `sleep 0.2; echo ${i}; exit ${i}` });
      const { exitCode } = await ended(processes, id);
      return [exitCode, await outputOf(processes, id)];
    }),
  );
  assert.deepEqual(
    ends,
    ends.map((_, i) => [i, `${i}\n`]),
  );
});

test("a tree that forks while it is killed is killed whole", async () => {
  await using machine = await testMachine();
  const { processes } = await machine.startAgent();
  // Children leave session, group and parent and begin again, until they are 451.
  await writeFile(
    join(machine.workspaceDirectory, "bomb"),
    `[ "$1" -gt 30 ] && exec sleep 300
     sh bomb $(($1 + 1)) &
     setsid sleep 300 &
     (setsid sh bomb $(($1 + 15)) &)
     exec sleep 300`,
  );
  const { id } = await start(processes, { command: "sh bomb 1" });
  const marked = async (): Promise<number[]> => {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (pid) => {
        const text = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
        return text.includes(`ATELIER_PROCESS_ID=${id}`) && (await isLiving(Number(pid)));
      }),
    );
    return pids.filter((_, i) => found[i] === true).map(Number);
  };
  await until(marked, (pids) => pids.length > 60);
  const killed = await processes.signal({ id, signal: "SIGKILL" });
  const left = await marked();
  assert.ok(killed.ok, killed.ok ? "" : killed.failure.message);
  assert.deepEqual(left, []);
});
