/** Recorded model calls in the terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import type { ChatDebugRun, ChatDebugStep } from "@atelier/contract/http/chat-debug";
import type { Chat } from "@atelier/contract/http/chats";
import { cli, ID, SIGNED_IN, TIME } from "../cli-scene.test.ts";

const CHAT: Chat = {
  ...{ id: ID, organization_id: ID, owner_id: ID, last_model_config_id: ID },
  ...{ title: "A chat", status: "error", last_turn_summary: null, archived: false, shared: false },
  ...{ created_at: TIME, updated_at: TIME, pin_order: 0, mcp_server_ids: [], labels: {} },
  ...{ has_unread: false, client_type: "api", queue_length: 0, children: [] },
  ...{ inbox_section: "idle", inbox_since: TIME },
};
const RUN_ID = "3f9c0000-1111-4a4a-8b8b-0a4c1f1e2d3c";
const OTHER_ID = "3f9d0000-1111-4a4a-8b8b-0a4c1f1e2d3c";
const LATER = new Date(Date.parse(TIME) + 1_500).toISOString();
const TIMES = { started_at: TIME, updated_at: LATER, finished_at: LATER };
const RUN: ChatDebugRun = {
  ...{ id: RUN_ID, chat_id: ID, root_chat_id: null, parent_chat_id: null, model_config_id: null },
  ...{ trigger_message_id: 1, history_tip_message_id: 1, kind: "chat_turn", status: "error" },
  ...{ provider: "anthropic", model: "claude-x", ...TIMES },
  summary: {
    ...{ title: "Fix \u001b[2Jit", step_count: 1, attempt_count: 2 },
    ...{ input_tokens: 10, output_tokens: 0, error: "The model is overloaded." },
  },
};
const ATTEMPT = {
  ...{ started_at: TIME, method: "POST", url: "http://host/v1/messages", request_headers: {} },
  ...{ request_body: "{}", response_headers: {}, response_body: "", headers_ms: 5 },
};
const STEP: ChatDebugStep = {
  ...{ id: OTHER_ID, run_id: RUN_ID, step_number: 1, operation: "stream", status: "error" },
  ...{ history_tip_message_id: 1, assistant_message_id: null, usage: { input_tokens: 10 } },
  ...{ normalized_request: { prompt: [] }, normalized_response: null, attempt_count: 2 },
  attempts: [
    { ...ATTEMPT, status: 529, duration_ms: 7, error: null },
    { ...ATTEMPT, status: null, duration_ms: 61_000, error: "connection reset" },
  ],
  error: { message: "The model is overloaded.", kind: "overloaded", retryable: true },
  ...{ metadata: { purpose: "answer" }, is_outline: false, ...TIMES },
};

function run(...words: readonly string[]) {
  return cli(["chat", "debug", ID, ...words], {
    variables: SIGNED_IN,
    "GET /api/v2/chats/:chat": () => CHAT,
    "GET /api/v2/chats/:chat/debug/runs": () => ({
      is_recorded: false,
      runs: [RUN, { ...RUN, id: OTHER_ID, kind: "compaction" }],
    }),
    "GET /api/v2/chats/:chat/debug/runs/:run": () => ({ ...RUN, steps: [STEP] }),
  });
}

test("the runs of a chat are listed, with what went wrong, and whether more are recorded", async () => {
  const { out, exitCode, err } = await run();
  assert.equal(exitCode, 0, err);
  assert.match(
    out,
    new RegExp(`${RUN_ID} +Turn +failed .* 1\\.5 s +1 +claude-x +The model is over`),
  );
  assert.match(out, /Summary of the history/);
  assert.match(out, /not recorded\.\n$/);
});

test("a run is shown by the beginning of its id, step by step, and harmless for the terminal", async () => {
  const { out } = await run("3f9c");
  assert(!out.includes("\u001b[2J"));
  assert.match(out, /Step 1: answer/);
  assert.match(out, /POST http:\/\/host\/v1\/messages: 529 \(7 ms\)/);
  assert.match(out, /connection reset \(1 min 1 s\)/);
  const { out: json } = await run("last", "--json");
  assert.deepEqual(JSON.parse(json), { ...RUN, steps: [STEP] });
});

test("a run that is not there, or that is named by too little, is said to be so", async () => {
  const [none, several] = [await run("ffff"), await run("3f9")];
  assert.match(none.err, /no such recorded run/);
  assert.match(several.err, /Several runs begin with/);
  assert.notEqual(none.exitCode, 0);
  assert.notEqual(several.exitCode, 0);
});
