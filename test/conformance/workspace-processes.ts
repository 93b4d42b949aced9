/**
 * What every implementation of the processes port does, whether in the agent's own process or
 * through a link (contract, workspace/processes). Runs real processes of a POSIX machine.
 */
import type { WorkspaceProcesses } from "@atelier/contract/rpc/workspace/processes";
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

export type ProcessesUnderTest = AsyncDisposable & {
  readonly processes: WorkspaceProcesses;
  /** Where processes run that name no directory. Empty. */
  readonly workspaceDirectory: string;
};

type StartInput = Parameters<WorkspaceProcesses["start"]>[0];

const WAIT_MS = 60_000;

/** Registers the suite. `open` gives each test a machine of its own. */
export function testWorkspaceProcesses(
  name: string,
  open: () => Promise<ProcessesUnderTest>,
): void {
  const conforms = (
    sentence: string,
    body: (processes: WorkspaceProcesses, directory: string) => Promise<void>,
  ): void => {
    test(`${name}: ${sentence}`, async () => {
      await using opened = await open();
      await body(opened.processes, opened.workspaceDirectory);
    });
  };
  testOutcomes(conforms);
  testInputs(conforms);
  testOutputs(conforms);
  testFollowing(conforms);
  testSignals(conforms);
  testLists(conforms);
}

type Conforms = (
  sentence: string,
  body: (processes: WorkspaceProcesses, directory: string) => Promise<void>,
) => void;

