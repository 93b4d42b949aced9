import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDiff, type DiffFile } from "./diff-files.ts";
import { fingerprint, parseSeen, seenState, seenText, withSeen } from "./seen-files.ts";

function fileOf(lines: string, start = 1): DiffFile {
  const head = `diff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -${start},2 +${start},2 @@\n`;
  const [file] = parseDiff(`${head}${lines}\n`);
  assert.ok(file !== undefined);
  return file;
}

const FILE = fileOf(" one\n-two\n+2");

test("a file that was seen is seen until it changes again", () => {
  const none = parseSeen(null);
  assert.equal(seenState(none, "/app", FILE), "unseen");
  const seen = parseSeen(seenText(withSeen(none, { root: "/app", file: FILE, isSeen: true })));
  assert.equal(seenState(seen, "/app", FILE), "seen");
  assert.equal(seenState(seen, "/other", FILE), "unseen");
  assert.equal(seenState(seen, "/app", fileOf(" one\n-two\n+3")), "changed_since");
  const again = withSeen(seen, { root: "/app", file: FILE, isSeen: false });
  assert.equal(seenState(again, "/app", FILE), "unseen");
});

test("a change that only moves is the same one", () => {
  assert.equal(fingerprint(fileOf(" one\n-two\n+2", 40)), fingerprint(FILE));
  assert.notEqual(fingerprint(fileOf(" one\n-2\n+two")), fingerprint(FILE));
});

test("what is kept has an end, and what is not understood is nothing", () => {
  let seen = parseSeen("not JSON");
  for (let at = 0; at < 600; at += 1) {
    seen = withSeen(seen, { root: `/${at}`, file: FILE, isSeen: true });
  }
  const kept = parseSeen(seenText(seen));
  assert.equal(kept.size, 500);
  assert.equal(seenState(kept, "/599", FILE), "seen");
  assert.equal(seenText(parseSeen("[1]")), null);
});
