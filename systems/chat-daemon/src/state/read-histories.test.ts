import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { NO_USAGE, type ChatRow, type StoredMessage } from "./chat-row.ts";
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

const CALL: MessagePart = { type: "tool-call", tool_call_id: "1", tool_name: "look", args: {} };
const RESULT: MessagePart = {
  type: "tool-result",
  tool_call_id: "1",
  tool_name: "look",
  result: 1,
};
const BOUNDARY = { compressed: true, visibility: "model" } as const;
const ANSWER = row(6, "assistant");

test("a chat that this server leaves at rest is known as it left it", () => {
  for (const { messages, written = [ANSWER], status = "waiting" } of [
    { messages: [row(5)] },
    { messages: [row(5)], status: "error" },
    { messages: [row(5)], written: [] },
    { messages: [row(3), row(4, "assistant", [CALL]), row(5)] },
    {
      messages: [row(4), row(5, "assistant", [CALL])],
      written: [row(6, "tool", [RESULT]), row(7)],
    },
    { messages: [{ ...row(3), ...BOUNDARY }, row(5)] },
  ] as const) {
    const rest = restAfter({ messages, written, after: { status } });
    assert.deepEqual(rest, { historyVersion: 8, written });
  }
});

for (const [what, change] of [
  ["at work", { after: { status: "running" } }],
  ["waiting for its client", { after: { status: "requires_action" } }],
  ["archived", { after: { archived: true } }],
  ["with a message that waits", { after: { queueLength: 1 } }],
  ["with a call that is open", { written: [row(6, "assistant", [CALL])] }],
  ["with a history that began anew", { written: [{ ...row(6), ...BOUNDARY }] }],
  [
    "with a boundary that its turn began before",
    { messages: [row(4), { ...row(5), ...BOUNDARY }] },
  ],
  ["without a message that was in it", { isAdded: false }],
  ["behind what somebody else made of it", { version: 6 }],
] as const) {
  test(`a chat that is left ${what} is not at rest as it is known`, () => {
    assert.equal(restAfter(change), null);
  });
}

test("what is made of a chat at rest takes away how it was left", () => {
  const histories = new ReadHistories();
  histories.keep("chat", { ...history(10), version: 7 });
  const [before, after] = [chat({ historyVersion: 7 }), chat({ historyVersion: 8 })];
  histories.changed({ before, after, written: [ANSWER], isAdded: true });
  assert.notEqual(histories.get("chat")?.rest, null);
  const cleared = chat({ historyVersion: 9 });
  histories.changed({ before: after, after: cleared, written: [], isAdded: true });
  assert.equal(histories.get("chat")?.rest, null);
  histories.changed({
    before: chat({ id: "other" }),
    after: chat({ id: "other" }),
    written: [],
    isAdded: true,
  });
  assert.equal(histories.get("other"), undefined);
});

function restAfter({
  messages = [row(5)],
  written = [ANSWER],
  isAdded = true,
  version = 7,
  after = {},
}: {
  readonly messages?: readonly StoredMessage[];
  readonly written?: readonly StoredMessage[];
  readonly isAdded?: boolean;
  readonly version?: number;
  readonly after?: Partial<ChatRow>;
}) {
  const histories = new ReadHistories();
  histories.keep("chat", { ...history(10), version: 7, firstId: 3, messages });
  const before = chat({ status: "running", historyVersion: version });
  histories.changed({ before, after: chat({ historyVersion: 8, ...after }), written, isAdded });
  return histories.get("chat")?.rest;
}

/** What of it counts here. */
function chat(more: Partial<ChatRow>): ChatRow {
  return {
    ...{ id: "chat", status: "waiting", archived: false, queueLength: 0 },
    ...more,
  } as ChatRow;
}

function history(chars: number) {
  return { version: 1, firstId: 0, messages: [], read: null, rest: null, chars };
}

function row(
  id: number,
  role: StoredMessage["role"] = "user",
  content: readonly MessagePart[] = [],
): StoredMessage {
  return {
    ...{ id, role, chatId: "chat", createdAt: new Date(0), createdBy: null, modelConfigId: null },
    ...{ content, visibility: "both", compressed: false, deleted: false, revision: 1 },
    ...{ reasoningEffort: null, apiKeyId: null, providerResponseId: null, usage: NO_USAGE },
    ...{ runtimeMs: null, totalCostMicros: null },
  };
}
