/** The generated encryption key: made once, private, and never replaced. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemRandom } from "@atelier/base/system-random";
import { loadOrMakeEncryptionKey } from "./encryption-key-file.ts";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "atelier-key-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test("a key of 32 bytes is made once, for its owner's eyes only", (t) => {
  const dataDir = join(temporaryDirectory(t), "absent", "data");
  const first = loadOrMakeEncryptionKey(dataDir, systemRandom);
  const again = loadOrMakeEncryptionKey(dataDir, systemRandom);
  assert.equal(Buffer.from(first.reveal(), "base64").length, 32);
  assert.equal(again.reveal(), first.reveal());
  assert.deepEqual(readdirSync(dataDir), ["encryption.key"]);
  assert.equal(statSync(join(dataDir, "encryption.key")).mode & 0o777, 0o600);
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
});

test("of two servers that start at once, both get the key of the first", (t) => {
  const dataDir = temporaryDirectory(t);
  // The other server comes first, after this one has seen that there is no key.
  let other = "";
  const random = {
    ...systemRandom,
    uuid: () => {
      other ||= loadOrMakeEncryptionKey(dataDir, systemRandom).reveal();
      return "draft";
    },
  };
  assert.equal(loadOrMakeEncryptionKey(dataDir, random).reveal(), other);
  assert.deepEqual(readdirSync(dataDir), ["encryption.key"]);
});

test("a damaged key stops the start and is left as it is", (t) => {
  const dataDir = temporaryDirectory(t);
  const path = join(dataDir, "encryption.key");
  writeFileSync(path, "c2hvcnQ=");
  assert.throws(
    () => loadOrMakeEncryptionKey(dataDir, systemRandom),
    /does not hold the base64 of 32 bytes/,
  );
  assert.equal(readFileSync(path, "utf8"), "c2hvcnQ=");
});
