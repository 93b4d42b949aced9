/** Files as only the machine itself can show them: pipes, races, crashes, sizes. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openEffectJournal, type EffectJournal } from "../effects/effect-journal-io.ts";
import { openForReading, withinTime } from "./open-file-io.ts";
import { resolveTarget } from "./real-path-io.ts";
import { openFiles } from "./workspace-files-io.ts";

async function scene() {
  const base = await realpath(await mkdtemp(join(tmpdir(), "atelier-files-")));
  const home = join(base, "home");
  await mkdir(home);
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const stack = new AsyncDisposableStack();
  stack.defer(() => rm(base, { recursive: true, force: true }));
  const openJournal = async (name: string): Promise<EffectJournal> =>
    stack.use(await openEffectJournal(join(base, name), deps));
  const openOn = (journal: EffectJournal) => openFiles({ homeDirectory: home, journal, ...deps });
  const journal = await openJournal("state");
  return {
    home,
    at: (path: string) => join(home, path),
    files: await openOn(journal),
    /** Files after a start that follows a kill: a call had noted this and had not ended. */
    interrupt: async (effect: Effect, noted: unknown) => {
      const [isNoted, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const running = journal.run(effect, async ({ note }) => {
        await note(noted);
        isNoted.resolve();
        await goOn.promise;
        return { ok: true, value: {} };
      });
      await isNoted.promise;
      await mkdir(join(base, "copy"));
      await copyFile(join(base, "state/effects.log"), join(base, "copy/effects.log"));
      goOn.resolve();
      await running;
      return openOn(await openJournal("copy"));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const effect: Effect = { chatId: "chat", callId: "call", inputHash: "0".repeat(64), fence: 1 };

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

test("pipes, devices and sockets are refused and never waited for", async () => {
  await using s = await scene();
  execFileSync("mkfifo", [s.at("pipe")]);
  for (const path of [s.at("pipe"), "/dev/zero", "/dev/tty"]) {
    for (const answer of [
      await s.files.readBytes({ path }),
      await s.files.readLines({ path }),
      await s.files.write({ path }, bytesOf("x")),
      await s.files.edit({ edits: [{ path, oldText: "a", newText: "b" }] }),
    ]) {
      assert.ok(!answer.ok && answer.failure.code === "not_a_file", path);
    }
  }
});

test("files of the kernel are read though they say that they are empty", async () => {
  await using s = await scene();
  const answer = await s.files.readLines({ path: "/proc/self/status", lines: 1 });
  assert.ok(answer.ok);
  assert.match(answer.value.content, /^1\tName:/);
  assert.ok(answer.value.fileSize > 0);
});

test("a directory that is swapped for a symlink after the look does not lead out", async () => {
  await using s = await scene();
  await mkdir(s.at("root/inner"), { recursive: true });
  await mkdir(s.at("outside"));
  await writeFile(s.at("outside/file"), "secret");
  await writeFile(s.at("root/inner/file"), "fine");
  const path = { path: s.at("root/inner/file"), root: s.at("root") };
  const resolved = await resolveTarget(path, s.home);
  assert.ok(resolved.ok);
  await rename(s.at("root/inner"), s.at("root/moved"));
  await symlink("../outside", s.at("root/inner"));
  const opened = await openForReading(resolved.value, systemClock);
  assert.ok(!opened.ok && opened.failure.code === "outside_root");
});

test("an upload into a directory that is swapped meanwhile stays in the directory", async () => {
  await using s = await scene();
  await mkdir(s.at("root/inner"), { recursive: true });
  await mkdir(s.at("outside"));
  async function* swapping(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("con");
    await rename(s.at("root/inner"), s.at("root/moved"));
    await symlink("../outside", s.at("root/inner"));
    yield Buffer.from("tent");
  }
  const path = s.at("root/inner/file");
  assert.ok((await s.files.write({ path, root: s.at("root") }, swapping())).ok);
  assert.deepEqual(await readdir(s.at("outside")), []);
  assert.equal(await readFile(s.at("root/moved/file"), "utf8"), "content");
});

test("an edit of a file that changes meanwhile is refused", async () => {
  await using s = await scene();
  await writeFile(s.at("a"), "a\n");
  await writeFile(s.at("b"), "b\n");
  // A writer that does not ask: every turn of the loop it adds a byte.
  let isOver = false;
  const writer = (async () => {
    while (!isOver) await appendFile(s.at("b"), ".");
  })();
  const answer = await s.files.edit({
    edits: [
      { path: s.at("a"), oldText: "a", newText: "A" },
      { path: s.at("b"), oldText: "b", newText: "B" },
    ],
  });
  isOver = true;
  await writer;
  assert.ok(!answer.ok && answer.failure.code === "conflict");
  assert.match(answer.failure.message, /b changed while it was edited/);
  assert.equal(await readFile(s.at("a"), "utf8"), "a\n");
  assert.deepEqual(await readdir(s.home), ["a", "b"]);
});

test("an interrupted write whose content is durable is finished by its repeat", async () => {
  await using s = await scene();
  const temp = ".atelier-effect-00000000000000000000000000000000-0.tmp";
  await writeFile(s.at("file"), "old");
  await writeFile(s.at(temp), "new");
  const plan = { kind: "write", directory: s.home, name: "file", temp };
  const files = await s.interrupt(effect, plan);
  const answer = await files.write({ path: s.at("file"), effect }, bytesOf("new"));
  assert.ok(answer.ok && !answer.value.replayed);
  assert.equal(await readFile(s.at("file"), "utf8"), "new");
  assert.deepEqual(await readdir(s.home), ["file"]);
});

test("an interrupted write that took place is not done again", async () => {
  await using s = await scene();
  await writeFile(s.at("file"), "changed since");
  const plan = { kind: "write", directory: s.home, name: "file", temp: ".atelier-gone.tmp" };
  const files = await s.interrupt(effect, plan);
  const answer = await files.write({ path: s.at("file"), effect }, bytesOf("new"));
  assert.ok(answer.ok && answer.value.file.size === 13);
  assert.equal(await readFile(s.at("file"), "utf8"), "changed since");
});

test("an interrupted write of a new file is finished, also between its two names", async () => {
  await using s = await scene();
  const temp = ".atelier-effect-00000000000000000000000000000000-0.tmp";
  await writeFile(s.at(temp), "new");
  await link(s.at(temp), s.at("file"));
  const plan = { kind: "write", directory: s.home, name: "file", temp };
  const files = await s.interrupt(effect, plan);
  const input = { path: s.at("file"), overwrite: "never" as const, effect };
  assert.ok((await files.write(input, bytesOf("new"))).ok);
  assert.deepEqual(await readdir(s.home), ["file"]);
});

test("an interrupted edit that somebody else overtook says what it did, each time", async () => {
  await using s = await scene();
  await writeFile(s.at("a"), "new");
  await writeFile(s.at("b"), "changed since");
  await writeFile(s.at("b.tmp"), "new");
  const planned = (name: string) => ({
    path: s.at(name),
    diff: "",
    directory: s.home,
    name,
    temp: `${name}.tmp`,
    beforeHash: "not this",
  });
  const plan = { kind: "edit", files: [planned("a"), planned("b")], torn: null };
  const files = await s.interrupt(effect, plan);
  const edits = ["a", "b"].map((name) => ({ path: s.at(name), oldText: "old", newText: "new" }));
  for (let repeat = 0; repeat < 2; repeat += 1) {
    const answer = await files.edit({ edits, effect });
    assert.ok(!answer.ok && answer.failure.code === "conflict");
    assert.match(answer.failure.message, /a has it, .*b does not/);
  }
  assert.equal(await readFile(s.at("b"), "utf8"), "changed since");
  assert.deepEqual(await readdir(s.home), ["a", "b"]);
});

test("an interrupted removal does not take what came after it", async () => {
  await using s = await scene();
  await writeFile(s.at("file"), "new one");
  const files = await s.interrupt(effect, { inode: 1, device: 1, bornMs: 1 });
  assert.ok((await files.remove({ path: s.at("file"), effect })).ok);
  assert.equal(await readFile(s.at("file"), "utf8"), "new one");
});

test("an interrupted rename that took place is a success", async () => {
  await using s = await scene();
  await writeFile(s.at("to"), "x");
  const { ino, dev, birthtimeMs } = await stat(s.at("to"));
  const files = await s.interrupt(effect, { inode: ino, device: dev, bornMs: birthtimeMs });
  const answer = await files.rename({ from: s.at("from"), to: s.at("to"), effect });
  assert.ok(answer.ok && answer.value.file.path === s.at("to"));
});

test("an interrupted rename whose thing is nowhere is lost", async () => {
  await using s = await scene();
  const files = await s.interrupt(effect, { inode: 1, device: 1, bornMs: 1 });
  const answer = await files.rename({ from: s.at("from"), to: s.at("to"), effect });
  assert.ok(!answer.ok && answer.failure.code === "effect_lost");
});

test("what crashed writers left is removed once nobody can come back for it", async () => {
  await using s = await scene();
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
  const left = {
    ".atelier-AAAAAAAAAAAAAAAAAAAA.tmp": 2,
    ".atelier-BBBBBBBBBBBBBBBBBBBB.tmp": 0.5,
    [`.atelier-effect-${"0".repeat(32)}-0.tmp`]: 100,
    [`.atelier-effect-${"1".repeat(32)}-0.tmp`]: 200,
    ".atelier-mine.tmp": 1_000,
  };
  for (const [name, age] of Object.entries(left)) {
    await writeFile(s.at(name), "");
    await utimes(s.at(name), hours(age), hours(age));
  }
  assert.ok((await s.files.write({ path: s.at("file") }, bytesOf("x"))).ok);
  assert.deepEqual(await readdir(s.home), [
    ".atelier-BBBBBBBBBBBBBBBBBBBB.tmp",
    `.atelier-effect-${"0".repeat(32)}-0.tmp`,
    ".atelier-mine.tmp",
    "file",
  ]);
});

test("the owner of a file stays", { skip: process.getuid?.() !== 0 }, async () => {
  await using s = await scene();
  await writeFile(s.at("file"), "old");
  await chown(s.at("file"), 1_234, 4_321);
  await chmod(s.at("file"), 0o4755);
  assert.ok((await s.files.write({ path: s.at("file") }, bytesOf("new"))).ok);
  const { uid, gid, mode } = await stat(s.at("file"));
  assert.deepEqual([uid, gid, mode & 0o7777], [1_234, 4_321, 0o4755]);
});

const IS_ROOT = process.getuid?.() === 0 && "root may read every file";
test("a reader who may not see a file hears so", { skip: IS_ROOT }, async () => {
  await using s = await scene();
  await writeFile(s.at("file"), "x");
  await chmod(s.at("file"), 0o000);
  const answer = await s.files.readBytes({ path: s.at("file") });
  assert.ok(!answer.ok && answer.failure.code === "permission_denied");
});

test("large files pass through with flat memory", async () => {
  await using s = await scene();
  const megabytes = 256;
  const chunk = Buffer.alloc(1024 * 1024, 7);
  let peak = 0;
  const before = process.memoryUsage.rss();
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss() - before);
  };
  async function* content(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < megabytes; i += 1) {
      look();
      yield chunk;
    }
  }
  assert.ok((await s.files.write({ path: s.at("large") }, content())).ok);
  const answer = await s.files.readBytes({ path: s.at("large") });
  assert.ok(answer.ok);
  let bytes = 0;
  for await (const part of answer.value.bytes) {
    bytes += part.byteLength;
    look();
  }
  assert.equal(bytes, megabytes * 1024 * 1024);
  const lines = await s.files.readLines({ path: s.at("large"), lines: 1 });
  look();
  assert.ok(lines.ok && lines.value.totalLines === 1);
  assert.ok(peak < 128 * 1024 * 1024, `${Math.round(peak / 1024 / 1024)} MiB more`);
});

test("a file that does not answer in time is given up", async () => {
  const clock = new FakeClock();
  const answer = withinTime(new Promise(() => {}), clock);
  await clock.advance(10_000);
  assert.equal(await answer, null);
});

test("no file stays open when nobody reads what was asked for", async () => {
  await using s = await scene();
  await writeFile(s.at("file"), "x");
  const count = async () => (await readdir("/proc/self/fd")).length;
  const before = await count();
  const controller = new AbortController();
  for (let i = 0; i < 20; i += 1) {
    assert.ok((await s.files.readBytes({ path: s.at("file") }, controller)).ok);
  }
  controller.abort(new Error("gone"));
  while ((await count()) > before + 1) await new Promise((next) => setTimeout(next, 20));
});
