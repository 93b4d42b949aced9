/** What every implementation of the port of git does (contract, workspace/git). */
import type { GitState, WorkspaceGit } from "@atelier/contract/rpc/workspace/git";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { failsWith, valueOf } from "./answers.ts";
import { testChanges } from "./workspace-git-changes.ts";

export type GitWorld = AsyncDisposable & {
  readonly git: WorkspaceGit;
  /** Empty; also what `~` means. */
  readonly directory: string;
};

export type Repository = {
  readonly git: WorkspaceGit;
  /** Its top directory. */
  readonly top: string;
  readonly at: (path: string) => string;
  readonly run: (...args: string[]) => string;
};

function repositoryIn({ git, directory }: GitWorld): Repository {
  const environment = {
    PATH: process.env["PATH"],
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@example.com",
  };
  const run = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: join(directory, "repository"),
      env: environment,
      encoding: "utf8",
    });
  return {
    git,
    top: join(directory, "repository"),
    at: (path) => join(directory, "repository", path),
    run,
  };
}

/** Runs on worlds as `open` makes them. `name`: of the implementation. */
export function testGit(name: string, open: () => Promise<GitWorld>): void {
  const it = (says: string, check: (repository: Repository) => Promise<void>): void => {
    test(`git, ${name}: ${says}`, async () => {
      await using world = await open();
      const repository = repositoryIn(world);
      await mkdir(repository.at(""));
      repository.run("init", "--initial-branch=main");
      await check(repository);
    });
  };
  testState(it);
  testChanges(it);
  testHostility(it);
  testWatch(it);
}

export type It = (says: string, check: (repository: Repository) => Promise<void>) => void;

function testState(it: It): void {
  it("a state tells branch, commit, remote and every changed file", async ({
    git,
    top,
    at,
    run,
  }) => {
    await writeFile(at("changed"), "1\n2\n3\n");
    await writeFile(at("moved"), "a\nb\nc\nd\ne\n");
    await writeFile(at("deleted"), "x\n");
    run("add", ".");
    run("commit", "-qm", "first");
    run("remote", "add", "origin", "https://name:secret@example.com/a.git");
    await writeFile(at("changed"), "1\ntwo\n3\n4\n");
    run("mv", "moved", "new name");
    await rm(at("deleted"));
    await mkdir(at("inner"));
    await writeFile(at("inner/untracked"), "1\n2");
    await writeFile(at("binary"), Buffer.from([0, 1]));
    const state = valueOf(await git.state({ path: "~/repository/inner/untracked" }));
    assert.deepEqual(state, {
      root: top,
      branch: "main",
      commit: run("rev-parse", "HEAD").trim(),
      upstream: null,
      ahead: 0,
      behind: 0,
      remoteUrl: "https://example.com/a.git",
      isCut: false,
      files: [
        { path: "changed", status: " M", from: null, added: 2, removed: 1, isBinary: false },
        { path: "deleted", status: " D", from: null, added: 0, removed: 1, isBinary: false },
        { path: "new name", status: "R ", from: "moved", added: 0, removed: 0, isBinary: false },
        { path: "binary", status: "??", from: null, added: 0, removed: 0, isBinary: true },
        {
          path: "inner/untracked",
          status: "??",
          from: null,
          added: 2,
          removed: 0,
          isBinary: false,
        },
      ],
    });
  });

  it("a state before the first commit counts what was added", async ({ git, at, run }) => {
    await writeFile(at("file"), "1\n2\n");
    run("add", "file");
    const { commit, files } = valueOf(await git.state({ path: at("") }));
    assert.equal(commit, null);
    assert.deepEqual(files, [
      { path: "file", status: "A ", from: null, added: 2, removed: 0, isBinary: false },
    ]);
  });

  it("the diff holds untracked files as git itself shows them", async ({ git, at, run }) => {
    await writeFile(at("known"), "1\n");
    run("add", ".");
    run("commit", "-qm", "first");
    await writeFile(at("known"), "2\n");
    await writeFile(at("new one"), "a\nb\n");
    await writeFile(at("open"), "a");
    await writeFile(at("script"), "#!/bin/sh\n");
    await chmod(at("script"), 0o755);
    await writeFile(at("empty"), "");
    await symlink("known", at("link"));
    const { diff, isCut } = valueOf(await git.diff({ path: at("") }));
    assert.equal(isCut, false);
    const cut = valueOf(await git.diff({ path: at(""), maxBytes: 100 }));
    assert.ok(cut.isCut && cut.diff.length <= 100 && diff.startsWith(cut.diff));
    run("add", "--intent-to-add", ".");
    const own = run("diff", "HEAD").replaceAll(/^index .*\n/gm, "");
    const sections = (text: string) => text.split(/^(?=diff )/m).toSorted();
    assert.deepEqual(sections(diff.replaceAll(/^index .*\n/gm, "")), sections(own));
  });

  it("what is no repository is not found", async ({ git, at }) => {
    await rename(at(".git"), at("not-git"));
    failsWith(await git.state({ path: at("") }), "not_found");
    failsWith(await git.diff({ path: at("") }), "not_found");
    failsWith(await git.watch({ path: at("") }), "not_found");
    failsWith(await git.state({ path: at("none") }), "not_found");
    failsWith(await git.state({ path: "relative" }), "invalid");
  });

  it("a repository without files is not supported", async ({ git, run, at }) => {
    run("init", "--quiet", "--initial-branch=main", "--bare", "bare.git");
    failsWith(await git.state({ path: at("bare.git") }), "unsupported");
  });
}

