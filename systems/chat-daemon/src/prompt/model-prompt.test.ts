import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import fc from "fast-check";
import { withCacheBreakpoints, withToolBreakpoint } from "./cache-breakpoints.ts";
import { chainOf } from "./chain-mode.ts";
import { selectPromptRows, unansweredUserRows, type HistoryRow } from "./history-row.ts";
import { toModelPrompt, type PromptCall } from "./model-prompt.ts";
import { prefixChanges, promptPrefix } from "./prompt-prefix.ts";
import { initialSystemTexts, systemLayers, toPromptText } from "./system-layers.ts";
import { estimateContextTokens } from "./token-estimate.ts";

let nextId = 1;

function row(
  role: HistoryRow["role"],
  content: readonly MessagePart[],
  more: Partial<HistoryRow> = {},
): HistoryRow {
  const none = { inputTokens: null, outputTokens: null, totalTokens: null };
  return {
    ...{ id: nextId++, role, content, visibility: "both", compressed: false, deleted: false },
    ...{ modelConfigId: role === "assistant" ? "m" : null, providerResponseId: null },
    usage: { ...none, cacheCreationTokens: null, cacheReadTokens: null },
    ...more,
  };
}

const text = (value: string): MessagePart => ({ type: "text", text: value });
const call = (
  id: string,
  more: Partial<Extract<MessagePart, { type: "tool-call" }>> = {},
): MessagePart => ({
  ...{ type: "tool-call", tool_call_id: id, tool_name: "t", args: {}, ...more },
});
const result = (
  id: string,
  more: Partial<Extract<MessagePart, { type: "tool-result" }>> = {},
): MessagePart => ({
  ...{ type: "tool-result", tool_call_id: id, tool_name: "t", result: { ok: 1 }, ...more },
});
const CALL: PromptCall = {
  modelConfigId: "m",
  takesFile: (type) => type !== "application/zip",
  files: new Map(),
};
const prompt = (rows: readonly HistoryRow[], more: Partial<PromptCall> = {}) =>
  toModelPrompt(rows, [], { ...CALL, ...more });

test("before the newest boundary only what the system says is sent", () => {
  const rows = [
    row("system", [text("be good")]),
    row("user", [text("old")]),
    row("assistant", [text("older")], { deleted: true }),
    row("user", [text("summary one")], { visibility: "model", compressed: true }),
    row("assistant", [text("between")]),
    row("user", [text("summary two")], { visibility: "model", compressed: true }),
    row("assistant", [call("s")], { visibility: "both", compressed: true }),
    row("user", [text("new")]),
    row("assistant", [text("a notice")], { visibility: "user" }),
  ];
  const texts = selectPromptRows(rows).map(
    ({ content: [part] }) => part?.type === "text" && part.text,
  );
  assert.deepEqual(texts, ["be good", "summary two", "new"]);
  assert.deepEqual(
    unansweredUserRows(rows).map(({ content }) => content),
    [[text("new")]],
  );
});

test("every call of ours is followed by one result, and none stands alone", () => {
  const rows = [
    row("user", [text("go")]),
    row("assistant", [call("a"), call("b"), call("a")]),
    row("tool", [result("b")]),
    row("tool", [result("b", { result: "again" })]),
    row("tool", [result("nobody's")]),
    row("user", [text("more")]),
  ];
  const [, assistant, tool, user] = prompt(rows);
  assert.equal(assistant?.content.length, 2);
  assert.deepEqual(
    tool?.role === "tool" &&
      tool.content.map((part) => part.type === "tool-result" && [part.toolCallId, part.output]),
    [
      ["a", { type: "error-text", value: "The outcome of this call was not recorded." }],
      ["b", { type: "json", value: { ok: 1 } }],
    ],
  );
  assert.equal(user?.role, "user");
});

