/** What every implementation of the port of files does (contract, workspace/files). */
import type { FileInfo, WorkspaceFiles } from "@atelier/contract/rpc/workspace/files";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { failsWith, valueOf } from "./answers.ts";

export type FilesWorld = AsyncDisposable & {
  readonly files: WorkspaceFiles;
  /** Empty, without symlinks in its path; also what `~` means. */
  readonly directory: string;
};

async function* bytesOf(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}

async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

let calls = 0;
function effectOf(input: string): {
  chatId: string;
  callId: string;
  inputHash: string;
  fence: number;
} {
  calls += 1;
  const inputHash = createHash("sha256").update(input).digest("hex");
  return { chatId: "chat", callId: `call-${calls}`, inputHash, fence: 1 };
}

const names = (entries: readonly FileInfo[]): string[] => entries.map((entry) => entry.name);

/** Runs on worlds as `open` makes them. `name`: of the implementation. */
export function testFiles(name: string, open: () => Promise<FilesWorld>): void {
  const it = (
    says: string,
    check: (world: FilesWorld & { readonly at: (path: string) => string }) => Promise<void>,
  ): void => {
    test(`files, ${name}: ${says}`, async () => {
      await using world = await open();
      await check({ ...world, at: (path) => join(world.directory, path) });
    });
  };
  testReading(it);
  testWriting(it);
  testRoots(it);
  testEditing(it);
  testNames(it);
  testWatching(it);
}

type It = (
  says: string,
  check: (world: FilesWorld & { readonly at: (path: string) => string }) => Promise<void>,
) => void;

function testReading(it: It): void {
  it("stat tells files, directories and symlinks apart", async ({ files, at }) => {
    await writeFile(at("file"), "four", { mode: 0o640 });
    await symlink("file", at("link"));
    await symlink("nowhere", at("dangling"));
    const { modifiedAt, ...file } = valueOf(await files.stat({ path: at("file") }));
    assert.deepEqual(file, {
      path: at("file"),
      name: "file",
      kind: "file",
      size: 4,
      mode: 0o640,
      target: null,
    });
    assert.equal(modifiedAt, (await stat(at("file"))).mtime.toISOString());
    const link = valueOf(await files.stat({ path: "~/link" }));
    assert.deepEqual([link.kind, link.target, link.path], ["symlink", at("file"), at("link")]);
    assert.equal(valueOf(await files.stat({ path: at("dangling") })).target, null);
    assert.equal(valueOf(await files.stat({ path: at("") })).kind, "directory");
    failsWith(await files.stat({ path: at("none") }), "not_found", /none/);
    failsWith(await files.stat({ path: at("file/below") }), "not_a_directory");
  });

  it("paths are absolute or from home, and have no NUL", async ({ files }) => {
    for (const path of ["relative", "./x", "~user/x", "", "/a\0b"]) {
      failsWith(await files.stat({ path }), "invalid");
    }
  });

  it("a directory is listed page by page, directories first", async ({ files, at, directory }) => {
    for (const name of ["b", "a", "é", "C"]) await writeFile(at(name), "");
    for (const name of ["z", "y"]) await mkdir(at(name));
    const expected = ["y", "z", "C", "a", "b", "é"];
    const whole = valueOf(await files.list({ path: directory }));
    assert.deepEqual([names(whole.entries), whole.next], [expected, null]);
    for (const limit of [1, 2, 3, 6]) {
      const seen: string[] = [];
      let after = "";
      for (;;) {
        const page = valueOf(await files.list({ path: directory, limit, after }));
        seen.push(...names(page.entries));
        if (page.next === null) break;
        after = page.next;
      }
      assert.deepEqual(seen, expected, `pages of ${limit}`);
    }
    failsWith(await files.list({ path: at("a") }), "not_a_directory");
  });

  it("bytes come as they are, whole and in ranges", async ({ files, at }) => {
    const content = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 7) % 256));
    await writeFile(at("file"), content);
    for (const { offset, length } of [
      { offset: 0, length: null },
      { offset: 999_999, length: null },
      { offset: 10, length: 300_000 },
      { offset: 5, length: 0 },
      { offset: 2_000_000, length: 5 },
    ]) {
      const answer = valueOf(await files.readBytes({ path: at("file"), offset, length }));
      const end = length === null ? undefined : offset + length;
      assert.ok((await gather(answer.bytes)).equals(content.subarray(offset, end)));
      assert.equal(answer.value.size, content.byteLength);
    }
  });

  it("a reader of bytes may stop early, or abort", async ({ files, at }) => {
    await writeFile(at("file"), Buffer.alloc(20_000_000));
    for await (const _ of valueOf(await files.readBytes({ path: at("file") })).bytes) break;
    const controller = new AbortController();
    const { signal } = controller;
    const { bytes } = valueOf(await files.readBytes({ path: at("file") }, { signal }));
    const reason = new Error("enough");
    await assert.rejects(async () => {
      for await (const _ of bytes) controller.abort(reason);
    }, reason);
  });

  it("lines come numbered, and what is left out is said", async ({ files, at }) => {
    await writeFile(at("file"), "one\ntwo\nthree\nfour");
    assert.deepEqual(valueOf(await files.readLines({ path: at("file"), fromLine: 2, lines: 2 })), {
      content: "2\ttwo\n3\tthree\n",
      fileSize: 18,
      linesRead: 2,
      totalLines: 4,
      note: "Lines 2–3 of 4 are shown: read on from line 4.",
    });
    const end = valueOf(await files.readLines({ path: at("file"), fromLine: 9 }));
    assert.deepEqual([end.content, end.note], ["", "The file has 4 lines: none from 9 on."]);
    await writeFile(at("binary"), Buffer.from([1, 0, 2]));
    const binary = valueOf(await files.readLines({ path: at("binary") }));
    assert.deepEqual([binary.content, binary.totalLines], ["", 0]);
    assert.match(binary.note, /binary \(3 bytes\)/);
    failsWith(await files.readLines({ path: at("") }), "not_a_file");
  });
}

