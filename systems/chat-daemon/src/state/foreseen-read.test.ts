import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForeseenChat, ReadChat } from "./chat-machine.ts";
import {
  NO_USAGE,
  type ChatRow,
  type NewMessage,
  type StoredMessage,
  type UserMessage,
} from "./chat-row.ts";
import { foreseeSend, foreseeStep, isAsForeseen } from "./foreseen-read.ts";
import type { KnownHistory } from "./read-histories.ts";

const BESIDE = { version: "", text: '{"a":1}', value: { a: 1 } };
const ASKED = message({ id: 1, revision: 1, apiKeyId: "key", createdBy: "ann" });
const ANSWER = message({ id: 2, revision: 3, role: "assistant" });

test("a chat is foreseen as its statement reads it", () => {
  assert.ok(isAsForeseen(foresee(), read()));
  // Where it stands, who drives it, and what lists say of it, change with each message.
  const moved = {
    ...{
      title: "another",
      titleSource: "generated" as const,
      workerId: "w",
      runnerId: "r",
      fence: 8,
    },
    ...{ snapshotVersion: 9, historyVersion: 9, lastTurnSummary: "so", updatedAt: new Date(9) },
    ...{ lastReadMessageId: 2, pinOrder: 3 },
  };
  assert.ok(isAsForeseen(foresee(), read({ chat: moved })));
});

test("what a message chooses is foreseen with it", () => {
  const chosen = { modelConfigId: "another", reasoningEffort: "high" } as const;
  const effort = { lastModelConfigId: "another", lastReasoningEffort: "high" } as const;
  assert.ok(isAsForeseen(foresee(chosen), read({ chat: effort, last: chosen })));
  assert.ok(!isAsForeseen(foresee(chosen), read()));
});

const OTHERS: readonly (readonly [string, Parameters<typeof read>[0]])[] = [
  ["an attempt that is not its first", { attempt: 2 }],
  ["what is read beside it", { beside: { a: 1 } }],
  ["its model", { chat: { lastModelConfigId: "another" } }],
  ["its mode", { chat: { planMode: "plan" } }],
  ["its workspace", { chat: { workspaceId: "w" } }],
  ["its owner", { chat: { ownerId: "bob" } }],
  ["its tools", { chat: { mcpServerIds: ["one"] } }],
  ["its labels", { chat: { labels: { of: "ann" } } }],
  ["an attempt begun before", { chat: { generationAttempt: 1 } }],
  ["a summary that is asked for", { chat: { compactionRequestedAt: new Date(0) } }],
  ["what was said", { last: { content: [{ type: "text", text: "or?" }] } }],
  ["who said it", { last: { createdBy: "bob" } }],
  ["what it came with", { last: { apiKeyId: "other" } }],
  ["who sees it", { last: { visibility: "model" } }],
  ["a message less", { before: [ASKED] }],
  ["a message more", { before: [ASKED, ANSWER, message({ id: 3, revision: 4 })] }],
  ["another revision of one", { before: [ASKED, { ...ANSWER, revision: 4 }] }],
  ["another answer", { before: [ASKED, { ...ANSWER, content: [{ type: "text", text: "no" }] }] }],
  ["another order", { before: [ANSWER, ASKED] }],
];

for (const [what, is] of OTHERS) {
  test(`not as foreseen: ${what}`, () => {
    assert.ok(!isAsForeseen(foresee(), read(is)));
  });
}

test("rows of the same content are the same, whoever read them", () => {
  const before = [structuredClone(ASKED), structuredClone(ANSWER)];
  assert.ok(isAsForeseen(foresee(), read({ before })));
});

test("nothing is foreseen of a chat of which little is known", () => {
  assert.equal(foreseeSend(undefined, said()), null);
  assert.equal(foreseeSend({ ...known(), read: null }, said()), null);
  const nothing = { historyVersion: 3, written: [] };
  assert.equal(foreseeSend({ ...known(), messages: [], rest: nothing }, said()), null);
  // At work: the message would wait, or stop it.
  assert.equal(foreseeSend({ ...known(), rest: null }, said()), null);
});

