import assert from "node:assert/strict";
import { test } from "node:test";
import { draftOf, draftText, joined, NO_DRAFT } from "./draft-text.ts";
import { contentOf, inputOf, partsOf, PLAIN_SEND, sendBody } from "./send-input.ts";

const reference = { file_name: "a.ts", start_line: 3, end_line: 4, content: "x" };
const file = { id: "11111111-1111-4111-8111-111111111111", name: "a.png", mediaType: "image/png" };
const input = { ...PLAIN_SEND, text: "Look", files: [file], references: [reference] };

test("a message is its comments, its text, its files", () => {
  assert.deepEqual(contentOf(input), [
    { type: "file-reference", ...reference },
    { type: "text", text: "Look" },
    { type: "file", file_id: file.id },
  ]);
  assert.deepEqual(contentOf({ ...input, text: "  ", references: [] }), [
    { type: "file", file_id: file.id },
  ]);
});

test("what was sent can be sent again", () => {
  const { text, files, references } = input;
  assert.deepEqual(inputOf(partsOf(input)), { text, files, references });
});

test("only what was chosen is named", () => {
  assert.deepEqual(sendBody({ ...PLAIN_SEND, text: "x", planMode: "" }, "k"), {
    content: [{ type: "text", text: "x" }],
    busy_behavior: "queue",
    plan_mode: "",
    idempotency_key: "k",
  });
});

test("a draft is kept while there is something in it", () => {
  const draft = { text: "Look", files: [file], references: [reference] };
  assert.deepEqual(draftOf(draftText(draft)), draft);
  assert.equal(draftText(NO_DRAFT), null);
  for (const kept of [null, "nonsense", "[]", '{"text":1}'])
    assert.deepEqual(draftOf(kept), NO_DRAFT);
  assert.equal(joined({ ...NO_DRAFT, text: "a\n" }, { ...NO_DRAFT, text: "b" }).text, "a\n\nb");
});