function testWriting(it: It): void {
  it("a write makes a file with the directories above it", async ({ files, at }) => {
    const path = at("a/b/file");
    const answer = valueOf(await files.write({ path, mode: 0o600 }, bytesOf("con", "tent")));
    assert.deepEqual([answer.replayed, answer.file.size, answer.file.mode], [false, 7, 0o600]);
    assert.equal(answer.file.path, path);
    assert.equal(await readFile(path, "utf8"), "content");
    assert.deepEqual(await readdir(at("a/b")), ["file"]);
  });

  it("a write keeps the mode of the file it replaces", async ({ files, at }) => {
    await writeFile(at("script"), "old");
    await chmod(at("script"), 0o751);
    valueOf(await files.write({ path: at("script") }, bytesOf("new")));
    assert.equal((await stat(at("script"))).mode & 0o7777, 0o751);
    valueOf(await files.write({ path: at("script"), mode: 0o700 }, bytesOf("newer")));
    assert.equal((await stat(at("script"))).mode & 0o7777, 0o700);
    assert.equal(await readFile(at("script"), "utf8"), "newer");
  });

  it("a write goes through symlinks, also to what does not exist", async ({ files, at }) => {
    await mkdir(at("real"));
    await writeFile(at("real/file"), "old");
    await symlink("real", at("way"));
    await symlink("way/file", at("link"));
    await symlink("real/made", at("dangling"));
    valueOf(await files.write({ path: at("link") }, bytesOf("new")));
    valueOf(await files.write({ path: at("dangling") }, bytesOf("made")));
    assert.equal(await readFile(at("real/file"), "utf8"), "new");
    assert.equal(await readFile(at("real/made"), "utf8"), "made");
    assert.equal(valueOf(await files.stat({ path: at("link") })).kind, "symlink");
  });

  it("a write may leave what exists as it is", async ({ files, at }) => {
    const once = { path: at("file"), overwrite: "never" as const };
    valueOf(await files.write(once, bytesOf("first")));
    failsWith(await files.write(once, bytesOf("second")), "already_exists");
    assert.equal(await readFile(at("file"), "utf8"), "first");
    await symlink("nowhere", at("link"));
    const link = { path: at("link"), overwrite: "never" as const };
    failsWith(await files.write(link, bytesOf("third")), "already_exists");
  });

  it("a write never replaces a directory", async ({ files, at }) => {
    await mkdir(at("directory"));
    failsWith(await files.write({ path: at("directory") }, bytesOf("x")), "not_a_file");
    failsWith(await files.write({ path: at("file/") }, bytesOf("x")), "invalid");
    await writeFile(at("file"), "");
    failsWith(await files.write({ path: at("file/below") }, bytesOf("x")), "not_a_directory");
  });

  it("a broken upload leaves the old file, and nothing beside it", async ({ files, at }) => {
    await writeFile(at("file"), "old");
    const broken = new Error("the source broke");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3_000_000);
      throw broken;
    }
    await assert.rejects(files.write({ path: at("file") }, source()), broken);
    // The other side of a link hears of it a moment later.
    while ((await readdir(at(""))).length > 1) await new Promise((next) => setTimeout(next, 5));
    assert.equal(await readFile(at("file"), "utf8"), "old");
  });

  it("a repeated write answers as the first did, and does nothing", async ({ files, at }) => {
    const effect = effectOf("large");
    const large = Buffer.alloc(40_000_000, 1);
    const input = { path: at("file"), effect };
    const first = valueOf(await files.write(input, bytesOf(large)));
    await writeFile(at("file"), "changed since");
    const again = valueOf(await files.write(input, bytesOf(large)));
    assert.deepEqual(again, { ...first, replayed: true });
    assert.equal(await readFile(at("file"), "utf8"), "changed since");
  });

  it("writes at once do not mix", async ({ files, at }) => {
    const contents = Array.from({ length: 8 }, (_, i) => Buffer.alloc(300_000, i));
    await Promise.all(
      contents.map((content) => files.write({ path: at("file") }, bytesOf(content))),
    );
    const content = await readFile(at("file"));
    assert.ok(contents.some((each) => each.equals(content)));
    assert.deepEqual(await readdir(at("")), ["file"]);
  });
}