const CALLS = message({ id: 3, revision: 6, role: "assistant", apiKeyId: null });
const RESULTS: readonly NewMessage[] = ["one", "two"].map((call, place) => ({
  role: "tool",
  content: [{ type: "tool-result", tool_call_id: call, tool_name: "read_file", result: call }],
  runtimeMs: place === 0 ? 12 : null,
}));

test("a step's results are foreseen as its statement reads them", () => {
  const foreseen = foreseeStep(working(), 6, RESULTS) ?? assert.fail("it is foreseen");
  assert.ok(isAsForeseen(foreseen, stepped()));
  // A summary that was asked for is not any more: that is what a step does.
  assert.equal(foreseen.chat.compactionRequestedAt, null);
});

const OTHER_STEPS: readonly (readonly [string, () => ReadChat])[] = [
  ["its mode", () => stepped({ chat: { planMode: "plan" } })],
  ["an attempt that is not its first", () => ({ ...stepped(), attempt: 2 })],
  ["what is read beside it", () => ({ ...stepped(), beside: { a: 1 } })],
  ["another result", () => stepped({ result: "three" })],
  ["another time that it took", () => stepped({ first: { runtimeMs: 13 } })],
  ["a result less", () => ({ ...stepped(), messages: stepped().messages.slice(0, -1) })],
  ["an answer that was edited", () => stepped({ calls: { revision: 9 } })],
];

for (const [what, other] of OTHER_STEPS) {
  test(`a step, not as foreseen: ${what}`, () => {
    const foreseen = foreseeStep(working(), 6, RESULTS) ?? assert.fail("it is foreseen");
    assert.ok(!isAsForeseen(foreseen, other()));
  });
}

test("results are foreseen with their keys in the order of the database", () => {
  const result = { zeta: 1, at: { b: null, a: [{ yy: 1, x: 2 }] }, é: 1, ab: "\0" };
  const [entered] =
    foreseeStep(working(), 6, [{ role: "tool", content: [resultOf(result)] }])?.messages.slice(
      -1,
    ) ?? [];
  assert.equal(
    JSON.stringify(entered?.content),
    '[{"type":"tool-result","result":{"ab":"\ufffd","at":{"a":[{"x":2,"yy":1}],"b":null},"é":1,"zeta":1},"tool_name":"t","tool_call_id":"c"}]',
  );
});

test("no step is foreseen that is not results of tools behind what is known", () => {
  assert.equal(foreseeStep(undefined, 6, RESULTS), null);
  assert.equal(foreseeStep({ ...working(), read: null }, 6, RESULTS), null);
  // Somebody else's step came between.
  assert.equal(foreseeStep(working(), 7, RESULTS), null);
  assert.equal(foreseeStep(working(), 6, [...RESULTS, { role: "assistant", content: [] }]), null);
  const long = [{ role: "tool", content: [resultOf("x".repeat(200_000))] }] as const;
  assert.equal(foreseeStep(working(), 6, long), null);
});

function resultOf(result: unknown): NewMessage["content"][number] {
  return { type: "tool-result", tool_call_id: "c", tool_name: "t", result };
}

/** A chat whose tools run. */
function working(): KnownHistory {
  const chat = { ...CHAT, status: "running", generationAttempt: 1 } as const;
  const requested = { ...chat, compactionRequestedAt: new Date(3) };
  return {
    ...{ version: 6, firstId: 0, chars: 0, messages: [ASKED, ANSWER, CALLS], rest: null },
    read: { chat: requested, beside: BESIDE },
  };
}

