/** What every implementation of the port of machines does (contract, workspace/machine). */
import type { ContextFile, WorkspaceMachine } from "@atelier/contract/rpc/workspace/machine";
import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { failsWith, valueOf } from "./answers.ts";

export type MachineWorld = AsyncDisposable & {
  readonly machine: WorkspaceMachine;
  /** The home directory, and where processes start. Empty. */
  readonly directory: string;
};

type Scene = {
  readonly machine: WorkspaceMachine;
  readonly at: (path: string) => string;
  /** Makes files with their directories. */
  readonly make: (files: Readonly<Record<string, string>>) => Promise<void>;
};

type It = (says: string, check: (scene: Scene) => Promise<void>) => void;

/** Runs on worlds as `open` makes them. `name`: of the implementation. */
export function testMachine(name: string, open: () => Promise<MachineWorld>): void {
  const it: It = (says, check) => {
    test(`machine, ${name}: ${says}`, async () => {
      await using world = await open();
      const at = (path: string): string => join(world.directory, path);
      await check({
        machine: world.machine,
        at,
        make: async (files) => {
          for (const [path, text] of Object.entries(files)) {
            await mkdir(dirname(at(path)), { recursive: true });
            await writeFile(at(path), text);
          }
        },
      });
    });
  };
  testMeasures(it);
  testContext(it);
}

function testMeasures(it: It): void {
  it("it says what it is", async ({ machine, at }) => {
    const info = valueOf(await machine.info({}));
    assert.equal(info.home, at(""));
    for (const text of [info.hostname, info.os, info.arch, info.kernel]) assert.notEqual(text, "");
  });

  it("it says how it does, within what it has", async ({ machine }) => {
    const stats = valueOf(await machine.stats({}));
    assert.ok(stats.cpuCores > 0 && stats.cpuCoresUsed >= 0);
    assert.ok(0 < stats.memoryBytesUsed && stats.memoryBytesUsed <= stats.memoryBytes);
    assert.ok(0 < stats.diskBytesUsed && stats.diskBytesUsed <= stats.diskBytes);
  });

  it("it says so again and again", async ({ machine }) => {
    const controller = new AbortController();
    const watch = valueOf(await machine.watchStats({ intervalMs: 250 }, controller));
    const times: number[] = [];
    const reason = new Error("enough");
    await assert.rejects(async () => {
      for await (const { at } of watch) {
        times.push(Date.parse(at));
        if (times.length === 3) controller.abort(reason);
      }
    }, reason);
    const [first = 0, , third = 0] = times;
    assert.ok(third - first >= 400, `${third - first} ms`);
  });
}

function testContext(it: It): void {
  const shown = (files: readonly ContextFile[], at: (path: string) => string): string[] =>
    files.map((file) => file.path.replace(`${at("")}/`, ""));

  it("instructions come from home, and from the repository's top down", async (scene) => {
    const { machine, at, make } = scene;
    await make({
      "CLAUDE.md": "home",
      "work/AGENTS.md": "above the repository",
      "work/repository/.git/HEAD": "",
      "work/repository/AGENTS.md": "top",
      "work/repository/a/CLAUDE.md": "a",
      "work/repository/a/b/AGENTS.md": "b",
      "work/repository/a/b/c/AGENTS.md": "below",
    });
    await symlink("AGENTS.md", at("work/repository/CLAUDE.md"));
    const answer = valueOf(await machine.contextFiles({ directory: at("work/repository/a/b") }));
    assert.deepEqual(shown(answer.files, at), [
      "CLAUDE.md",
      "work/repository/AGENTS.md",
      "work/repository/a/CLAUDE.md",
      "work/repository/a/b/AGENTS.md",
    ]);
    assert.deepEqual(answer.files[1], {
      kind: "instructions",
      path: at("work/repository/AGENTS.md"),
      name: "",
      description: "",
      content: "top",
      isCut: false,
    });
    const home = valueOf(await machine.contextFiles({}));
    assert.deepEqual(shown(home.files, at), ["CLAUDE.md"]);
    failsWith(await machine.contextFiles({ directory: at("none") }), "not_found");
    failsWith(await machine.contextFiles({ directory: "relative" }), "invalid");
  });

  it("of skills with one name the nearest counts", async ({ machine, at, make }) => {
    const skill = (description: string) =>
      `---\nname: x\ndescription: ${description}\n---\nDo it.\n`;
    await make({
      ".agents/skills/review/SKILL.md": skill("from home"),
      ".agents/skills/at-home/SKILL.md": skill("only there"),
      "repository/.git/HEAD": "",
      "repository/.claude/skills/review/SKILL.md": skill("for Claude"),
      "repository/.agents/skills/review/SKILL.md": skill("of the repository"),
      "repository/.agents/skills/Not_A_Name/SKILL.md": skill("-"),
      "repository/.agents/skills/empty/README.md": "",
    });
    const { files } = valueOf(await machine.contextFiles({ directory: at("repository") }));
    assert.deepEqual(
      files.map(({ kind, name, description }) => [kind, name, description]),
      [
        ["skill", "review", "of the repository"],
        ["skill", "at-home", "only there"],
      ],
    );
    assert.equal(files[0]?.content, skill("of the repository"));
  });

  it("nothing is taken from outside the repository", async ({ machine, at, make }) => {
    await make({ secret: "s", "repository/.git/HEAD": "", "outside/x/SKILL.md": "s" });
    await symlink("../secret", at("repository/AGENTS.md"));
    await symlink("/etc/passwd", at("repository/CLAUDE.md"));
    await mkdir(at("repository/.agents"));
    await symlink("../../outside", at("repository/.agents/skills"));
    const { files } = valueOf(await machine.contextFiles({ directory: at("repository") }));
    assert.deepEqual(files, []);
  });

  it("long files are cut, each and all together", async ({ machine, at, make }) => {
    const names = Array.from({ length: 10 }, (_, i) => `repository/.agents/skills/s${i}/SKILL.md`);
    const long = "é".repeat(40_000);
    await make({ "repository/.git/HEAD": "", "repository/AGENTS.md": long });
    await make(Object.fromEntries(names.map((name) => [name, long])));
    const { files } = valueOf(await machine.contextFiles({ directory: at("repository") }));
    assert.equal(files.length, 11);
    assert.ok(files.every(({ isCut }) => isCut));
    assert.equal(files[0]?.content, "é".repeat(32_768));
    assert.equal(files.at(-1)?.content, "");
    const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    assert.equal(bytes, 512 * 1024);
  });
}