function testOutcomes(conforms: Conforms): void {
  conforms("a command runs in a shell, and its end is told", async (processes, directory) => {
    const ended = await run(processes, { command: "echo $((6 * 7)); pwd; exit 3" });
    assert.equal(ended.state, "exited");
    assert.equal(ended.exitCode, 3);
    assert.equal(ended.signal, null);
    assert.equal(ended.workingDirectory, directory);
    assert.ok(ended.endedAt !== null && ended.endedAt >= ended.startedAt);
    assert.equal(await outputOf(processes, ended.id), `42\n${directory}\n`);
    const got = await processes.get({ id: ended.id });
    assert.deepEqual(got, { ok: true, value: ended });
  });

  conforms("an array runs as it is, and not a shell's own word", async (processes) => {
    const ended = await run(processes, { command: ["echo", "-n", "$HOME", "a  b", "it's"] });
    assert.equal(await outputOf(processes, ended.id), "$HOME a  b it's");
    assert.equal(ended.command, String.raw`echo -n '$HOME' 'a  b' 'it'\''s'`);
    assert.equal((await run(processes, { command: ["false"] })).exitCode, 1);
  });

  conforms("what cannot be run is a failure, and nothing starts", async (processes, directory) => {
    await writeFile(join(directory, "plain"), "");
    const codeOf = async (input: StartInput): Promise<string> => {
      const answer = await processes.start(input);
      return answer.ok ? "started" : answer.failure.code;
    };
    assert.equal(await codeOf({ command: ["no-such-program-here"] }), "not_found");
    assert.equal(await codeOf({ command: ["./nothing"] }), "not_found");
    assert.equal(await codeOf({ command: ["./plain"] }), "permission_denied");
    assert.equal(await codeOf({ command: "true", workingDirectory: "/no/such" }), "not_found");
    const file = { command: "true", workingDirectory: join(directory, "plain") };
    assert.equal(await codeOf(file), "not_a_directory");
    assert.equal(await codeOf({ command: "" }), "invalid");
    assert.equal(await codeOf({ command: "a\0b" }), "invalid");
    assert.equal(await codeOf({ command: [""] }), "invalid");
    const listed = await processes.list({});
    assert.deepEqual(listed, { ok: true, value: { processes: [] } });
  });

  conforms("an unknown command of a shell is the shell's own failure", async (processes) => {
    const ended = await run(processes, { command: "no-such-program-here" });
    assert.equal(ended.exitCode, 127);
    assert.match(await outputOf(processes, ended.id), /no-such-program-here/);
  });

  conforms("a directory below home, and changes to the environment", async (processes) => {
    const command = "mkdir -p below && cd below && pwd";
    const made = await run(processes, { command, workingDirectory: "~" });
    const path = (await outputOf(processes, made.id)).trim();
    const ended = await run(processes, {
      command: 'pwd; echo "$ADDED,${HOME-none}"',
      workingDirectory: "below",
      environment: { ADDED: "ä b", HOME: null },
    });
    assert.equal(await outputOf(processes, ended.id), `${path}\nä b,none\n`);
  });

  conforms("two starts with one key are one, with another input a conflict", async (processes) => {
    const input = { command: "echo once >> count", idempotencyKey: "key" };
    const answers = await Promise.all([processes.start(input), processes.start(input)]);
    const [first, second] = answers.map((each) => (each.ok ? each.value : null));
    assert.equal(first?.process.id, second?.process.id);
    assert.ok(first?.replayed !== second?.replayed);
    await ended(processes, first?.process.id ?? "");
    assert.ok((await processes.start(input)).ok);
    const other = await processes.start({ ...input, command: "echo twice" });
    assert.ok(!other.ok && other.failure.code === "conflict");
    const count = await run(processes, { command: "cat count" });
    assert.equal(await outputOf(processes, count.id), "once\n");
  });

  conforms("a stamped start happens once; a stale fence is refused", async (processes) => {
    const effect = { chatId: "c", callId: "1", inputHash: "a".repeat(64), fence: 5 };
    const input = { command: "echo once >> count; cat count", effect };
    const first = await processes.start(input);
    assert.ok(first.ok && !first.value.replayed);
    const end = await ended(processes, first.value.process.id);
    const again = await processes.start(input);
    assert.deepEqual(again, { ok: true, value: { process: end, replayed: true } });
    const codeOf = async (changed: Partial<typeof effect>): Promise<string> => {
      const answer = await processes.start({ ...input, effect: { ...effect, ...changed } });
      return answer.ok ? "started" : answer.failure.code;
    };
    assert.equal(await codeOf({ inputHash: "b".repeat(64) }), "effect_mismatch");
    assert.equal(await codeOf({ fence: 4 }), "stale_fence");
    assert.equal(await outputOf(processes, end.id), "once\n");
  });

  conforms("a wait ends with its time, and with its caller", async (processes) => {
    const { id } = await start(processes, { command: "sleep 60" });
    const waited = await processes.wait({ id, timeoutMs: 20 });
    assert.ok(waited.ok && waited.value.state === "running" && waited.value.exitCode === null);
    const reason = new Error("gone");
    const signal = AbortSignal.timeout(30);
    await assert.rejects(processes.wait({ id, timeoutMs: WAIT_MS }, { signal }));
    const aborted = processes.wait({ id, timeoutMs: 1 }, { signal: AbortSignal.abort(reason) });
    await assert.rejects(aborted, reason);
  });

  conforms("an unknown id is not found by anything", async (processes) => {
    const id = "p-0";
    const answers = await Promise.all([
      processes.get({ id }),
      processes.wait({ id, timeoutMs: 0 }),
      processes.output({ id }),
      processes.follow({ id, stream: "stdout" }),
      processes.writeInput({ id }, bytesOf("x")),
      processes.signal({ id, signal: "SIGTERM" }),
    ]);
    for (const answer of answers) assert.ok(!answer.ok && answer.failure.code === "not_found");
  });
}