function testRoots(it: It): void {
  it("nothing leaves its root: not by name, and not by symlink", async ({ files, at }) => {
    await mkdir(at("root/inner"), { recursive: true });
    await mkdir(at("outside"));
    await writeFile(at("outside/file"), "secret\n");
    await symlink("../outside", at("root/way"));
    await symlink("../outside/file", at("root/link"));
    await symlink("../outside/made", at("root/dangling"));
    await symlink(at("outside"), at("root/inner/absolute"));
    const root = at("root");
    for (const path of ["outside/file", "root/../outside/file", "root/way/file", "root/link"]) {
      const target = { path: at(path), root };
      failsWith(await files.readBytes(target), "outside_root");
      failsWith(await files.readLines(target), "outside_root");
      failsWith(await files.write(target, bytesOf("x")), "outside_root");
      const edits = [{ path: at(path), oldText: "secret", newText: "x" }];
      failsWith(await files.edit({ edits, root }), "outside_root", /edits\[0\]/);
    }
    const ways = ["root/way/new", "root/dangling", "root/inner/absolute/new", "rootless"];
    for (const path of ways) {
      failsWith(await files.write({ path: at(path), root }, bytesOf("x")), "outside_root");
      failsWith(await files.makeDirectory({ path: at(path), root }), "outside_root");
    }
    failsWith(await files.list({ path: at("root/way"), root }), "outside_root");
    failsWith(await files.stat({ path: at("root/way/file"), root }), "outside_root");
    failsWith(await files.watch({ path: at("root/way"), root }), "outside_root");
    failsWith(await files.remove({ path: at("root/way/file"), root }), "outside_root");
    failsWith(await files.remove({ path: root, root, recursive: true }), "outside_root");
    const out = { from: at("root/inner"), to: at("root/way/inner"), root };
    failsWith(await files.rename(out), "outside_root");
    const into = { from: at("outside/file"), to: at("root/file"), root };
    failsWith(await files.rename(into), "outside_root");
    assert.deepEqual(await readdir(at("outside")), ["file"]);
    assert.equal(await readFile(at("outside/file"), "utf8"), "secret\n");
  });

  it("a root itself may be a symlink, and links inside of it work", async ({ files, at }) => {
    await mkdir(at("real"));
    await symlink("real", at("root"));
    await symlink("file", at("real/link"));
    await symlink("/etc", at("real/out"));
    const root = at("root");
    valueOf(await files.write({ path: at("root/link"), root }, bytesOf("x")));
    assert.equal(await readFile(at("real/file"), "utf8"), "x");
    assert.equal(valueOf(await files.stat({ path: at("real/out"), root })).target, null);
    failsWith(await files.stat({ path: at("none/file"), root: at("none") }), "not_found");
  });
}

