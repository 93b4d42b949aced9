import assert from "node:assert/strict";
import { test } from "node:test";
import {
  actionWords,
  callSubject,
  contextPercent,
  lastActionWords,
  stateWords,
  type StateFacts,
} from "./chat-words.ts";

const NOW = new Date("2026-11-21T10:00:00.000Z");
const RETRY = {
  attempt: 2,
  delay_ms: 8_000,
  error: "The provider is overloaded.",
  retrying_at: "2026-11-21T10:00:08.000Z",
};

const STATES: readonly (readonly [StateFacts, words: string, reason: string | null])[] = [
  [{ status: "running" }, "working", null],
  [
    { status: "running", retry: RETRY },
    "tries again",
    "Attempt 3 in 8 s: The provider is overloaded.",
  ],
  [
    { status: "running", queued_for_capacity: true },
    "waits its turn",
    "As many agents work as may at a time.",
  ],
  [{ status: "interrupting" }, "stopping", "It keeps what it wrote so far."],
  [
    { status: "error", last_error: { message: "The key is refused.", retryable: false } },
    "failed",
    "The key is refused.",
  ],
  [
    { status: "error", last_error: { message: "No key.", kind: "missing_key", retryable: false } },
    "failed",
    "No key. Add a key of your own, or choose another model.",
  ],
  [{ status: "waiting", asks: "question", has_unread: true }, "asks you", null],
  [{ status: "waiting", asks: "plan" }, "plan to approve", null],
  [{ status: "waiting", has_unread: true }, "done", null],
  [{ status: "waiting", has_unread: false }, "idle", null],
];

for (const [chat, words, reason] of STATES) {
  test(`a chat that is ${JSON.stringify(chat)} is said to be: ${words}`, () => {
    const said = stateWords(chat, NOW);
    assert.deepEqual([said.words, said.reason], [words, reason]);
  });
}

test("an attempt whose time has come begins now", () => {
  const later = new Date(NOW.getTime() + 60_000);
  assert.match(stateWords({ status: "running", retry: RETRY }, later).reason ?? "", /3 now/);
});

for (const [tool, subject, isDone, words] of [
  ["execute", "npm test", false, "runs npm test"],
  ["execute", "npm test", true, "ran npm test"],
  ["edit_files", "src/a.ts src/b.ts", true, "edited src/a.ts src/b.ts"],
  ["wiki__search", "dogs", false, "uses search of wiki: dogs"],
  ["weather", "", true, "used weather"],
] as const) {
  test(`a call is told as: ${words}`, () => {
    const { verb, object } = actionWords(tool, subject, isDone);
    assert.equal(`${verb} ${object}`, words);
  });
}

for (const [args, subject] of [
  [{ command: "npm test\nnpm run lint", workdir: "/src" }, "npm test"],
  [{ path: "/etc/hosts" }, "/etc/hosts"],
  [{ edits: [{ path: "a" }, { path: "b" }, { path: "a" }] }, "a b"],
  [{ questions: [{ header: "h", question: "Which one?" }] }, "Which one?"],
  [{}, ""],
  [null, ""],
] as const) {
  test(`a call with ${JSON.stringify(args)} is about ${JSON.stringify(subject)}`, () => {
    assert.equal(callSubject(args), subject);
  });
}

test("an agent that wrote is quoted, and one that has done nothing is not", () => {
  const at = NOW.toISOString();
  const wrote = { last_action: { subject: "All tests pass.", at, is_done: true } };
  assert.deepEqual(lastActionWords(wrote), {
    ...{ verb: "wrote", object: "“All tests pass.”", isCode: false },
  });
  assert.equal(lastActionWords({}), null);
});

test("the context is full to whole percent, where both numbers are known", () => {
  assert.equal(contextPercent({ context_tokens: 50_000, context_limit: 200_000 }), 25);
  assert.equal(contextPercent({ context_tokens: 300_000, context_limit: 200_000 }), 100);
  assert.equal(contextPercent({ context_limit: 200_000 }), null);
});
