/** What `changes` counts, and what a diff since a commit shows, in every implementation of git's port. */
import type { GitChanges, WorkspaceGit } from "@atelier/contract/rpc/workspace/git";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { failsWith, valueOf } from "./answers.ts";
import type { It } from "./workspace-git.ts";

type Asked = Parameters<WorkspaceGit["changes"]>[0];

async function onlyOf(git: WorkspaceGit, asked: Asked): Promise<GitChanges> {
  const { repositories } = valueOf(await git.changes(asked));
  assert.equal(repositories.length, 1);
  const [first] = repositories;
  assert.ok(first !== undefined);
  return first;
}

function countsOf({ added, removed, changedFiles }: GitChanges) {
  return { added, removed, changedFiles };
}

export function testChanges(it: It): void {
  it("what was committed since counts, beside the work tree and new files", async ({
    git,
    top,
    at,
    run,
  }) => {
    await writeFile(at("a"), "1\n2\n3\n");
    run("add", ".");
    run("commit", "-qm", "first");
    const begun = await onlyOf(git, { path: at("") });
    assert.deepEqual(countsOf(begun), { added: 0, removed: 0, changedFiles: 0 });
    const since = { [top]: begun.since };
    await writeFile(at("a"), "1\ntwo\n3\n");
    await writeFile(at("b"), "x\ny\n");
    run("add", ".");
    run("commit", "-qm", "second");
    await writeFile(at("a"), "1\ntwo\n3\n4\n");
    await writeFile(at("c"), "new\n");
    await writeFile(at("bin"), Buffer.from([0, 1]));
    const { files, ...changes } = await onlyOf(git, { path: at(""), since, filesMax: 10 });
    assert.deepEqual(changes, {
      ...{ root: top, branch: "main", commit: run("rev-parse", "HEAD").trim() },
      ...{ upstream: null, ahead: 0, behind: 0, remoteUrl: null, since: begun.commit },
      ...{ added: 5, removed: 1, changedFiles: 4, isCut: false },
    });
    assert.deepEqual(
      files.map(({ path, added, removed, isBinary }) => [path, added, removed, isBinary]),
      [
        ["a", 2, 1, false],
        ["b", 2, 0, false],
        ["bin", 0, 0, true],
        ["c", 1, 0, false],
      ],
    );
    const { diff } = valueOf(
      await git.diff({ path: at(""), since: begun.since, prefix: "repository/" }),
    );
    for (const line of ["+++ b/repository/a", "+++ b/repository/b", "+++ b/repository/c", "-2"]) {
      assert.ok(diff.includes(`\n${line}\n`), line);
    }
    const cut = await onlyOf(git, { path: at(""), since, filesMax: 1 });
    assert.deepEqual([cut.files.length, cut.changedFiles, cut.isCut], [1, 4, true]);
  });

  it("what came from the remote's default branch is nobody's change", async ({
    git,
    top,
    at,
    run,
  }) => {
    const origin = join(dirname(top), "origin");
    const runThere = (...words: string[]) => {
      const as = ["-c", "user.name=b", "-c", "user.email=b@example.com"];
      return execFileSync("git", [...as, ...words], { cwd: origin, encoding: "utf8" });
    };
    await mkdir(origin);
    runThere("init", "-q", "--initial-branch=main");
    await writeFile(join(origin, "theirs"), "1\n");
    runThere("add", ".");
    runThere("commit", "-qm", "first");
    run("remote", "add", "origin", origin);
    run("fetch", "-q", "origin");
    run("remote", "set-head", "origin", "main");
    run("reset", "-q", "--hard", "origin/main");
    const begun = await onlyOf(git, { path: at("") });
    const since = { [top]: begun.since };
    run("checkout", "-qb", "feature");
    await writeFile(at("mine"), "1\n");
    run("add", ".");
    run("commit", "-qm", "mine");
    await writeFile(join(origin, "theirs"), "1\n2\n3\n4\n");
    runThere("commit", "-qam", "second");
    run("fetch", "-q", "origin");
    run("rebase", "-q", "origin/main");
    const rebased = await onlyOf(git, { path: at(""), since });
    assert.deepEqual(countsOf(rebased), { added: 1, removed: 0, changedFiles: 1 });
    assert.equal(rebased.since, begun.commit, "it is asked for again");
    await writeFile(at("mine"), "1\n2\n");
    run("commit", "-qa", "--amend", "--no-edit");
    const amended = await onlyOf(git, { path: at(""), since: { [top]: rebased.commit } });
    assert.deepEqual(countsOf(amended), { added: 2, removed: 0, changedFiles: 1 });
  });

  it("all of a repository that was begun since counts, but not what it was cloned from", async ({
    git,
    top,
    at,
    run,
  }) => {
    await writeFile(at("a"), "1\n2\n");
    run("add", ".");
    run("commit", "-qm", "first");
    const asked = { path: at(""), othersAreNew: true } as const;
    const made = await onlyOf(git, asked);
    assert.deepEqual(
      [countsOf(made), made.since],
      [{ added: 2, removed: 0, changedFiles: 1 }, null],
    );
    const again = await onlyOf(git, { path: at(""), since: { [top]: null } });
    assert.equal(again.added, 2);
    run("remote", "add", "origin", "https://example.com/a.git");
    const cloned = await onlyOf(git, asked);
    assert.deepEqual([cloned.added, cloned.since], [0, cloned.commit]);
  });

  it("before the first commit all there is counts", async ({ git, at }) => {
    await writeFile(at("a"), "1\n2\n");
    const begun = await onlyOf(git, { path: at("") });
    assert.deepEqual([begun.added, begun.commit, begun.since], [2, null, null]);
  });

  it("repositories below a directory are found, and a directory without any has none", async ({
    git,
    top,
    at,
    run,
  }) => {
    const home = dirname(top);
    for (const name of ["repository/inner", "other/deep", "node_modules/theirs", "a/b/too-deep"]) {
      await mkdir(join(home, name), { recursive: true });
      run("-C", join(home, name), "init", "-q");
    }
    const found = valueOf(await git.changes({ path: "~" }));
    assert.equal(found.directory, home);
    assert.deepEqual(
      found.repositories.map(({ root }) => root.slice(home.length)),
      ["/repository", "/other/deep", "/repository/inner"],
    );
    await mkdir(join(home, "plain"));
    const none = valueOf(await git.changes({ path: "~/plain" }));
    assert.deepEqual(none.repositories, []);
    failsWith(await git.changes({ path: "~/nowhere" }), "not_found");
    await writeFile(at("file"), "");
    failsWith(await git.changes({ path: at("file") }), "not_a_directory");
  });

  it("very many new files are counted as files, and as lines up to a limit", async ({
    git,
    at,
  }) => {
    await mkdir(at("heap"));
    const names = Array.from({ length: 2_100 }, (_, index) => `heap/${index}`);
    await Promise.all(names.map((name) => writeFile(at(name), "1\n")));
    const changes = await onlyOf(git, { path: at("") });
    const { added, ...rest } = countsOf(changes);
    assert.deepEqual(rest, { removed: 0, changedFiles: 2_100 });
    // On a busy machine the time for counting is over before the files are.
    assert.ok(added > 0 && added <= 2_000, `${added} lines`);
    assert.equal(changes.isCut, true);
  });
}