function testEditing(it: It): void {
  it("edits of several files apply together, and tell what changed", async ({ files, at }) => {
    await writeFile(at("a"), "one\ntwo\n");
    await writeFile(at("b"), "\tif (x) {\r\n\t\ty();\r\n\t}\r\n");
    await chmod(at("a"), 0o755);
    const answer = valueOf(
      await files.edit({
        edits: [
          { path: at("a"), oldText: "two", newText: "2" },
          { path: at("b"), oldText: "if (x) {\n    y();\n}", newText: "if (x) {\n    z();\n}" },
          { path: at("a"), oldText: "one\n2\n", newText: "1\n2\n" },
        ],
      }),
    );
    assert.equal(await readFile(at("a"), "utf8"), "1\n2\n");
    assert.equal(await readFile(at("b"), "utf8"), "\tif (x) {\r\n\t\tz();\r\n\t}\r\n");
    assert.equal((await stat(at("a"))).mode & 0o777, 0o755);
    assert.deepEqual(
      answer.files.map(({ path }) => path),
      [at("a"), at("b")],
    );
    const diff = `--- ${at("a")}\n+++ ${at("a")}\n@@ -1,2 +1,2 @@\n-one\n-two\n+1\n+2\n`;
    assert.equal(answer.files[0]?.diff, diff);
    assert.deepEqual((await readdir(at(""))).toSorted(), ["a", "b"]);
  });

  it("one edit that does not fit keeps all files as they are", async ({ files, at }) => {
    await writeFile(at("a"), "one\n");
    await writeFile(at("b"), "alpha(1);\nbeta\nbeta\n");
    const good = { path: at("a"), oldText: "one", newText: "1" };
    const absent = { path: at("b"), oldText: "alpha(2);", newText: "x" };
    const answer = await files.edit({ edits: [good, absent] });
    failsWith(answer, "conflict", /edits\[1\] .*Line 1 comes closest: it is "alpha\(1\);"/);
    failsWith(answer, "conflict", /No edits were applied/);
    const several = { path: at("b"), oldText: "beta", newText: "x" };
    failsWith(await files.edit({ edits: [good, several] }), "conflict", /2 times \(lines 2, 3\)/);
    const missing = { path: at("c"), oldText: "beta", newText: "x" };
    failsWith(await files.edit({ edits: [good, missing] }), "not_found", /edits\[1\].*\/c/);
    await writeFile(at("binary"), Buffer.from([0xff, 0xfe, 0x61]));
    const binary = { path: at("binary"), oldText: "a", newText: "x" };
    failsWith(await files.edit({ edits: [good, binary] }), "conflict", /UTF-8/);
    const same = { path: at("a"), oldText: "one", newText: "one" };
    failsWith(await files.edit({ edits: [same] }), "invalid", /the same/);
    assert.equal(await readFile(at("a"), "utf8"), "one\n");
  });

  it("a repeated edit answers as the first did, and does nothing", async ({ files, at }) => {
    await writeFile(at("a"), "x\n");
    const edits = [{ path: at("a"), oldText: "x", newText: "xx" }];
    const input = { edits, effect: effectOf("edit") };
    const first = valueOf(await files.edit(input));
    assert.deepEqual(valueOf(await files.edit(input)), { ...first, replayed: true });
    assert.equal(await readFile(at("a"), "utf8"), "xx\n");
  });

  it("edits at once are all there in the end", async ({ files, at }) => {
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    await writeFile(at("a"), numbers.map((i) => `line ${i};\n`).join(""));
    const answers = await Promise.all(
      numbers.map((i) =>
        files.edit({ edits: [{ path: at("a"), oldText: `line ${i};`, newText: `done ${i};` }] }),
      ),
    );
    for (const answer of answers) valueOf(answer);
    const expected = numbers.map((i) => `done ${i};\n`).join("");
    assert.equal(await readFile(at("a"), "utf8"), expected);
  });
}

