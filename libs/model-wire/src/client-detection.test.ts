import assert from "node:assert/strict";
import { test } from "node:test";
import { detectClient, findClientSessionId, SESSION_ID_CHARS_MAX } from "./client-detection.ts";

type Headers = Readonly<Record<string, string>>;
const lookup =
  (headers: Headers) =>
  (name: string): string | undefined =>
    headers[name];

const CLIENTS: readonly [headers: Headers, client: string][] = [
  [{ "user-agent": "mux/0.1" }, "Mux"],
  [{ "user-agent": "xum/0.1" }, "Mux"],
  [{ "user-agent": "claude-cli/2.1.86 (external, cli)" }, "Claude Code"],
  [{ "user-agent": "Claude-Code/1.0" }, "Claude Code"],
  [{ "user-agent": "codex_cli_rs/0.101 (Linux)" }, "Codex"],
  [{ "user-agent": "Zed/0.220" }, "Zed"],
  [{ "user-agent": "GitHubCopilotChat/0.37" }, "GitHub Copilot (VS Code)"],
  [{ "user-agent": "copilot/0.0.403" }, "GitHub Copilot (CLI)"],
  [{ "user-agent": "kilo-code/5.1" }, "Kilo Code"],
  [{ "user-agent": "node", originator: "kilo-code" }, "Kilo Code"],
  [{ "user-agent": "node", originator: "Kilo-Code" }, "Unknown"],
  [{ "user-agent": "roo-code/3.4" }, "Roo Code"],
  [{ originator: "roo-code" }, "Roo Code"],
  [{ "user-agent": "coder-agents/v2.34-devel" }, "Coder Agents"],
  [{ "user-agent": "Charm Crush/0.1" }, "Charm Crush"],
  [{ "user-agent": "charm-crush/0.2" }, "Charm Crush"],
  [{ "user-agent": "Go-http-client", "x-cursor-client-version": "2.4" }, "Cursor"],
  [{ "x-cursor-client-version": "" }, "Unknown"],
  [{ "x-cursor-other": "1" }, "Unknown"],
  [{ "user-agent": "opencode/1.2" }, "OpenCode"],
  [{ "user-agent": "atelier-agents/1.2 (linux/x64)" }, "Atelier Agents"],
  [{ "user-agent": "Junie:1" }, "Junie"],
  [{ "user-agent": "curl/8" }, "Unknown"],
  [{ "user-agent": "" }, "Unknown"],
  [{}, "Unknown"],
];
for (const [headers, client] of CLIENTS) {
  test(`${JSON.stringify(headers)} is ${client}`, () => {
    assert.equal(detectClient(lookup(headers)), client);
  });
}

const CLAUDE = "x-claude-code-session-id";
const SESSIONS: readonly [string, Headers, string | null, string | null][] = [
  ["Claude Code", { [CLAUDE]: " s1 " }, "user_a_session_s2", "s1"],
  ["Claude Code", { [CLAUDE]: " " }, "user_a_account_b_session_s2", "s2"],
  ["Claude Code", {}, '{"device_id":"d","session_id":"s3"}', "s3"],
  ["Claude Code", {}, '{"session_id":"","x":"_session_s4"}', null],
  ["Claude Code", {}, '{"session_id":5}', null],
  ["Claude Code", {}, '{"device_id":"d"}', null],
  ["Claude Code", {}, "user_without", null],
  ["Claude Code", {}, "user_a_session_", null],
  ["Claude Code", {}, null, null],
  ["Codex", { "session-id": "new", session_id: "old" }, null, "new"],
  ["Codex", { session_id: " old " }, null, "old"],
  ["Codex", {}, "user_a_session_s2", null],
  ["Mux", { "x-mux-workspace-id": "w" }, null, "w"],
  ["GitHub Copilot (VS Code)", { "x-interaction-id": "i" }, null, "i"],
  ["GitHub Copilot (CLI)", { "x-client-session-id": "c" }, null, "c"],
  ["Kilo Code", { "x-kilocode-taskid": "k" }, null, "k"],
  ["Coder Agents", { "x-coder-chat-id": "chat" }, null, "chat"],
  ["OpenCode", { "x-opencode-session": "", "x-session-affinity": "a" }, null, "a"],
  ["Zed", { session_id: "x" }, null, null],
  ["Unknown", { session_id: "x" }, "user_a_session_s2", null],
];
for (const [client, headers, userId, want] of SESSIONS) {
  const given = JSON.stringify({ ...headers, ...(userId !== null && { userId }) });
  test(`the session of ${client} with ${given} is ${want}`, () => {
    assert.equal(findClientSessionId(client, lookup(headers), userId), want);
  });
}

test("a session id is cut, and a hostile one takes no time", () => {
  const long = "x".repeat(1_000);
  const cut = findClientSessionId("Mux", lookup({ "x-mux-workspace-id": long }), null);
  assert.equal(cut?.length, SESSION_ID_CHARS_MAX);
  const hostile = `${"_session_".repeat(200_000)}\n`;
  const startedMs = performance.now();
  assert.equal(findClientSessionId("Claude Code", lookup({}), hostile), null);
  assert.ok(performance.now() - startedMs < 1_000);
});
