/** The pure rules of tools: who may call what, what runs together, how results and commands are read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refusedCalls } from "./batch-policy.ts";
import { chooseAgent } from "./chat-workspace.ts";
import { refusedPath } from "./plan-path.ts";
import { resultBudgetBytes, truncateJson, truncateText } from "./result-truncation.ts";
import { commandNote, parseCommands, splitBackground } from "./shell-command.ts";
import { mediaTypeOf } from "../messages/media-type.ts";
import { isToolAvailable, kindOfChat, toolNameOf, type ChatKind } from "./tool-availability.ts";
import type { ToolChat } from "./tool.ts";
import { toolTimeout } from "./tool-timeout.ts";

const KINDS = [
  "root",
  "root_plan",
  "child",
  "child_plan",
  "explore_child",
  "computer_use_child",
] as const;

for (const [tool, row] of Object.entries({
  read_file: "++++++",
  execute: "++++++",
  process_output: "++++++",
  read_skill: "++++++",
  read_skill_file: "++++++",
  write_file: "+++--+",
  edit_files: "+++--+",
  process_list: "+-+--+",
  process_signal: "+-+--+",
  attach_file: "+-+--+",
  list_workspaces: "++----",
  create_workspace: "++----",
  start_workspace: "++----",
  stop_workspace: "+-----",
  propose_plan: "-+----",
  ask_user_question: "-+----",
  spawn_agent: "++----",
  wait_agent: "++----",
  list_agents: "++----",
  list_subagent_models: "++----",
  message_agent: "+-----",
  interrupt_agent: "+-----",
  advisor: "+-----",
  web_search: "+-+-++",
  unheard_of: "------",
})) {
  test(`who may call ${tool}: ${row}`, () => {
    assert.equal(KINDS.map((kind) => (isToolAvailable(tool, kind) ? "+" : "-")).join(""), row);
  });
}

test("a chat's kind is that of its parent, its mode and its plan", () => {
  const of = (
    parentChatId: string | null,
    mode: "explore" | "computer_use" | null,
    planMode: "plan" | null,
  ) => kindOfChat({ parentChatId, mode, planMode });
  const kinds: ChatKind[] = [
    of(null, null, null),
    of(null, null, "plan"),
    of("p", null, null),
    of("p", null, "plan"),
    of("p", "explore", null),
    of("p", "computer_use", null),
  ];
  assert.deepEqual(kinds, KINDS);
  assert.equal(toolNameOf("close_agent"), "interrupt_agent");
});

test("a tool that must be called alone stops a batch; alone it runs", () => {
  const [advisor, other] = ["advisor", "execute"].map((toolName) => ({
    toolCallId: toolName,
    toolName,
  }));
  assert.ok(advisor !== undefined && other !== undefined);
  const exclusive = new Set(["advisor"]);
  assert.equal(refusedCalls([advisor], exclusive).size, 0);
  assert.equal(refusedCalls([other, other].slice(1), exclusive).size, 0);
  assert.equal(refusedCalls([other, advisor], exclusive).size, 2);
});

test("calls that share an id cannot be told apart: none of them runs, the others do", () => {
  const calls = ["a", "a", "b"].map((toolCallId) => ({ toolCallId, toolName: "t" }));
  assert.deepEqual([...refusedCalls(calls, new Set()).keys()], calls.slice(0, 2));
});

test("a result's budget is a third of the context, and never less than 16 KiB", () => {
  assert.deepEqual([null, 3_000, 200_000].map(resultBudgetBytes), [65_536, 16_384, 199_998]);
});

test("any text within its budget stays; a longer one keeps its ends, in whole characters", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 3_000 }),
      fc.integer({ min: 400, max: 2_000 }),
      (text, budget) => {
        const cut = truncateText(text, budget);
        const bytes = Buffer.byteLength(text);
        if (bytes <= budget) return assert.equal(cut, text);
        assert.ok(Buffer.byteLength(cut) <= budget && !cut.includes("\uFFFD"));
        const [head = "", tail = ""] = cut.split(
          /\n\n\[… \d+ bytes of this result were removed …\]\n\n/,
        );
        assert.ok(text.startsWith(head) && text.endsWith(tail));
      },
    ),
  );
});

test("of JSON that is too long its longest text is cut, and it stays what it was", () => {
  const cut = truncateJson({ ok: true, content: "x".repeat(100_000), list: ["y"] }, 20_000);
  assert.ok(typeof cut === "object" && cut !== null && "list" in cut);
  assert.ok(JSON.stringify(cut).length <= 20_000);
  const many = truncateJson(
    Array.from({ length: 10_000 }, (_, n) => n),
    20_000,
  );
  assert.ok(typeof many === "string" && Buffer.byteLength(many) <= 20_000);
});

for (const [command, rest, isBackground] of [
  ["make &", "make", true],
  ["make & ", "make", true],
  ["make &&", "make &&", false],
  ["make |&", "make |&", false],
  ["a & b", "a & b", false],
  ["a && b &", "a && b", true],
  ["&", "&", false],
] as const) {
  test(`in the background: ${command}: ${isBackground}`, () => {
    assert.deepEqual(splitBackground(command), { command: rest, isBackground });
  });
}

for (const [command, parsed] of [
  ["git commit -m 'a b; c'", [["git", "commit"]]],
  [
    '/usr/bin/node --test x.ts && FOO=1 npm -s run \'a b\' | grep -n "x\\"y"',
    [
      ["node", "x.ts"],
      ["npm", "run"],
      ["grep", 'x"y'],
    ],
  ],
  ["ls\necho done > out", [["ls"], ["echo", "done"]]],
  ["echo 'never ends", null],
  ["", null],
] as const) {
  test(`commands at a glance: ${JSON.stringify(command)}`, () => {
    assert.deepEqual(parseCommands(command), parsed);
  });
}

test("a better tool is named where there is one", () => {
  const notes = ["cat a.txt", "grep -n '' a.txt", "cat a | wc", "grep foo a", "make"].map(
    commandNote,
  );
  assert.deepEqual(
    notes.map((note) => note !== null),
    [true, true, false, false, false],
  );
});

test("durations of models: numbers are seconds, and there is a least and a most", () => {
  const read = (given: unknown) => toolTimeout(1).safeParse(given).data;
  assert.deepEqual(
    ["90s", "5m", 2, "1.5", "100h"].map(read),
    [90_000, 300_000, 2_000, 1_500, 14_400_000],
  );
  assert.deepEqual(["0s", -1, "soon", ""].map(read), [undefined, undefined, undefined, undefined]);
});

const CHAT: ToolChat = {
  ...{ id: "c", ownerId: "o", organizationId: "g", workspaceId: "w", parentChatId: null },
  ...{ rootChatId: null, mode: null, planMode: null, lastModelConfigId: "m", fence: 1 },
};

test("a plan lies in one place only", () => {
  const home = "/home/me";
  const allowed = (path: string, planMode: "plan" | null) =>
    refusedPath({ ...CHAT, planMode }, path, home) === null;
  assert.ok(allowed("~/.atelier/plans/PLAN-c.md", "plan"));
  assert.ok(allowed("/home/me/.atelier/plans/PLAN-c.md", "plan"));
  for (const path of [
    "~/x.md",
    "/home/me/.atelier/plans/../x.md",
    "~/.atelier/plans/PLAN-other.md",
  ]) {
    assert.ok(!allowed(path, "plan"), path);
  }
  for (const path of ["plan.md", "PLAN.md", "~/Plan.md", "/home/me/PLAN.md"])
    assert.ok(!allowed(path, null), path);
  assert.ok(allowed("/home/me/project/plan.md", null) && allowed("/a/floorplan.md", null));
});

test("what a file is, is said by its bytes; among texts by its name", () => {
  const text = Buffer.from("hello");
  assert.deepEqual(
    [
      ["a.md", text],
      ["a.csv", text],
      ["a.json", text],
      ["a.ts", text],
      ["a.png", text],
      ["x", Buffer.from("%PDF-1.7")],
      ["x.txt", Buffer.from([0xff, 0xfe, 0x00])],
    ].map(([name, bytes]) => mediaTypeOf(name as string, bytes as Buffer)),
    [
      "text/markdown",
      "text/csv",
      "application/json",
      "text/plain",
      "text/plain",
      "application/pdf",
      null,
    ],
  );
});

test("the machine of a chat: its own, else the one that is meant for chats, else the first by name", () => {
  const agent = (name: string) => ({
    id: `id-${name}`,
    name,
    isConnected: true,
    operatingSystem: null,
    directory: null,
  });
  const choose = (names: readonly string[], bound: string | null = null) => {
    const chosen = chooseAgent({ name: "dev", agents: names.map(agent) }, bound);
    return chosen.ok ? chosen.value : chosen.failure;
  };
  assert.equal(choose(["b", "A"]), "id-A");
  assert.equal(choose(["a", "z-Atelier-Chat"]), "id-z-Atelier-Chat");
  assert.equal(choose(["a", "b"], "id-b"), "id-b");
  assert.equal(choose(["a"], "id-gone"), "id-a");
  assert.match(choose(["a-atelier-chat", "b-atelier-chat"]), /Several agents/);
  assert.match(choose([]), /No machine/);
});
