/** `atelier chat diff`: what a chat changed, in full and file by file, and where there is nothing to show. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN, TIME } from "../cli-scene.test.ts";

const CHAT = {
  ...{ id: ID, organization_id: ID, owner_id: ID, last_model_config_id: ID },
  ...{
    title: "A chat",
    status: "waiting",
    last_turn_summary: null,
    archived: false,
    shared: false,
  },
  ...{ created_at: TIME, updated_at: TIME, pin_order: 0, mcp_server_ids: [], labels: {} },
  ...{ has_unread: false, client_type: "api", queue_length: 0, children: [] },
  ...{ inbox_section: "idle", inbox_since: TIME },
};
const DIFF = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+\u001b[2Jtwo\n";
const repository = {
  ...{ root: "/home/ann/app", prefix: "app/", branch: "main", remote_origin: null },
  ...{ additions: 1, deletions: 1, changed_files: 2 },
  files: [
    { path: "a", additions: 1, deletions: 1, is_binary: false },
    { path: "logo.png", additions: 0, deletions: 0, is_binary: true },
  ],
};

const answering = (body: object | "workspace_agent.disconnected") =>
  ({
    variables: SIGNED_IN,
    "GET /api/v2/chats/:chat": () => CHAT,
    "GET /api/v2/chats/:chat/diff": () => body,
  }) as const;
const answer = { chat_id: ID, diff: DIFF, is_cut: false, repositories: [repository] };

test("the diff is printed without what would steer a terminal, and as it is as JSON", async () => {
  const run = await cli(["chat", "diff", ID], answering(answer));
  assert.deepEqual([run.exitCode, run.out], [0, DIFF.replace("\u001b", "\ufffd")], run.err);
  const json = await cli(["chat", "diff", ID, "--json"], answering(answer));
  assert.deepEqual(JSON.parse(json.out), answer);
});

test("with --stat each file has a line, and below stands the sum", async () => {
  const run = await cli(["chat", "diff", ID, "--stat"], answering({ ...answer, is_cut: true }));
  assert.match(
    run.out,
    /^FILE +\+ +−\napp\/a +1 +1\napp\/logo\.png +bin\n2 files changed, \+1 −1, or more\n$/,
  );
  assert.match(run.err, /more than is shown/);
});

test("what has no changes, no repository or no machine says so", async () => {
  const none = { ...repository, additions: 0, deletions: 0, changed_files: 0, files: [] };
  const empty = { ...answer, diff: "", repositories: [none] };
  const unchanged = await cli(["chat", "diff", ID], answering(empty));
  assert.deepEqual([unchanged.exitCode, unchanged.out.trim()], [0, ""]);
  assert.match(unchanged.err, /Nothing changed/);
  const without = await cli(["chat", "diff", ID], answering({ ...empty, repositories: [] }));
  assert.match(without.err, /no git repository/);
  const away = await cli(["chat", "diff", ID], answering("workspace_agent.disconnected"));
  assert.notEqual(away.exitCode, 0);
  assert.match(away.err, /The workspace is not connected/);
});