test("any history of calls and results becomes one that providers take", () => {
  const ids = fc.constantFrom("a", "b", "c");
  const rows = fc.array(
    fc.oneof(
      fc.record({ role: fc.constant("user" as const), ids: fc.constant<string[]>([]) }),
      fc.record({
        role: fc.constantFrom("assistant" as const, "tool" as const),
        ids: fc.array(ids, { maxLength: 3 }),
      }),
    ),
  );
  fc.assert(
    fc.property(rows, (given) => {
      const history = given.map(({ role, ids: used }) =>
        row(
          role,
          role === "user"
            ? [text("u")]
            : role === "tool"
              ? used.map((id) => result(id))
              : [text("x"), ...used.map((id) => call(id))],
        ),
      );
      const messages = prompt(history);
      for (const [index, message] of messages.entries()) {
        if (message.role === "tool") {
          const before = messages[index - 1];
          const called =
            before?.role === "assistant"
              ? before.content.flatMap((part) =>
                  part.type === "tool-call" ? [part.toolCallId] : [],
                )
              : [];
          assert.deepEqual(
            message.content.map((part) => part.type === "tool-result" && part.toolCallId),
            called,
          );
        } else if (
          message.role === "assistant" &&
          message.content.some(({ type }) => type === "tool-call")
        ) {
          assert.equal(messages[index + 1]?.role, "tool");
        }
      }
    }),
  );
});

test("a provider's id that is used in two answers means each answer's own result", () => {
  const rows = [
    row("assistant", [call("0")]),
    row("tool", [result("0", { result: "first" })]),
    row("assistant", [call("0")]),
    row("tool", [result("0", { result: "second" })]),
  ];
  assert.match(JSON.stringify(prompt(rows)), /first.*second/);
  // Where the first has none, the second's is not lent to it.
  const lost = JSON.stringify(prompt(rows.filter((_row, index) => index !== 1)));
  assert.match(lost, /was not recorded.*second/);
  assert.equal(lost.split("second").length, 2);
});

test("what a provider ran itself goes back whole or not at all, and only to it", () => {
  const search = [
    call("w", { provider_executed: true }),
    result("w", { provider_executed: true }),
    text("found"),
  ];
  const half = [call("w", { provider_executed: true }), text("cut")];
  assert.equal(prompt([row("assistant", search)])[0]?.content.length, 3);
  assert.deepEqual(prompt([row("assistant", half)])[0]?.content, [{ type: "text", text: "cut" }]);
  assert.deepEqual(prompt([row("assistant", search)], { modelConfigId: "other" })[0]?.content, [
    { type: "text", text: "found" },
  ]);
});

test("thoughts keep their signatures for their own model, and stay away from another", () => {
  const provider_metadata = { anthropic: { signature: "s" } };
  const thoughts = [
    { type: "reasoning" as const, text: "hm", provider_metadata },
    {
      type: "reasoning" as const,
      text: "",
      provider_metadata: { anthropic: { redactedData: "x" } },
    },
    { type: "reasoning" as const, text: " " },
    text("so"),
  ];
  const [own] = prompt([row("assistant", thoughts)]);
  assert.deepEqual(
    own?.role === "assistant" &&
      own.content.map(({ type, providerOptions }) => [type, providerOptions]),
    [
      ["reasoning", provider_metadata],
      ["reasoning", { anthropic: { redactedData: "x" } }],
      ["text", undefined],
    ],
  );
  assert.equal(
    prompt([row("assistant", thoughts)], { modelConfigId: "other" })[0]?.content.length,
    1,
  );
});

test("files are sent as they are, as text, or as a word on why not", () => {
  const bytes = Buffer.from("héllo");
  const file = (mediaType: string, name: string) => ({ mediaType, name, bytes });
  const files = new Map([
    ["p", file("image/png", "p.png")],
    ["t", file("text/csv", "t.csv")],
    ["z", file("application/zip", "z.zip")],
  ]);
  const parts = ["p", "t", "z", "gone"].map((file_id): MessagePart => ({
    ...{ type: "file", media_type: "image/png", name: "gone.png", file_id },
  }));
  const [message] = prompt([row("user", parts)], { files });
  const sent = message?.role === "user" ? message.content : [];
  assert.deepEqual(
    sent.map((part) => (part.type === "text" ? part.text : part.mediaType)),
    [
      "image/png",
      '<attachment name="t.csv">\nhéllo\n</attachment>',
      "[The attachment z.zip (application/zip) cannot be shown.]",
      "[The attachment gone.png has expired.]",
    ],
  );
});