function testInputs(conforms: Conforms): void {
  conforms("input comes in calls, and ends when it is told to", async (processes) => {
    const { id } = await start(processes, { command: "cat; echo done", input: "pipe" });
    const first = await processes.writeInput({ id, endInput: false }, bytesOf("a", "b"));
    assert.deepEqual(first, { ok: true, value: { bytes: 2 } });
    const large = Buffer.alloc(300_000, "x");
    const second = await processes.writeInput({ id }, bytesOf(large));
    assert.deepEqual(second, { ok: true, value: { bytes: 300_000 } });
    assert.equal((await ended(processes, id)).outputBytes.stdout, 300_007);
    const late = await processes.writeInput({ id }, bytesOf("x"));
    assert.ok(!late.ok && late.failure.code === "conflict");
  });

  conforms("without an input a process reads an end, and takes none", async (processes) => {
    const { id } = await start(processes, { command: "cat; sleep 60" });
    const fed = await processes.writeInput({ id }, bytesOf("x"));
    assert.ok(!fed.ok && fed.failure.code === "conflict");
    assert.equal((await run(processes, { command: "cat" })).exitCode, 0);
  });

  conforms("a process that does not read holds its writer up, not others", async (processes) => {
    const { id } = await start(processes, { command: "sleep 60", input: "pipe" });
    const leave = new AbortController();
    const source = bytesOf(...Array.from({ length: 200 }, () => Buffer.alloc(64 * 1024)));
    const fed = processes.writeInput({ id }, source, { signal: leave.signal });
    await run(processes, { command: "true" });
    leave.abort(new Error("gone"));
    await assert.rejects(fed);
    await processes.signal({ id, signal: "SIGKILL" });
    assert.equal((await ended(processes, id)).signal, "SIGKILL");
  });
}

function testOutputs(conforms: Conforms): void {
  conforms("both outputs in one keep their order; apart they stay apart", async (processes) => {
    const command = "echo 1; echo 2 >&2; echo 3";
    const combined = await run(processes, { command });
    assert.equal(await outputOf(processes, combined.id), "1\n2\n3\n");
    assert.deepEqual(combined.outputBytes, { stdout: 6, stderr: 0 });
    const separate = await run(processes, { command, output: "separate" });
    assert.equal(await outputOf(processes, separate.id), "1\n3\n");
    assert.equal(await outputOf(processes, separate.id, "stderr"), "2\n");
    assert.deepEqual(separate.outputBytes, { stdout: 4, stderr: 2 });
  });

  conforms("an answer has head and tail, cut between characters", async (processes) => {
    const { id } = await run(processes, { command: "printf 'äöü€😀ß%.0s' 1 2 3" });
    const whole = "äöü€😀ß".repeat(3);
    const totalBytes = Buffer.byteLength(whole);
    for (let maxBytes = 1; maxBytes <= totalBytes + 1; maxBytes += 1) {
      const answer = await processes.output({ id, maxBytes });
      assert.ok(answer.ok);
      const { head, omittedBytes, tail } = answer.value;
      assert.ok(whole.startsWith(head) && whole.endsWith(tail), `${maxBytes}: ${head}…${tail}`);
      const shownBytes = Buffer.byteLength(head + tail);
      assert.ok(shownBytes <= maxBytes);
      assert.equal(shownBytes + omittedBytes, totalBytes);
      if (maxBytes >= totalBytes) assert.equal(head, whole);
    }
  });

  conforms("what is not UTF-8 is replaced", async (processes) => {
    const { id } = await run(processes, { command: String.raw`printf 'a\377b\303'` });
    const answer = await processes.output({ id });
    const value = { head: "a\u{fffd}b\u{fffd}", omittedBytes: 0, tail: "", totalBytes: 4 };
    assert.deepEqual(answer, { ok: true, value });
  });
}

