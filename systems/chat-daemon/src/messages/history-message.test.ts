import assert from "node:assert/strict";
import { test } from "node:test";
import { activeApiKeyId } from "./active-api-key.ts";
import { fileIdsOf, isVisible, sinceBoundary, textOf } from "./history-message.ts";

const user = (apiKeyId: string | null, visibility: "user" | "model" | "both" = "both") => ({
  ...{ role: "user" as const, apiKeyId, visibility },
});
const model = { role: "assistant" as const, apiKeyId: null, visibility: "both" as const };

test("a turn's calls are made with the key of the newest message that a person sent", () => {
  for (const { messages, key } of [
    { messages: [], key: null },
    { messages: [user("old"), model, user("new"), model], key: "new" },
    // Older messages are other requests.
    { messages: [user("old"), model, user(null)], key: null },
    { messages: [user("old"), model, user("summary", "model"), model], key: "old" },
    { messages: [user(null, "model"), model], key: null },
    { messages: [user("shown", "user")], key: "shown" },
  ]) {
    assert.equal(activeApiKeyId(messages), key);
  }
});

test("what lies before the newest boundary is not sent", () => {
  const plain = { visibility: "both" as const, compressed: false };
  const start = { visibility: "model" as const, compressed: true };
  const shown = { visibility: "both" as const, compressed: true };
  assert.deepEqual(sinceBoundary([plain, start, shown, plain, start, shown, plain]), [
    ...[start, shown, plain],
  ]);
  assert.deepEqual(sinceBoundary([plain, plain]), [plain, plain]);
  assert.deepEqual(sinceBoundary([]), []);
});

test("people see all but what only the model is sent", () => {
  const seen = (["user", "both", "model"] as const).map((visibility) => isVisible({ visibility }));
  assert.deepEqual(seen, [true, true, false]);
});

test("text and files are read from parts", () => {
  const file = { type: "file" as const, media_type: "image/png" };
  const parts = [
    { type: "text" as const, text: "a" },
    { type: "reasoning" as const, text: "hm" },
    { ...file, file_id: "1" },
    { ...file, data: "" },
    { ...file, file_id: "1" },
    { type: "text" as const, text: "b" },
  ];
  assert.equal(textOf(parts), "ab");
  assert.deepEqual(fileIdsOf(parts), ["1"]);
});
