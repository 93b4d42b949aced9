import assert from "node:assert/strict";
import { test } from "node:test";
import { diffCount, diffLines, replacementLines } from "./unified-diff.ts";

const DIFF = `--- a/x
+++ b/x
@@ -1,3 +1,4 @@
 zero
-one
+1
+--- not a name
 two
\\ No newline at end of file
`;

test("lines have their numbers in both files", () => {
  assert.deepEqual(
    diffLines(DIFF).map(({ kind, text, before, after }) => [kind, text, before, after]),
    [
      ["hunk", "@@ -1,3 +1,4 @@", null, null],
      ["same", "zero", 1, 1],
      ["removed", "one", 2, null],
      ["added", "1", null, 2],
      ["added", "--- not a name", null, 3],
      ["same", "two", 3, 4],
      ["note", "No newline at end of file", null, null],
    ],
  );
  assert.deepEqual(diffCount(diffLines(DIFF)), { added: 2, removed: 1 });
});

test("a text that is no diff is shown as it is", () => {
  assert.deepEqual(
    diffLines("Binary files differ").map(({ kind, text }) => [kind, text]),
    [["note", "Binary files differ"]],
  );
});

test("a replacement without a place is all of the old, then all of the new", () => {
  assert.deepEqual(
    replacementLines("a\nb\n", "c").map(({ kind, text }) => [kind, text]),
    [
      ["removed", "a"],
      ["removed", "b"],
      ["added", "c"],
    ],
  );
  assert.deepEqual(replacementLines("", ""), []);
});
