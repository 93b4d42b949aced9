/** Changes and branches in words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { branchText, changesText } from "./change-words.ts";

const STATUS = { additions: 12, deletions: 3, changed_files: 2, is_cut: false, repositories: 1 };

test("changes are told as lines and files, and where there are several repositories", () => {
  assert.equal(changesText(STATUS), "12 lines added, 3 removed in 2 files");
  assert.equal(
    changesText({ ...STATUS, additions: 1, changed_files: 1, repositories: 3, is_cut: true }),
    "1 line added, 3 removed in 1 file of 3 repositories, or more",
  );
  assert.equal(changesText({ ...STATUS, changed_files: 0 }), "Nothing changed");
});

test("a branch is told with what it is ahead and behind of", () => {
  const even = branchText({ git_branch: "main", ahead: 0, behind: 0 });
  assert.deepEqual(even, { text: "main", words: "Branch main" });
  const apart = branchText({ git_branch: "fix", ahead: 2, behind: 1 });
  assert.equal(apart.text, "fix ↑2 ↓1");
  assert.equal(apart.words, "Branch fix, 2 commits not pushed, 1 commit not pulled");
  assert.equal(branchText({ git_branch: "", ahead: 1, behind: 0 }).text, "");
});