function testFollowing(conforms: Conforms): void {
  conforms("output is followed live to the end, from anywhere", async (processes) => {
    const command = 'for i in 1 2 3; do read line; echo "$line"; done';
    const { id } = await start(processes, { command, input: "pipe" });
    const readers = await Promise.all(
      [0, 4].map(async (offset) => {
        const answer = await processes.follow({ id, stream: "stdout", offset });
        assert.ok(answer.ok);
        assert.deepEqual(answer.value.value, { fromOffset: offset });
        return answer.value.bytes[Symbol.asyncIterator]();
      }),
    );
    const [first, second] = readers;
    assert.ok(first !== undefined && second !== undefined);
    // Each line is sent when the one before was read: they do not wait for more.
    for (const line of ["one\n", "two\n"]) {
      await processes.writeInput({ id, endInput: false }, bytesOf(line));
      assert.equal(String(Buffer.from((await first.next()).value)), line);
    }
    assert.equal(String(Buffer.from((await second.next()).value)), "two\n");
    await processes.writeInput({ id }, bytesOf("three\n"));
    for (const reader of readers) {
      assert.equal(String(Buffer.from((await reader.next()).value)), "three\n");
      assert.equal((await reader.next()).done, true);
    }
  });

  conforms("much output comes whole, also after the end", async (processes) => {
    const { id } = await start(processes, { command: "seq 1 300000" });
    const texts = await Promise.all([followed(processes, id), followed(processes, id)]);
    await ended(processes, id);
    texts.push(await followed(processes, id));
    const expected = Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join("");
    for (const text of texts) assert.ok(text === expected);
    assert.equal(await followed(processes, id, expected.length - 7), "300000\n");
    assert.equal(await followed(processes, id, expected.length), "");
  });

  conforms("a follower that leaves is let go", async (processes) => {
    const { id } = await start(processes, { command: "echo x; sleep 60" });
    const leave = new AbortController();
    const { signal } = leave;
    const answer = await processes.follow({ id, stream: "stdout" }, { signal });
    assert.ok(answer.ok);
    const reader = answer.value.bytes[Symbol.asyncIterator]();
    await reader.next();
    const next = reader.next();
    leave.abort(new Error("gone"));
    await assert.rejects(next);
  });
}

function testSignals(conforms: Conforms): void {
  conforms("a signal reaches the command, which may answer it", async (processes) => {
    const command = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    const { id } = await start(processes, { command });
    await untilOutput(processes, id, "ready");
    const sent = await processes.signal({ id, signal: "SIGTERM" });
    assert.ok(sent.ok && !sent.value.replayed);
    assert.equal((await ended(processes, id)).exitCode, 7);
    assert.match(await outputOf(processes, id), /bye\n$/);
  });

  for (const signal of ["SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGUSR1"] as const) {
    conforms(`${signal} ends what does not expect it`, async (processes) => {
      const { id } = await start(processes, { command: ["sleep", "60"] });
      assert.ok((await processes.signal({ id, signal })).ok);
      const { state, exitCode, signal: by } = await ended(processes, id);
      assert.deepEqual({ state, exitCode, by }, { state: "exited", exitCode: null, by: signal });
    });
  }

  conforms("after SIGKILL is answered all of the tree is dead", async (processes, directory) => {
    await mkdir(join(directory, "pids"));
    const leaf = 'echo > pids/$(exec sh -c "echo \\$PPID"); exec sleep 300';
    const command = [
      `sh -c '${leaf}' &`,
      `setsid sh -c '${leaf}' &`,
      `(setsid sh -c '(${leaf}) & exit 0' &)`,
      "while [ $(ls pids | wc -l) -lt 3 ]; do sleep 0.01; done; echo ready; wait",
    ].join("\n");
    const { id } = await start(processes, { command });
    await untilOutput(processes, id, "ready");
    const killed = await processes.signal({ id, signal: "SIGKILL" });
    assert.ok(killed.ok);
    assert.equal(killed.value.process.state, "exited");
    assert.equal(killed.value.process.signal, "SIGKILL");
    // Where nobody reaps orphans, zombies stay.
    const left = "for pid in $(ls pids); do ps -o stat= -p $pid | grep -v Z; done; true";
    const looked = await run(processes, { command: left });
    assert.equal(await outputOf(processes, looked.id), "");
  });

  conforms("a signal to an ended process reaches what it left behind", async (processes) => {
    const command = "setsid sleep 300 >/dev/null 2>&1 & echo $!";
    const { id } = await run(processes, { command });
    const pid = (await outputOf(processes, id)).trim();
    const isAlive = { command: `ps -o stat= -p ${pid} | grep -v Z` };
    assert.equal((await run(processes, isAlive)).exitCode, 0);
    const sent = await processes.signal({ id, signal: "SIGKILL" });
    assert.ok(sent.ok && sent.value.process.exitCode === 0);
    assert.notEqual((await run(processes, isAlive)).exitCode, 0);
  });

  conforms("a stamped signal is sent once", async (processes) => {
    const command = "trap 'echo got' USR1; echo ready; while :; do sleep 0.01; done";
    const { id } = await start(processes, { command });
    await untilOutput(processes, id, "ready");
    const effect = { chatId: "c", callId: "s", inputHash: "c".repeat(64), fence: 1 };
    const input = { id, signal: "SIGUSR1", effect } as const;
    const answers = [await processes.signal(input), await processes.signal(input)];
    assert.deepEqual(
      answers.map((each) => each.ok && each.value.replayed),
      [false, true],
    );
    await untilOutput(processes, id, "got");
    await processes.signal({ id, signal: "SIGTERM" });
    await ended(processes, id);
    assert.equal((await outputOf(processes, id)).match(/got/g)?.length, 1);
  });
}

