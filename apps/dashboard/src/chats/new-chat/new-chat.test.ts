import assert from "node:assert/strict";
import { test } from "node:test";
import {
  keyFor,
  NEW_CHAT,
  newChatBody,
  parseKeptKey,
  serverIdsOf,
  serverIdsText,
  workspaceChoices,
} from "./new-chat.ts";

const MODEL = { modelConfigId: "m", effort: "" } as const;
test("what is not chosen is not sent", () => {
  assert.deepEqual(newChatBody({ ...NEW_CHAT, content: " Fix it. " }, MODEL, []), {
    content: [{ type: "text", text: "Fix it." }],
    model_config_id: "m",
    client_type: "ui",
  });
});

test("what is chosen is sent, and a file alone is a message", () => {
  const values = {
    ...{ ...NEW_CHAT, workspace_id: "w", plan_mode: "plan", mcp_server_ids: "a b" },
  };
  const files = [{ type: "file", file_id: "f" }] as const;
  assert.deepEqual(newChatBody(values, { modelConfigId: "m", effort: "high" }, files), {
    content: files,
    ...{ model_config_id: "m", reasoning_effort: "high", workspace_id: "w", plan_mode: "plan" },
    mcp_server_ids: ["a", "b"],
    client_type: "ui",
  });
});

test("a repeat keeps its key, also over a reload; another message has another", () => {
  let count = 0;
  const newKey = (): string => `key ${(count += 1)}`;
  const body = newChatBody({ ...NEW_CHAT, content: "a" }, MODEL, []);
  const first = keyFor(body, null, newKey);
  const again = keyFor(body, parseKeptKey(JSON.stringify(first)), newKey);
  assert.equal(again.key, "key 1");
  const other = newChatBody({ ...NEW_CHAT, content: "b" }, MODEL, []);
  assert.equal(keyFor(other, again, newKey).key, "key 2");
  for (const text of [null, "", "{}", '{"key":1}']) assert.equal(parseKeptKey(text), null);
});

test("workspaces that are connected come first", () => {
  const workspace = (name: string, status: "connected" | "disconnected" | "connecting") => ({
    ...{ id: name, name, status },
  });
  const labels = workspaceChoices(
    [workspace("b", "disconnected"), workspace("c", "connected"), workspace("a", "connected")],
    (status) => status,
  ).map(({ label }) => label);
  assert.deepEqual(labels, ["a (connected)", "c (connected)", "b (disconnected)"]);
});

test("a choice of tool servers is kept as text; none is one, too", () => {
  assert.equal(serverIdsOf(NEW_CHAT.mcp_server_ids), null);
  assert.deepEqual(serverIdsOf(serverIdsText([])), []);
  assert.deepEqual(serverIdsOf(serverIdsText(["a", "b"])), ["a", "b"]);
});
