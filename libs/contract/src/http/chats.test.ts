/** What a chat may be created with: each limit, and the first value beyond it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isEndpoint } from "../endpoint.ts";
import * as chats from "./chats.ts";
import {
  CHAT_DYNAMIC_TOOLS_MAX,
  CHAT_LABELS_MAX,
  CHAT_SYSTEM_PROMPT_MAX,
  CreateChat,
  listChatMessages,
  listChatPrompts,
  listChats,
  sendChatMessage,
  updateChat,
} from "./chats.ts";
import { putChatDebugRetentionDays } from "./chat-debug-settings.ts";
import {
  putChatAdvisor,
  putChatAutoArchiveDays,
  putChatComputerUseProvider,
  putChatPlanInstructions,
  putChatRetentionDays,
  putChatSystemPrompt,
  putChatUserThreshold,
  SYSTEM_PROMPT_BYTES_MAX,
} from "./chat-settings.ts";
import { putChatUsageLimitOverride, putChatUsageLimits } from "./chat-spending.ts";

const content = [{ type: "text", text: "go" }];
const tools = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `t${index}`, input_schema: {} }));
const labels = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));

for (const [name, body, isTaken] of [
  [
    "as many tools of the client as there may be",
    { unsafe_dynamic_tools: tools(CHAT_DYNAMIC_TOOLS_MAX) },
    true,
  ],
  ["one more", { unsafe_dynamic_tools: tools(CHAT_DYNAMIC_TOOLS_MAX + 1) }, false],
  ["a tool without a name", { unsafe_dynamic_tools: [{ name: "", input_schema: {} }] }, false],
  [
    "a tool whose name no provider takes",
    { unsafe_dynamic_tools: [{ name: "a b", input_schema: {} }] },
    false,
  ],
  ["as many labels as there may be", { labels: labels(CHAT_LABELS_MAX) }, true],
  ["one label more", { labels: labels(CHAT_LABELS_MAX + 1) }, false],
  ["a label of 64 letters", { labels: { ["k".repeat(64)]: "v".repeat(256) } }, true],
  ["a longer one", { labels: { ["k".repeat(65)]: "v" } }, false],
  ["a longer value", { labels: { k: "v".repeat(257) } }, false],
  ["a label with a space", { labels: { "a b": "v" } }, false],
  ["a label without a name", { labels: { "": "v" } }, false],
  [
    "a system prompt as long as it may be",
    { system_prompt: "x".repeat(CHAT_SYSTEM_PROMPT_MAX) },
    true,
  ],
  ["a longer one", { system_prompt: "x".repeat(CHAT_SYSTEM_PROMPT_MAX + 1) }, false],
  ["no content", { content: [] }, false],
  [
    "lines before the first",
    {
      content: [
        { type: "file-reference", file_name: "a", start_line: 0, end_line: 1, content: "" },
      ],
    },
    false,
  ],
  ["a field that there is not", { titel: "x" }, false],
] as const) {
  test(`a chat with ${name} is ${isTaken ? "taken" : "refused"}`, () => {
    assert.equal(CreateChat.safeParse({ content, ...body }).success, isTaken);
  });
}

test("a chat is created with less than any other request may hold", () => {
  assert.deepEqual(
    Object.entries(chats).flatMap(([name, each]) =>
      isEndpoint(each) && each.bodyBytesMax !== undefined ? [[name, each.bodyBytesMax]] : [],
    ),
    [["createChat", 262_144]],
  );
});

test("a message to a busy chat is queued or interrupts, and nothing else", () => {
  const parse = (busy_behavior?: string) =>
    sendChatMessage.body.safeParse({
      content,
      ...(busy_behavior === undefined ? {} : { busy_behavior }),
    });
  assert.equal(parse().data?.busy_behavior, "queue");
  assert.equal(parse("interrupt").success, true);
  for (const wrong of ["", "steer", "QUEUE"]) assert.equal(parse(wrong).success, false, wrong);
});

test("labels of a chat are judged when they change, too", () => {
  const parse = (given: unknown) => updateChat.body.safeParse({ labels: given }).success;
  assert.deepEqual(
    [parse(null), parse({}), parse(labels(50)), parse(labels(51))],
    [true, true, true, false],
  );
});

for (const [endpoint, taken, refused] of [
  [
    putChatSystemPrompt,
    { system_prompt: "x".repeat(SYSTEM_PROMPT_BYTES_MAX) },
    [
      { system_prompt: "x".repeat(SYSTEM_PROMPT_BYTES_MAX + 1) },
      // Of fewer characters than that, and of more bytes.
      { system_prompt: "é".repeat(SYSTEM_PROMPT_BYTES_MAX / 2 + 1) },
      {},
    ],
  ],
  [
    putChatPlanInstructions,
    { plan_mode_instructions: "é".repeat(SYSTEM_PROMPT_BYTES_MAX / 2) },
    [
      { plan_mode_instructions: "x".repeat(SYSTEM_PROMPT_BYTES_MAX + 1) },
      { plan_mode_instructions: "é".repeat(SYSTEM_PROMPT_BYTES_MAX / 2 + 1) },
    ],
  ],
  [
    putChatAdvisor,
    { enabled: true, max_uses_per_run: 0, max_output_tokens: 256 },
    [
      { enabled: true, max_uses_per_run: -1, max_output_tokens: 256 },
      { enabled: true, max_uses_per_run: 1_001, max_output_tokens: 256 },
      { enabled: true, max_uses_per_run: 1, max_output_tokens: 255 },
    ],
  ],
  [putChatComputerUseProvider, { provider: "openai" }, [{ provider: "google" }]],
  [
    putChatAutoArchiveDays,
    { auto_archive_days: 3_650 },
    [{ auto_archive_days: 3_651 }, { auto_archive_days: -1 }, { auto_archive_days: 1.5 }],
  ],
  [putChatRetentionDays, { retention_days: 0 }, [{ retention_days: 3_651 }]],
  [putChatDebugRetentionDays, { debug_retention_days: null }, [{ debug_retention_days: 3_651 }]],
  [
    putChatUserThreshold,
    { threshold_percent: 100 },
    [{ threshold_percent: 101 }, { threshold_percent: -1 }],
  ],
  [
    putChatUsageLimits,
    { enabled: true, default_limit_micros: 0, period: "day" },
    [
      { enabled: true, default_limit_micros: -1, period: "day" },
      { enabled: true, default_limit_micros: 1, period: "year" },
    ],
  ],
  [putChatUsageLimitOverride, { spend_limit_micros: 1 }, [{ spend_limit_micros: 0 }]],
] as const) {
  test(`${endpoint.method} ${endpoint.path} keeps to its limits`, () => {
    assert.equal(endpoint.body.safeParse(taken).success, true);
    for (const body of [...refused, { ...taken, more: 1 }]) {
      assert.equal(endpoint.body.safeParse(body).success, false, JSON.stringify(body).slice(0, 80));
    }
  });
}

test("pages of messages and of chats are of one to two hundred", () => {
  for (const { query } of [listChatMessages, listChats]) {
    assert.equal(query.parse({}).limit, 50);
    assert.equal(query.parse({ limit: "200" }).limit, 200);
    for (const limit of ["0", "201", "-1", "1.5", "many"]) {
      assert.equal(query.safeParse({ limit }).success, false, limit);
    }
  }
  assert.equal(listChatPrompts.query.parse({}).limit, 500);
  assert.equal(listChatPrompts.query.safeParse({ limit: "2001" }).success, false);
  assert.equal(listChatMessages.query.safeParse({ before_id: "x" }).success, false);
});
