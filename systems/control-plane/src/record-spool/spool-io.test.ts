import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { systemRandom } from "@atelier/base/system-random";
import { testDirectoriesParent } from "@atelier/testkit/postgres-server";
import { openSpool, takeOverSpools } from "./spool-io.ts";
import type { SpoolReader } from "./spool.ts";

const READ_BYTES = 200;
const KILLS = 30;
const WRITER = join(import.meta.dirname, "spool-writer-testkit.ts");

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(testDirectoriesParent(), "atelier-spool-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function open(root: string, log: Logger = silentLogger) {
  return openSpool({ root, log, newName: () => systemRandom.uuid(), segmentBytesMax: 300 });
}

async function readAll(spool: SpoolReader, bytesMax = READ_BYTES): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const batch = await spool.read(bytesMax);
    if (batch === null) return all;
    all.push(...batch.payloads);
    await spool.release(batch);
  }
}

const records = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `record ${from + index}`);

test("what is appended is read in its order, over many segments, and then gone from the disk", async (t) => {
  const root = makeRoot(t);
  const spool = await open(root);
  for (let at = 0; at < 100; at += 5) await spool.append(records(at, at + 5));
  const [directory = ""] = readdirSync(root);
  assert.ok(readdirSync(join(root, directory)).length > 5);
  const [first, again] = [await spool.read(READ_BYTES), await spool.read(READ_BYTES)];
  assert.deepEqual(first, again, "the same until it is released");
  assert.deepEqual(await readAll(spool), records(0, 100));
  await spool.append(records(100, 101));
  assert.deepEqual(await readAll(spool), records(100, 101));
  const segments = readdirSync(join(root, directory)).filter((name) => name.endsWith(".records"));
  assert.equal(segments.length, 1);
  await spool[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(root), []);
});

test("nobody else on this machine can read it", async (t) => {
  const root = join(makeRoot(t), "spool");
  await using spool = await open(root);
  await spool.append(["a prompt"]);
  const [directory = ""] = readdirSync(root);
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  assert.equal(modeOf(root), 0o700);
  assert.equal(modeOf(join(root, directory)), 0o700);
  for (const file of readdirSync(join(root, directory))) {
    if (file.endsWith(".records")) assert.equal(modeOf(join(root, directory, file)), 0o600);
  }
});

test("a payload that is longer than one look is read whole", async (t) => {
  await using spool = await open(makeRoot(t));
  const long = "x".repeat(5_000);
  await spool.append(["short", long, "after"]);
  assert.deepEqual(await readAll(spool, 10), ["short", long, "after"]);
});

test("servers with one data directory have one spool each, and take over only from the dead", async (t) => {
  const root = makeRoot(t);
  const [one, two] = [await open(root), await open(root)];
  await one.append(["of one"]);
  await two.append(["of two"]);
  assert.deepEqual(await takeOverSpools(root, silentLogger), []);
  await one[Symbol.asyncDispose]();
  const [left, none] = await takeOverSpools(root, silentLogger);
  assert.equal(none, undefined);
  assert.deepEqual(await takeOverSpools(root, silentLogger), [], "one successor only");
  assert.deepEqual(await readAll(left!), ["of one"]);
  await left![Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  assert.equal(readdirSync(root).length, 1, "what is not read stays");
});

test("a successor that is itself stopped half-way leaves the rest to the next", async (t) => {
  const root = makeRoot(t);
  const spool = await open(root);
  await spool.append(records(0, 50));
  await spool.append(records(50, 100));
  await spool[Symbol.asyncDispose]();
  const [first] = await takeOverSpools(root, silentLogger);
  const batch = await first!.read(READ_BYTES);
  await first!.release(batch!);
  await first![Symbol.asyncDispose]();
  const [second] = await takeOverSpools(root, silentLogger);
  const all = await readAll(second!);
  // What was released in a segment that is still needed comes again.
  assert.deepEqual(all.slice(-50), records(50, 100));
  await second![Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(root), []);
});

test("a torn end is cut with a line in the log, and nothing before it is lost", async (t) => {
  const root = makeRoot(t);
  const spool = await open(root);
  await spool.append(records(0, 10));
  await spool[Symbol.asyncDispose]();
  const [directory = ""] = readdirSync(root);
  const [file = ""] = readdirSync(join(root, directory)).filter((name) => name !== "lock");
  const path = join(root, directory, file);
  truncateSync(path, statSync(path).size - 3);
  const cuts: object[] = [];
  const log = { ...silentLogger, error: (fields: object) => cuts.push(fields) };
  const [left] = await takeOverSpools(root, log);
  assert.deepEqual(await readAll(left!), records(0, 9));
  assert.deepEqual(cuts.map((cut) => (cut as { file: string }).file), [path]); // prettier-ignore
  await left![Symbol.asyncDispose]();
  assert.ok(!existsSync(join(root, directory)));
});

test("damage in one segment costs no other segment anything", async (t) => {
  const root = makeRoot(t);
  const spool = await open(root);
  for (let at = 0; at < 60; at += 10) await spool.append(records(at, at + 10));
  await spool[Symbol.asyncDispose]();
  const [directory = ""] = readdirSync(root);
  const files = readdirSync(join(root, directory)).filter((name) => name !== "lock").toSorted(); // prettier-ignore
  const path = join(root, directory, files[1] ?? "");
  const bytes = readFileSync(path);
  bytes[20]! ^= 1;
  writeFileSync(path, bytes);
  appendFileSync(join(root, directory, files[2] ?? ""), Buffer.alloc(100));
  const [left] = await takeOverSpools(root, silentLogger);
  const all = await readAll(left!);
  assert.ok(all.length >= 40 && all.length < 60);
  assert.deepEqual(all.slice(-10), records(50, 60));
  await left![Symbol.asyncDispose]();
});

test("what could not be written is never read, and the next write is", async (t) => {
  const root = makeRoot(t);
  await using spool = await open(root);
  await spool.append(["good"]);
  await assert.rejects(spool.append(["bad", ""]), RangeError);
  // The directory is gone: a new segment cannot be made.
  const [directory = ""] = readdirSync(root);
  rmSync(join(root, directory), { recursive: true });
  await assert.rejects(spool.append([..."x".repeat(300)]));
});

/** Kills a process that appends, and tells which records it had promised by then. */
async function killWhileWriting(root: string, afterAcks: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, root], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let promised = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    // Everything in the pipe was promised, also what is read after the kill.
    promised = Number(line);
    if (promised >= afterAcks) child.kill("SIGKILL");
  }
  await exited;
  return promised;
}

test(`all that a killed process promised is there, ${KILLS} times`, async (t) => {
  const root = makeRoot(t);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const promised = await killWhileWriting(root, 1 + ((kill * 37) % 200));
    const [left, none] = await takeOverSpools(root, silentLogger);
    assert.equal(none, undefined);
    const all = await readAll(left!, 4_096);
    assert.ok(all.length >= promised, `${all.length} of ${promised}`);
    assert.deepEqual(all, all.map((_, index) => all[index]!.replace(/^\d+/, `${index + 1}`))); // prettier-ignore
    await left![Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(root), []);
  }
});