function testLists(conforms: Conforms): void {
  conforms("lists show running ones first, newest first, of one group", async (processes) => {
    const ids: Record<string, string> = {};
    for (const [name, command, group] of [
      ["old", "sleep 60", "a"],
      ["ended", "true", "a"],
      ["other", "sleep 60", "b"],
      ["new", "sleep 60", "a"],
    ] as const) {
      const begun = await start(processes, { command, group });
      ids[name] = begun.id;
      if (command === "true") await ended(processes, begun.id);
    }
    const listed = async (input: { group?: string; limit?: number }): Promise<string[]> => {
      const answer = await processes.list(input);
      assert.ok(answer.ok);
      const nameOf = (id: string) => Object.keys(ids).find((name) => ids[name] === id) ?? "?";
      return answer.value.processes.map(({ id }) => nameOf(id));
    };
    assert.deepEqual(await listed({}), ["new", "other", "old", "ended"]);
    assert.deepEqual(await listed({ group: "a" }), ["new", "old", "ended"]);
    assert.deepEqual(await listed({ group: "a", limit: 1 }), ["new"]);
    assert.deepEqual(await listed({ group: "none" }), []);
  });
}

async function start(processes: WorkspaceProcesses, input: StartInput) {
  const answer = await processes.start(input);
  assert.ok(answer.ok, answer.ok ? "" : answer.failure.message);
  return answer.value.process;
}

async function ended(processes: WorkspaceProcesses, id: string) {
  const answer = await processes.wait({ id, timeoutMs: WAIT_MS });
  assert.ok(answer.ok);
  assert.notEqual(answer.value.state, "running");
  return answer.value;
}

async function run(processes: WorkspaceProcesses, input: StartInput) {
  return ended(processes, (await start(processes, input)).id);
}

async function outputOf(
  processes: WorkspaceProcesses,
  id: string,
  stream: "stdout" | "stderr" = "stdout",
): Promise<string> {
  const answer = await processes.output({ id, stream });
  assert.ok(answer.ok);
  assert.equal(answer.value.omittedBytes, 0);
  return answer.value.head;
}

async function followed(processes: WorkspaceProcesses, id: string, offset = 0): Promise<string> {
  const answer = await processes.follow({ id, stream: "stdout", offset });
  assert.ok(answer.ok);
  return String(Buffer.concat(await Array.fromAsync(answer.value.bytes)));
}

/** Reads until the text has come. */
async function untilOutput(processes: WorkspaceProcesses, id: string, text: string): Promise<void> {
  const leave = new AbortController();
  const answer = await processes.follow({ id, stream: "stdout" }, { signal: leave.signal });
  assert.ok(answer.ok);
  let seen = "";
  for await (const chunk of answer.value.bytes) {
    seen += String(Buffer.from(chunk));
    if (seen.includes(text)) break;
  }
  leave.abort(new Error("seen"));
  assert.ok(seen.includes(text), `${JSON.stringify(seen)} never had ${text}`);
}

async function* bytesOf(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}
