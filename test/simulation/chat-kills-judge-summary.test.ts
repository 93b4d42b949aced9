/** Each rule of summaries can be broken, and says so; and what a model must not be sent beside one. */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import assert from "node:assert/strict";
import { test } from "node:test";
import { contextFaults, FILLER, readSummary, summaryText } from "./chat-kills-context.ts";
import { judgeSummaries } from "./chat-kills-judge-summary.ts";
import type { ModelCall } from "./chat-kills-model.ts";
import type { ChatRowSeen } from "./chat-kills-moments.ts";

const says = (text: string) => ({ type: "text", text }) as const;
const asks = (...texts: readonly string[]) => ({ role: "user", content: texts.map(says) });
const [ONE, TWO] = ["#ka full /home", "#kb talk /home"];
const SUMMARY = summaryText(
  "s7",
  { asked: { key: "ka", kind: "full", home: "/home" }, results: 1 },
  [asks(ONE, FILLER)],
);
const IN_CONTEXT = `This is a summary of the conversation so far; go on.\n\n${SUMMARY}`;
const CALL_OF = { type: "tool-call", tool_name: "chat_summarized", args: {} } as const;
const RESULT_OF = { type: "tool-result", tool_name: "chat_summarized" } as const;

function row(about: Partial<ChatRowSeen>, content: MessagePart): ChatRowSeen {
  const rest = { id: 1, role: "user", visibility: "user", compressed: true };
  return { ...rest, ...about, content: [content] };
}

const boundary = row({ visibility: "model" }, says(IN_CONTEXT));
const call = row({ role: "assistant" }, { ...CALL_OF, tool_call_id: "c" });
const result = (id: string, summary: string): ChatRowSeen =>
  row({ role: "tool" }, { ...RESULT_OF, tool_call_id: id, result: { summary } });
const WHOLE = [boundary, call, result("c", SUMMARY)];
const LAST: ModelCall = { key: "kz", kind: "step", summary: "s7" };

test("a chat has its summary once, whole, and goes on with it", () => {
  const judged = (rows: readonly ChatRowSeen[], last: ModelCall = LAST): number =>
    judgeSummaries({ key: "k", scenario: "limit" }, rows, [last]).length;
  assert.equal(judged(WHOLE), 0);
  for (const wrong of [
    [],
    [...WHOLE, ...WHOLE],
    [boundary, call],
    [boundary, call, result("d", SUMMARY)],
    [boundary, call, result("c", "Another.")],
  ]) {
    assert.notEqual(judged(wrong), 0, JSON.stringify(wrong));
  }
  assert.equal(judged(WHOLE, { ...LAST, summary: "s6" }), 1);
  assert.equal(judged(WHOLE, { ...LAST, summary: null }), 1);
});

test("a chat that nobody summed up has no summary", () => {
  const about = { key: "k", scenario: "tools" } as const;
  assert.deepEqual(judgeSummaries(about, [], [{ ...LAST, summary: null }]), []);
  assert.equal(judgeSummaries(about, WHOLE, [LAST]).length, 1);
  const [unasked] = judgeSummaries(about, [{ ...call, compressed: false }], []);
  assert.match(unasked ?? "", /not asked with its last message: \[\{"role":"assistant"/);
});

test("a summary tells what it stands for, and what is to be gone on with", () => {
  assert.deepEqual(readSummary(IN_CONTEXT), {
    ...{ serial: "s7", of: ["ka"], results: 1 },
    asked: { key: "ka", kind: "full", home: "/home" },
  });
  const next = summaryText("s8", { asked: null, results: 0 }, [asks(IN_CONTEXT), asks(TWO)]);
  assert.match(next, /^Summary s8 of ka,kb\./);
});

test("a model is sent one summary, first, nothing that it sums up, and each message once", () => {
  assert.deepEqual(contextFaults([asks(ONE, FILLER)]), []);
  assert.deepEqual(contextFaults([asks(IN_CONTEXT), asks(TWO)]), []);
  assert.deepEqual(contextFaults([asks(IN_CONTEXT, TWO)]), []);
  for (const wrong of [
    [asks(TWO), asks(IN_CONTEXT)],
    [asks(IN_CONTEXT), asks(IN_CONTEXT)],
    [asks(IN_CONTEXT), asks(ONE)],
    [asks(IN_CONTEXT), asks(TWO), asks(TWO)],
    [asks(ONE), asks(ONE)],
  ]) {
    assert.notDeepEqual(contextFaults(wrong), [], JSON.stringify(wrong));
  }
});