test("halves of characters and zeroes never reach a provider", () => {
  const rows = [
    row("user", [text("a\uD800b\0")]),
    row("assistant", [call("a", { args: { x: "\uDC00" } })]),
    row("user", [{ type: "file", media_type: "text/plain", name: "n\0", file_id: "f" }]),
  ];
  const files = new Map([
    ["f", { mediaType: "text/plain", name: "n\uD800", bytes: Buffer.from("c\0d") }],
  ]);
  const sent = JSON.stringify([prompt(rows, { files }), prompt(rows)]);
  assert.ok(sent.isWellFormed() && !sent.includes("\\ud8") && !sent.includes("\\u0000"));
});

test("marks for a provider's cache are put on copies, at the system and the last two messages", () => {
  const rows = [
    row("system", [text("s")]),
    row("user", [text("1")]),
    row("assistant", [text("2")]),
    row("user", [text("3")]),
  ];
  const layers = [
    { name: "a", text: "s" },
    { name: "b", text: "t" },
  ];
  const plain = toModelPrompt(rows, layers, CALL);
  const before = structuredClone(plain);
  const marked = withCacheBreakpoints(plain, "anthropic");
  assert.deepEqual(plain, before);
  assert.deepEqual(
    marked.map(({ providerOptions }) => providerOptions !== undefined),
    [false, true, false, true, true],
  );
  assert.equal(withCacheBreakpoints(plain, "none"), plain);
  const tools = ["a", "b"].map((name) => ({ type: "function" as const, name, inputSchema: {} }));
  const [first, last] = withToolBreakpoint(tools, "anthropic");
  assert.ok(!("providerOptions" in (first ?? {})) && "providerOptions" in (last ?? {}));
});

const CHAIN = { isStored: true, modelConfigId: "m", isPlanMode: false };
const answered = row("assistant", [text("a")], { providerResponseId: "resp" });
for (const { name, rows, facts, isActive } of [
  {
    name: "an answer that is kept, and a new message",
    rows: [answered, row("user", [text("q")])],
    facts: {},
    isActive: true,
  },
  {
    name: "answers are not kept",
    rows: [answered, row("user", [text("q")])],
    facts: { isStored: false },
    isActive: false,
  },
  {
    name: "in plan mode",
    rows: [answered, row("user", [text("q")])],
    facts: { isPlanMode: true },
    isActive: false,
  },
  {
    name: "another model",
    rows: [answered, row("user", [text("q")])],
    facts: { modelConfigId: "n" },
    isActive: false,
  },
  { name: "nothing new", rows: [answered, row("user", [text(" ")])], facts: {}, isActive: false },
  {
    name: "an answer without an id",
    rows: [row("assistant", [text("a")]), row("user", [text("q")])],
    facts: {},
    isActive: false,
  },
  {
    name: "results that were never sent",
    rows: [
      row("assistant", [call("a")], { providerResponseId: "r" }),
      row("tool", [result("a")]),
      row("user", [text("q")]),
    ],
    facts: {},
    isActive: false,
  },
  {
    name: "calls that nothing has answered",
    rows: [row("assistant", [call("a")], { providerResponseId: "r" }), row("user", [text("q")])],
    facts: {},
    isActive: false,
  },
  {
    name: "what the provider ran itself, which it knows",
    rows: [
      row("assistant", [call("a", { provider_executed: true })], { providerResponseId: "r" }),
      row("user", [text("q")]),
    ],
    facts: {},
    isActive: true,
  },
  {
    name: "nothing but a file",
    rows: [answered, row("user", [{ type: "file", media_type: "image/png", file_id: "f" }])],
    facts: {},
    isActive: true,
  },
  { name: "no answer before", rows: [row("user", [text("q")])], facts: {}, isActive: false },
  {
    name: "a boundary in between",
    rows: [
      answered,
      row("user", [text("s")], { visibility: "model", compressed: true }),
      row("user", [text("q")]),
    ],
    facts: {},
    isActive: false,
  },
] as const) {
  test(`continuing a kept answer: ${name}: ${isActive}`, () => {
    assert.equal(chainOf(rows, { ...CHAIN, ...facts }) !== null, isActive);
  });
}

test("continuing a kept answer sends all that was written since, and no empty message", () => {
  const [one, empty, two] = [text("one"), text(" "), text("two")].map((part) =>
    row("user", [part]),
  );
  const rows = [row("user", [text("before")]), answered, one, empty, two].filter(
    (each) => each !== undefined,
  );
  assert.deepEqual(chainOf(rows, CHAIN), { previousResponseId: "resp", rows: [one, two] });
});