function testHostility(it: It): void {
  it("looking runs nothing that the repository names", async ({ git, at, run }) => {
    await writeFile(at("file.txt"), "1\n");
    run("add", ".");
    run("commit", "-qm", "first");
    const program = `sh -c 'touch "${at("ran")}"; cat'`;
    for (const key of [
      "core.fsmonitor",
      "diff.external",
      "diff.evil.textconv",
      "diff.evil.command",
      "filter.evil.clean",
      "filter.evil.process",
      "core.pager",
      "core.sshCommand",
      "core.askPass",
    ]) {
      run("config", key, program);
    }
    run("config", "filter.evil.required", "true");
    await mkdir(at("hooks"));
    for (const hook of ["post-index-change", "fsmonitor-watchman", "post-checkout"]) {
      await writeFile(at(`hooks/${hook}`), `#!/bin/sh\ntouch "${at("ran")}"\n`, { mode: 0o755 });
    }
    run("config", "core.hooksPath", at("hooks"));
    await writeFile(at(".gitattributes"), "*.txt filter=evil diff=evil\n");
    await writeFile(at("file.txt"), "2\n");
    await writeFile(at("new.txt"), "2\n");
    const { files } = valueOf(await git.state({ path: at("") }));
    assert.ok(files.some(({ path }) => path === "file.txt"));
    const { diff } = valueOf(await git.diff({ path: at("") }));
    assert.match(diff, /-1\n\+2\n/);
    assert.equal(existsSync(at("ran")), false);
  });
}

function testWatch(it: It): void {
  it("a watch tells the state, and again after each change", async ({ git, at, run }) => {
    await writeFile(at(".gitignore"), "ignored/\n");
    run("add", ".");
    run("commit", "-qm", "first");
    await mkdir(at("ignored"));
    const controller = new AbortController();
    const states = valueOf(await git.watch({ path: at("") }, controller))[Symbol.asyncIterator]();
    const until = async (is: (state: GitState) => boolean): Promise<void> => {
      for (;;) {
        const next = await states.next();
        assert.ok(next.done !== true, "the watch goes on");
        if (is(next.value)) return;
      }
    };
    await until(({ files }) => files.length === 0);
    await writeFile(at("ignored/file"), "");
    await writeFile(at("file"), "1\n");
    await until(({ files }) => files[0]?.added === 1);
    await appendFile(at("file"), "2\n");
    await until(({ files }) => files[0]?.added === 2);
    run("add", "file");
    await until(({ files }) => files[0]?.status === "A ");
    run("commit", "-qm", "second");
    await until(({ files }) => files.length === 0);
    run("checkout", "-qb", "other");
    await until(({ branch }) => branch === "other");
    const reason = new Error("enough");
    const next = states.next();
    controller.abort(reason);
    await assert.rejects(next, reason);
  });

  it("a watch ends when the repository goes away", async ({ git, at }) => {
    const states = valueOf(await git.watch({ path: at("") }));
    for await (const _ of states) await rm(at(".git"), { recursive: true });
  });
}
