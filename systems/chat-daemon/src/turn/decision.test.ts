/** What a running chat does next, from its history: each rule, and that the earlier one wins (spec agents 5.6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { HistoryRow } from "../prompt/history-row.ts";
import { decide, TURN_STEPS_MAX, type TurnFacts } from "./decision.ts";

function row(role: HistoryRow["role"], content: readonly MessagePart[], more = {}): HistoryRow {
  return {
    ...{ id: 1, role, content, visibility: "both", compressed: false, deleted: false },
    ...{ modelConfigId: "m", providerResponseId: null },
    usage: {
      ...{ inputTokens: null, outputTokens: null, totalTokens: null },
      ...{ cacheCreationTokens: null, cacheReadTokens: null },
    },
    ...more,
  };
}

const user = row("user", [{ type: "text", text: "go" }]);
const answer = row("assistant", [{ type: "text", text: "done" }]);
const call = (id: string, name: string, more = {}): MessagePart => ({
  ...{ type: "tool-call", tool_call_id: id, tool_name: name, args: {} },
  ...more,
});
const calls = (...names: readonly string[]): HistoryRow =>
  row(
    "assistant",
    names.map((name) => call(name, name)),
  );
const result = (name: string, more = {}): HistoryRow =>
  row("tool", [{ type: "tool-result", tool_call_id: name, tool_name: name, result: {}, ...more }]);
const summary = row("user", [{ type: "text", text: "so far" }], {
  ...{ visibility: "model", compressed: true },
});
const byProvider = row("assistant", [call("s", "web_search", { provider_executed: true })]);

const FACTS: Omit<TurnFacts, "rows"> = {
  isCompactionRequested: false,
  compaction: { kind: "none" },
  dynamicTools: new Set(["client"]),
  exclusiveTools: new Set(["advisor"]),
  stopAfterTools: new Set(["propose_plan"]),
};
const needed = { kind: "needed" } as TurnFacts["compaction"];
const useless = { kind: "useless" } as TurnFacts["compaction"];

/** In a few words. */
function next(rows: readonly HistoryRow[], more: Partial<TurnFacts> = {}): string {
  const decision = decide({ ...FACTS, ...more, rows });
  if (decision.kind === "execute_tools") {
    return `run ${decision.calls.map(({ tool_name: name }) => name).join(" ")}`;
  }
  if (decision.kind === "finish") return `finish ${decision.reason}`;
  return decision.kind === "compact" ? `compact ${decision.source}` : decision.kind;
}

for (const [name, rows, more, want] of [
  ["a message is answered", [user], {}, "generate"],
  ["what calls told is read", [user, calls("a"), result("a")], {}, "generate"],
  ["an answer without calls ends the turn", [user, answer], {}, "finish complete"],
  ["ours of several calls run first", [user, calls("a", "client", "b")], {}, "run a b"],
  ["those without a result", [user, calls("a", "b"), result("a")], {}, "run b"],
  [
    "then the client is asked",
    [user, calls("a", "client"), result("a")],
    {},
    "enter_requires_action",
  ],
  [
    "beside an exclusive one, the client’s are refused too",
    [user, calls("advisor", "client")],
    {},
    "run advisor client",
  ],
  ["what the provider ran itself is not ours", [user, byProvider], {}, "finish complete"],

  [
    "a plan that was made ends the turn",
    [user, calls("propose_plan"), result("propose_plan")],
    {},
    "finish stop_after",
  ],
  [
    "one that failed does not",
    [user, calls("propose_plan"), result("propose_plan", { is_error: true })],
    {},
    "generate",
  ],
  [
    "one of an earlier turn does not",
    [user, calls("propose_plan"), result("propose_plan"), user],
    {},
    "generate",
  ],
  [
    "one of an earlier step does not",
    [user, calls("propose_plan"), result("propose_plan"), calls("a"), result("a")],
    {},
    "generate",
  ],
  [
    "calls go before a summary that was asked for",
    [user, calls("a")],
    { isCompactionRequested: true },
    "run a",
  ],
  [
    "that goes before the end of the turn",
    [user, answer],
    { isCompactionRequested: true },
    "compact manual",
  ],
  [
    "and is nothing behind a boundary",
    [user, answer, summary],
    { isCompactionRequested: true },
    "finish complete",
  ],
  [
    "a full context is summed up before more is asked",
    [user, calls("a"), result("a")],
    { compaction: needed },
    "compact automatic",
  ],
  [
    "an end is an end, also with a full context",
    [user, answer],
    { compaction: needed },
    "finish complete",
  ],
  [
    "a summary that did not help is said",
    [user, calls("a"), result("a")],
    { compaction: useless },
    "still_over_limit",
  ],
] as const satisfies readonly (readonly [
  string,
  readonly HistoryRow[],
  Partial<TurnFacts>,
  string,
])[]) {
  test(`next: ${name}`, () => {
    assert.equal(next(rows, more), want);
  });
}

test("a turn has at most so many steps, those that were deleted or of earlier turns aside", () => {
  const step = [calls("a"), result("a")];
  const steps = (count: number): readonly HistoryRow[] =>
    Array.from({ length: count }, () => step).flat();
  assert.equal(next([user, ...steps(TURN_STEPS_MAX - 1)]), "generate");
  assert.equal(next([user, ...steps(TURN_STEPS_MAX)]), "finish max_steps");
  assert.equal(next([user, ...steps(TURN_STEPS_MAX)], { compaction: needed }), "finish max_steps");
  assert.equal(next([user, ...steps(TURN_STEPS_MAX), user]), "generate");
  const deleted = steps(TURN_STEPS_MAX).map((each) => ({ ...each, deleted: true }));
  assert.equal(next([user, ...deleted]), "generate");
  // A summary in the middle of the turn does not begin another one.
  assert.equal(next([user, ...steps(600), summary, ...steps(600)]), "finish max_steps");
});
