/** What git prints is read as it is meant, with all the names that files can have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { addedFileDiff } from "./added-file-diff.ts";
import { parseGitConfig, remoteUrlOf, withoutFilters } from "./git-config.ts";
import { parseNumstat, parseStatus } from "./parse-status.ts";

const lines = (...records: readonly string[]): string =>
  records.map((each) => `${each}\0`).join("");

test("a status with every kind of record", () => {
  const output = lines(
    "# branch.oid 1234",
    "# branch.head main",
    "# branch.upstream origin/main",
    "# branch.ab +2 -3",
    "1 .M N... 100644 100644 100644 aaaa bbbb with space\nand line",
    "2 R. N... 100644 100644 100644 aaaa bbbb R100 new name",
    "old name",
    "u UU N... 100644 100644 100644 100644 aaaa bbbb cccc both",
    "? new",
    "1 .D N... 100644 100644 000000 aaaa bbbb cut o",
  ).slice(0, -1);
  assert.deepEqual(parseStatus(output), {
    branch: "main",
    commit: "1234",
    upstream: "origin/main",
    ahead: 2,
    behind: 3,
    files: [
      { path: "with space\nand line", status: " M", from: null },
      { path: "new name", status: "R ", from: "old name" },
      { path: "both", status: "UU", from: null },
      { path: "new", status: "??", from: null },
    ],
  });
});

test("a status before the first commit, and of no branch", () => {
  const { branch, commit } = parseStatus(lines("# branch.oid (initial)", "# branch.head main"));
  assert.deepEqual([branch, commit], ["main", null]);
  assert.equal(parseStatus(lines("# branch.head (detached)")).branch, null);
});

test("line counts, of renamed and binary files too", () => {
  const output = lines("1\t2\ta\tb", "3\t0\t", "old", "new", "-\t-\tbinary");
  assert.deepEqual(
    [...parseNumstat(output)],
    [
      ["a\tb", { added: 1, removed: 2, isBinary: false }],
      ["new", { added: 3, removed: 0, isBinary: false }],
      ["binary", { added: 0, removed: 0, isBinary: true }],
    ],
  );
});

test("filters of the repository itself are switched off, those of the user stay", () => {
  const config = parseGitConfig(
    lines("global", "filter.lfs.clean\ngit-lfs clean", "local", "filter.evil.process\nrm -rf ~"),
  );
  assert.deepEqual(config.ownFilters, ["evil"]);
  assert.ok(withoutFilters(config.ownFilters).includes("filter.evil.process="));
});

for (const { url, shown } of [
  { url: "https://host/a.git", shown: "https://host/a.git" },
  { url: "https://token@host/a.git", shown: "https://host/a.git" },
  { url: "https://me:se@cr@et@host/a.git", shown: "https://host/a.git" },
  { url: "ssh://git@host:22/a.git", shown: "ssh://git@host:22/a.git" },
  { url: "ssh://git:secret@host/a.git", shown: "ssh://git@host/a.git" },
  { url: "git@host:a.git", shown: "git@host:a.git" },
]) {
  test(`of the remote ${url.replace(/se@cr@et|secret|token/, "…")} no password is told`, () => {
    const config = parseGitConfig(lines("local", `remote.origin.url\n${url}`));
    assert.equal(remoteUrlOf(config, { branch: "main" }), shown);
  });
}

test("the remote of the branch comes before origin", () => {
  const config = parseGitConfig(
    lines(
      "local",
      "remote.origin.url\na",
      "local",
      "remote.fork.url\nb",
      "local",
      "branch.x.remote\nfork",
    ),
  );
  assert.equal(remoteUrlOf(config, { branch: "x" }), "b");
  assert.equal(remoteUrlOf(config, { branch: "y" }), "a");
  assert.equal(remoteUrlOf(parseGitConfig(""), { branch: null }), null);
});

test("names with quotes stand in quotes, as git writes them", () => {
  const diff = addedFileDiff({ path: 'a"\n\x01', mode: "100644", bytes: Buffer.from("x") });
  assert.match(diff, /^diff --git "a\/a\\"\\n\\001" "b\/a\\"\\n\\001"\n/);
});
