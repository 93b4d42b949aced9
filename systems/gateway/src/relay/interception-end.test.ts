import type { ObservedResponse } from "@atelier/model-wire/observe-response";
import assert from "node:assert/strict";
import { test } from "node:test";
import { toInterceptionEnd, type InterceptionFacts } from "./interception-end.ts";
import type { RelayEnding, RelayOutcome } from "./relay-outcome.ts";

const FACTS: InterceptionFacts = {
  id: "i",
  format: "messages",
  startedAt: new Date(0),
  endedAt: new Date(5),
  credentialHint: "h",
  prompt: "hi",
};
const OBSERVED: ObservedResponse = {
  responseId: "r",
  model: "m",
  tokens: { input: 1, output: 2, cacheReadInput: 3, cacheWriteInput: 4, extra: { x: 5 } },
  toolCalls: [{ toolCallId: "t", tool: "Read", input: "{}" }],
  thoughts: [{ source: "thinking", content: "hm" }],
  error: null,
  outcome: "completed",
};

function outcome(
  ending: RelayEnding,
  status: number | null = 200,
  contentType = "application/json",
): RelayOutcome {
  return { ending, status, contentType };
}

test("a completed answer is recorded with all that was in it", () => {
  assert.deepEqual(toInterceptionEnd(FACTS, outcome({ kind: "complete" }), OBSERVED), {
    id: "i",
    startedAt: new Date(0),
    endedAt: new Date(5),
    credentialHint: "h",
    error: null,
    tokens: [{ responseId: "r", ...OBSERVED.tokens }],
    prompts: [{ responseId: "r", prompt: "hi" }],
    toolCalls: [{ responseId: "r", toolCallId: "t", tool: "Read", input: "{}" }],
    thoughts: [{ source: "thinking", content: "hm" }],
  });
});

const CASES: [name: string, outcome: RelayOutcome, observed: Partial<ObservedResponse> | null, want: string | null][] = [
  ["unreachable", outcome({ kind: "unreachable", cause: "E" }, null), null, "server_error the model provider could not be reached (E)"],
  ["silent", outcome({ kind: "timeout", cause: "E" }, null), null, "timeout the model provider was silent for too long (E)"],
  ["cut", outcome({ kind: "cut", cause: "E" }), {}, "server_error the answer broke off (E)"],
  ["client gone", outcome({ kind: "client_gone" }), {}, "unknown the client went away before the answer was complete"],
  ["stopping", outcome({ kind: "closing" }), {}, "unknown the server was stopped before the answer was complete"],
  ["refused by us", outcome({ kind: "refused", errorType: "rate_limited", cause: "no" }, null), null, "rate_limited no"],
  ["401", outcome({ kind: "complete" }, 401), { error: { type: "authentication_error", message: "bad key" } }, "unauthorized bad key"],
  ["429 without a readable body", outcome({ kind: "complete" }, 429), {}, "rate_limited the model provider answered 429"],
  ["400", outcome({ kind: "complete" }, 400), {}, "bad_request the model provider answered 400"],
  ["500", outcome({ kind: "complete" }, 500), {}, "server_error the model provider answered 500"],
  ["529", outcome({ kind: "complete" }, 529), {}, "overloaded the model provider answered 529"],
  ["overloaded inside the stream", outcome({ kind: "complete" }), { error: { type: "overloaded_error", message: "Overloaded" } }, "overloaded Overloaded"],
  ["an unknown error inside the stream", outcome({ kind: "complete" }), { error: { type: "huh", message: "x" } }, "unknown x"],
  ["a compressed stream without its last event", outcome({ kind: "complete" }), { outcome: "incomplete_stream" }, "server_error the answer broke off (the stream ended without its last event)"],
  ["HTML", outcome({ kind: "complete" }, 200, "text/html"), { error: { type: "x", message: "y" } }, "server_error the model provider answered text/html"],
  ["no content type", outcome({ kind: "complete" }, 200, ""), { error: { type: "x", message: "y" } }, "server_error the model provider answered without a type"],
]; // prettier-ignore

for (const [name, ended, observed, want] of CASES) {
  test(`recorded error: ${name}`, () => {
    const end = toInterceptionEnd(
      FACTS,
      ended,
      observed === null ? null : { ...OBSERVED, ...observed },
    );
    assert.equal(end.error === null ? null : `${end.error.type} ${end.error.message}`, want);
  });
}

test("a refused request is never counted as use", () => {
  const end = toInterceptionEnd(FACTS, outcome({ kind: "complete" }, 400), OBSERVED);
  assert.deepEqual([end.tokens, end.prompts, end.toolCalls, end.thoughts], [[], [], [], []]);
});

test("a cut stream keeps what was used until then", () => {
  const end = toInterceptionEnd(FACTS, outcome({ kind: "cut", cause: "E" }), OBSERVED);
  assert.deepEqual([end.tokens.length, end.prompts.length, end.toolCalls.length], [1, 1, 1]);
});

test("a long error text is cut", () => {
  const error = { type: "x", message: "é".repeat(5_000) };
  const end = toInterceptionEnd(FACTS, outcome({ kind: "complete" }), { ...OBSERVED, error });
  assert.equal(end.error!.message.length, 1_000);
});