function testNames(it: It): void {
  it("directories are made with those above, and again", async ({ files, at }) => {
    const made = valueOf(await files.makeDirectory({ path: at("a/b/c") }));
    assert.deepEqual([made.directory.kind, made.directory.path], ["directory", at("a/b/c")]);
    valueOf(await files.makeDirectory({ path: at("a/b/c") }));
    await writeFile(at("file"), "");
    failsWith(await files.makeDirectory({ path: at("file") }), "already_exists");
  });

  it("a rename moves files and symlinks, and never replaces", async ({ files, at }) => {
    await mkdir(at("directory"));
    await writeFile(at("file"), "x");
    await symlink("file", at("link"));
    const moved = valueOf(await files.rename({ from: at("link"), to: at("directory/moved") }));
    assert.deepEqual([moved.file.kind, moved.file.path], ["symlink", at("directory/moved")]);
    failsWith(await files.rename({ from: at("file"), to: at("directory") }), "already_exists");
    failsWith(await files.rename({ from: at("none"), to: at("new") }), "not_found", /none/);
    const inside = { from: at("directory"), to: at("directory/inside") };
    failsWith(await files.rename(inside), "invalid");
    const input = { from: at("file"), to: at("other"), effect: effectOf("rename") };
    const first = valueOf(await files.rename(input));
    assert.deepEqual(valueOf(await files.rename(input)), { ...first, replayed: true });
    assert.deepEqual(await readdir(at("")), ["directory", "other"]);
  });

  it("a removal takes symlinks themselves, and directories only when told", async (world) => {
    const { files, at } = world;
    await mkdir(at("directory/inner"), { recursive: true });
    await writeFile(at("kept"), "x");
    await symlink("../kept", at("directory/link"));
    await symlink("directory", at("link"));
    valueOf(await files.remove({ path: at("link"), recursive: true }));
    failsWith(await files.remove({ path: at("directory") }), "not_a_file", /recursive/);
    const input = { path: at("directory"), recursive: true, effect: effectOf("remove") };
    assert.deepEqual(valueOf(await files.remove(input)), { replayed: false });
    assert.deepEqual(valueOf(await files.remove(input)), { replayed: true });
    failsWith(await files.remove({ path: at("directory") }), "not_found");
    failsWith(await files.remove({ path: "~", recursive: true }), "permission_denied");
    failsWith(await files.remove({ path: "/", recursive: true }), "permission_denied");
    assert.deepEqual(await readdir(at("")), ["kept"]);
  });
}

function testWatching(it: It): void {
  it("a watch tells what changes below, new directories included", async ({ files, at }) => {
    await mkdir(at("node_modules/x"), { recursive: true });
    await mkdir(at(".git"));
    await symlink(".", at("self"));
    const controller = new AbortController();
    const { signal } = controller;
    const seen = new Set<string>();
    const events = valueOf(await files.watch({ path: at("self") }, { signal }));
    const waiting = new Map<string, () => void>();
    const isOver = (async () => {
      for await (const event of events) {
        if (event.kind === "ready") waiting.get("ready")?.();
        if (event.kind !== "changed") continue;
        for (const path of event.paths) {
          seen.add(path);
          waiting.get(path)?.();
        }
      }
    })();
    const until = (what: string): Promise<void> =>
      seen.has(what)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(what, () => resolve()));
    await until("ready");
    await writeFile(at("file"), "x");
    await until(at("self/file"));
    await mkdir(at("new/inner"), { recursive: true });
    await writeFile(at("new/inner/file"), "x");
    await until(at("self/new/inner/file"));
    await rm(at("new"), { recursive: true });
    await mkdir(at("new/inner"), { recursive: true });
    seen.clear();
    await writeFile(at("node_modules/x/file"), "x");
    await writeFile(at(".git/index"), "x");
    valueOf(await files.write({ path: at("new/inner/again") }, bytesOf("x")));
    await until(at("self/new/inner/again"));
    const hidden = [...seen].filter((path) => /\/x\/|\/index|\.tmp$/.test(path));
    assert.deepEqual(hidden, []);
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(isOver, reason);
  });

  it("a watch ends when its directory goes away", async ({ files, at }) => {
    await mkdir(at("directory"));
    const events = valueOf(await files.watch({ path: at("directory") }));
    const seen: unknown[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.kind === "ready") await rm(at("directory"), { recursive: true });
    }
    assert.deepEqual(seen, [{ kind: "ready" }, { kind: "changed", paths: [at("directory")] }]);
    failsWith(await files.watch({ path: at("directory") }), "not_found");
  });
}