test("an estimate is anchored on what the provider reported last, and there is none without", () => {
  const usage = {
    inputTokens: 10,
    outputTokens: 20,
    totalTokens: null,
    cacheCreationTokens: 30,
    cacheReadTokens: 900,
  };
  const rows = [
    row("user", [text("x".repeat(9_000))]),
    row("assistant", [text("y")], { usage }),
    row("tool", [result("a", { result: "z".repeat(300) })]),
  ];
  assert.equal(estimateContextTokens(rows), 10 + 30 + 900 + 20 + 100);
  assert.equal(estimateContextTokens(rows.slice(0, 1)), null);
  const summary = row("user", [text("s")], { visibility: "model", compressed: true });
  assert.equal(estimateContextTokens([...rows, summary]), null);
});

const CONTEXT = {
  ...{ isChild: false, isPlanMode: false, isExplore: false, hasAdvisor: false, userPrompt: "" },
  ...{ planInstructions: "", planPath: null, skills: [] },
};

test("layers of the system prompt come in their order, and those without text are missing", () => {
  const pinned = row("system", [
    {
      type: "context-file",
      context_file_path: "",
      context_file_os: "linux",
      context_file_directory: "/w",
    },
    { type: "context-file", context_file_path: "/w/AGENTS.md", context_file_content: "use tabs" },
    { type: "skill", skill_name: "deploying", skill_description: "how" },
  ]);
  const rows = [row("system", [text("deployment")]), row("system", [text("awareness")]), pinned];
  const all = systemLayers(rows, {
    ...CONTEXT,
    userPrompt: "be brief",
    isPlanMode: true,
    hasAdvisor: true,
    planPath: "~/p.md",
  });
  assert.deepEqual(
    all.map(({ name }) => name),
    ["stored_1", "stored_2", "workspace_context", "skills", "user_prompt", "mode", "advisor"],
  );
  const whole = all.map(({ text: each }) => each).join("\n");
  assert.match(
    whole,
    /Operating system: linux\nWorking directory: \/w[\s\S]*use tabs[\s\S]*deploying: how/,
  );
  assert.match(whole, /<plan-file-path>~\/p\.md<\/plan-file-path>/);
  assert.deepEqual(systemLayers([], CONTEXT), []);
});

test("a child's prompt knows nothing of starting others, and no placeholder is left in anybody's", () => {
  const chat = {
    includesDefault: true,
    deploymentPrompt: "house rules",
    organizationPrompt: "",
    chatPrompt: "",
    hasWorkspace: false,
  };
  const [root = ""] = initialSystemTexts({ ...chat, isChild: false });
  const [child = ""] = initialSystemTexts({ ...chat, isChild: true });
  assert.ok(root.includes("spawn_agent") && !child.includes("spawn_agent"));
  for (const stored of [root, child]) {
    const [layer] = systemLayers([row("system", [text(stored)])], CONTEXT);
    assert.doesNotMatch(layer?.text ?? "", /\{\{|<!--/);
    assert.match(layer?.text ?? "", /house rules$/);
  }
});

test("what people write for models loses characters that they cannot see", () => {
  assert.equal(toPromptText(" a\u200B\u202Eb\u0007\r\nc\t "), "ab\nc");
});

test("a change of the prefix has a name", () => {
  const tool = (name: string, description = "") => ({
    type: "function" as const,
    name,
    description,
    inputSchema: {},
  });
  const of = (tools: ReturnType<typeof tool>[], system: string[], model = "m") =>
    promptPrefix(
      model,
      tools,
      system.map((each, index) => ({ name: `layer${index}`, text: each })),
    );
  const last = of([tool("a"), tool("b")], ["one"]);
  assert.deepEqual(prefixChanges(last, of([tool("a"), tool("b")], ["one"])), []);
  assert.deepEqual(prefixChanges(last, of([tool("b"), tool("a")], ["one"])), ["tool_order"]);
  assert.deepEqual(prefixChanges(last, of([tool("a", "new"), tool("c")], ["two", "three"], "n")), [
    ...["model", "tool_added:c", "tool_removed:b", "tool_changed:a"],
    ...["system_added:layer1", "system_changed:layer0"],
  ]);
});
