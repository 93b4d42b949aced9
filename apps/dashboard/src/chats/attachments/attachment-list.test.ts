import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ATTACHMENTS_MAX,
  draftOf,
  fileParts,
  fromDraft,
  isUploading,
  refusalOf,
  sentMediaType,
  sizeText,
  withState,
  type Attachment,
} from "./attachment-list.ts";

const file = (key: string, state: Attachment["state"]): Attachment => ({
  ...{ key, name: `${key}.png`, mediaType: "image/png", sizeBytes: 2_048, state },
});
const READY = file("a", { kind: "ready", fileId: "id-a" });
const SENT = file("b", { kind: "uploading", share: 0.5 });

for (const [name, size, count, words] of [
  ["log.txt", 1, 0, null],
  ["log.txt", 0, 0, "log.txt is empty."],
  ["big.pdf", 11 * 1_024 * 1_024, 0, "big.pdf is 11 MiB. At most 10 MiB fit."],
  ["log.txt", 1, ATTACHMENTS_MAX, "A message takes at most 20 files."],
] as const) {
  test(`${name} of ${size} bytes beside ${count} others: ${words ?? "is sent"}`, () => {
    assert.equal(refusalOf({ name, size }, count), words);
  });
}

test("the server looks at files whose type it does not know by name", () => {
  assert.equal(sentMediaType("image/png"), "image/png");
  assert.equal(sentMediaType("Text/Plain; charset=utf-8"), "text/plain");
  assert.equal(sentMediaType("text/x-python"), "application/octet-stream");
  assert.equal(sentMediaType(""), "application/octet-stream");
});

test("a message names what the server holds, and waits for what is on its way", () => {
  assert.deepEqual(fileParts([READY, SENT]), [{ type: "file", file_id: "id-a" }]);
  assert.equal(isUploading([READY, SENT]), true);
  const arrived = withState([READY, SENT], "b", { kind: "ready", fileId: "id-b" });
  assert.equal(isUploading(arrived), false);
});

test("a reload keeps what the server holds", () => {
  assert.deepEqual(fromDraft(draftOf([READY, SENT])), [READY]);
  assert.equal(draftOf([SENT]), null);
  for (const text of [null, "", "{", '{"a":1}', '[{"key":1}]', "[null]"]) {
    assert.deepEqual(fromDraft(text), []);
  }
});

test("sizes are told in the unit that people know them by", () => {
  assert.deepEqual(
    [12, 2_048, 1_572_864].map((bytes) => sizeText(bytes)),
    ["12 bytes", "2 KiB", "1.5 MiB"],
  );
});
