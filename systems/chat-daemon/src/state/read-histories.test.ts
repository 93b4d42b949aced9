import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_USAGE, type StoredMessage } from "./chat-row.ts";
import { ReadHistories, withChanges } from "./read-histories.ts";

test("what has changed takes the place of what was known, in the order of ids", () => {
  const known = [row(1, "system"), row(4), row(5), row(6)];
  const changed = [row(5, "assistant"), { ...row(6), deleted: true }, row(7), row(2, "system")];
  assert.deepEqual(withChanges(known, changed, 4), [
    row(1, "system"),
    row(2, "system"),
    row(4),
    row(5, "assistant"),
    row(7),
  ]);
});

test("what lies before the first message wanted is left out, but for what the system says", () => {
  const known = [row(1, "system"), row(2), row(3)];
  assert.deepEqual(withChanges(known, [row(4), row(5)], 4), [row(1, "system"), row(4), row(5)]);
});

test("histories that were read longest ago are forgotten first", () => {
  const histories = new ReadHistories();
  for (let chat = 0; chat < 100; chat += 1) histories.keep(`${chat}`, history(10));
  histories.keep("0", history(10));
  histories.keep("another", history(10));
  assert.deepEqual(
    ["0", "1", "2", "another"].map((chat) => histories.get(chat) !== undefined),
    [true, false, true, true],
  );
});

test("together they are no more than so much, and one that is most of it is not kept", () => {
  const histories = new ReadHistories();
  for (let chat = 0; chat < 20; chat += 1) histories.keep(`${chat}`, history(1_000_000));
  const kept = Array.from({ length: 20 }, (_, chat) => chat).filter(
    (chat) => histories.get(`${chat}`) !== undefined,
  );
  assert.deepEqual(kept, [12, 13, 14, 15, 16, 17, 18, 19]);
  // What it was before is not believed either.
  histories.keep("19", history(3_000_000));
  assert.equal(histories.get("19"), undefined);
  histories.keep("20", history(1_000_000));
  assert.notEqual(histories.get("12"), undefined);
});

function history(chars: number) {
  return { version: 1, firstId: 0, messages: [], read: null, written: [], chars };
}

function row(id: number, role: StoredMessage["role"] = "user"): StoredMessage {
  return {
    ...{ id, role, chatId: "chat", createdAt: new Date(0), createdBy: null, modelConfigId: null },
    ...{ content: [], visibility: "both", compressed: false, deleted: false, revision: 1 },
    ...{ reasoningEffort: null, apiKeyId: null, providerResponseId: null, usage: NO_USAGE },
    ...{ runtimeMs: null, totalCostMicros: null },
  };
}