/** As the statement that writes its results reads it. */
function stepped({
  chat = {},
  calls = {},
  first = {},
  result = "two",
}: {
  readonly chat?: Partial<ChatRow>;
  readonly calls?: Partial<StoredMessage>;
  readonly first?: Partial<StoredMessage>;
  readonly result?: string;
} = {}): ReadChat {
  const results = ["one", result].map((said, place) =>
    message({
      ...{ id: 20 + place, revision: 7, createdAt: new Date(9), role: "tool" },
      ...{ modelConfigId: null, runtimeMs: place === 0 ? 12 : null },
      content: [
        {
          ...{ type: "tool-result", result: said, tool_name: "read_file" },
          tool_call_id: place === 0 ? "one" : "two",
        },
      ],
      ...(place === 0 && first),
    }),
  );
  const messages = [ASKED, ANSWER, { ...CALLS, ...calls }, ...results];
  const row = { ...CHAT, status: "running", historyVersion: 7, ...chat } as const;
  return { chat: row, messages, attempt: 1, beside: BESIDE.value };
}

function foresee(more: Partial<UserMessage> = {}): ForeseenChat {
  return foreseeSend(known(), { ...said(), ...more }) ?? assert.fail("it is foreseen");
}

function known(): KnownHistory {
  const chat = { ...CHAT, status: "running", generationAttempt: 1 } as const;
  return {
    ...{ version: 1, firstId: 0, chars: 0, messages: [ASKED] },
    rest: { historyVersion: 3, written: [ANSWER] },
    read: { chat, beside: BESIDE },
  };
}

/** As the statement that writes the message reads it. */
function read({
  chat = {},
  before = [ASKED, ANSWER],
  last = {},
  attempt = 1,
  beside = BESIDE.value,
}: {
  readonly chat?: Partial<ChatRow>;
  readonly before?: readonly StoredMessage[];
  readonly last?: Partial<StoredMessage>;
  readonly attempt?: number;
  readonly beside?: unknown;
} = {}): ReadChat {
  const { createdBy, apiKeyId } = said();
  // In the order of the database.
  const content = [{ text: "and?", type: "text" }] as const;
  const entered = message({
    ...{ id: 17, revision: 5, createdAt: new Date(7), content, createdBy, apiKeyId, ...last },
  });
  const messages = [...before, entered];
  return { chat: { ...CHAT, status: "running", ...chat }, messages, attempt, beside };
}

function said(): UserMessage {
  return {
    ...{ content: [{ type: "text", text: "and?" }], createdBy: "ann", apiKeyId: "key" },
    ...{ modelConfigId: null, reasoningEffort: null },
  };
}

function message(more: Partial<StoredMessage>): StoredMessage {
  return {
    ...{ id: 1, chatId: "chat", createdAt: new Date(0), createdBy: null, modelConfigId: "model" },
    ...{ role: "user", content: [{ type: "text", text: "hello" }], visibility: "both" },
    ...{ compressed: false, deleted: false, revision: 1, reasoningEffort: null, apiKeyId: null },
    ...{ providerResponseId: null, usage: NO_USAGE, runtimeMs: null, totalCostMicros: null },
    ...more,
  };
}

const CHAT: ChatRow = {
  ...{ id: "chat", organizationId: "org", ownerId: "ann", workspaceId: null, agentId: null },
  ...{ parentChatId: null, rootChatId: null, title: "chat", titleSource: "fallback" },
  ...{ status: "waiting", archived: false, lastError: null, workerId: null, runnerId: null },
  ...{ fence: 1, snapshotVersion: 4, historyVersion: 3, queueVersion: 0, queueLength: 0 },
  ...{ retryStateVersion: 0, generationAttempt: 0, retryState: null, lastTurnSummary: null },
  ...{ requiresActionDeadlineAt: null, compactionRequestedAt: null, lastModelConfigId: "model" },
  ...{ lastReasoningEffort: null, mode: null, planMode: null, mcpServerIds: [], labels: {} },
  ...{ dynamicTools: null, pinOrder: 0, lastReadMessageId: null, clientType: "ui" },
  ...{ createdAt: new Date(0), updatedAt: new Date(0) },
};
