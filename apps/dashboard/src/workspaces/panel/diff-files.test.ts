import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDiff, sideBySide } from "./diff-files.ts";

const CHANGED = `diff --git a/src/a.ts b/src/a.ts
index 111..222 100644
--- a/src/a.ts
+++ b/src/a.ts
@@ -1,4 +1,5 @@ function a() {
 one
--- two
+++ two
+three
 four
@@ -10,1 +11,0 @@
-gone
`;

test("lines are numbered on both sides, whatever they look like", () => {
  const [file, ...others] = parseDiff(CHANGED);
  assert.equal(others.length, 0);
  assert.deepEqual(
    { ...file, hunks: file?.hunks.length },
    {
      path: "src/a.ts",
      from: null,
      change: "changed",
      isBinary: false,
      hunks: 2,
      added: 2,
      removed: 2,
    },
  );
  assert.deepEqual(
    file?.hunks[0]?.lines.map(({ kind, before, after, text }) => [kind, before, after, text]),
    [
      ["context", 1, 1, "one"],
      ["removed", 2, null, "-- two"],
      ["added", null, 2, "++ two"],
      ["added", null, 3, "three"],
      ["context", 3, 4, "four"],
    ],
  );
  assert.deepEqual(file?.hunks[1]?.lines[0], {
    kind: "removed",
    before: 10,
    after: null,
    text: "gone",
  });
});

test("new, deleted, renamed, binary and oddly named files are known as such", () => {
  const files = parseDiff(
    [
      "diff --git a/new.txt b/new.txt",
      "new file mode 100644",
      "--- /dev/null",
      "+++ b/new.txt",
      "@@ -0,0 +1 @@",
      "+x",
      "\\ No newline at end of file",
      "diff --git a/old name.txt b/old name.txt",
      "deleted file mode 100644",
      "--- a/old name.txt\t",
      "+++ /dev/null",
      "@@ -1 +0,0 @@",
      "-x",
      "diff --git a/from.txt b/to.txt",
      "similarity index 100%",
      "rename from from.txt",
      "rename to to.txt",
      "diff --git a/p.png b/p.png",
      "index 1..2 100644",
      "Binary files a/p.png and b/p.png differ",
      'diff --git "a/q\\"\\303\\244.txt" "b/q\\"\\303\\244.txt"',
      "old mode 100644",
      "new mode 100755",
      "",
    ].join("\n"),
  );
  assert.deepEqual(
    files.map(({ path, from, change, isBinary }) => [path, from, change, isBinary]),
    [
      ["new.txt", null, "added", false],
      ["old name.txt", null, "deleted", false],
      ["to.txt", "from.txt", "renamed", false],
      ["p.png", null, "changed", true],
      ['q"ä.txt', null, "changed", false],
    ],
  );
});

test("a diff that is cut anywhere is read as far as it goes", () => {
  for (let length = 0; length <= CHANGED.length; length += 1) {
    const lines = parseDiff(CHANGED.slice(0, length)).flatMap(({ hunks }) =>
      hunks.flatMap((hunk) => hunk.lines),
    );
    assert.ok(lines.length <= 6);
  }
  assert.deepEqual(parseDiff(""), []);
  assert.deepEqual(parseDiff("no diff at all\n@@ -1 +1 @@\n-x\n"), []);
});

test("side by side, removed lines stand beside those that took their place", () => {
  const lines = parseDiff(CHANGED)[0]?.hunks[0]?.lines ?? [];
  assert.deepEqual(
    sideBySide(lines).map(({ before, after }) => [before?.text, after?.text]),
    [
      ["one", "one"],
      ["-- two", "++ two"],
      [undefined, "three"],
      ["four", "four"],
    ],
  );
});
