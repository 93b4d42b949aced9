import type { McpServer } from "@atelier/contract/http/mcp-servers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { changedServers, serverChoices, withServer } from "./server-choice.ts";

const TIME = "2026-11-21T10:00:00.000Z";

const server = (id: string, availability: McpServer["availability"]): McpServer => ({
  ...{ id, slug: id, display_name: "", description: "", enabled: true, availability },
  ...{ allow_in_plan_mode: false, tool_allow_list: [], tool_deny_list: [], auth_type: "none" },
  sign_in: "not_needed",
  transport: "streamable_http",
  model_intent: false,
  ...{ created_at: TIME, updated_at: TIME },
});

const SERVERS = [
  server("on", "default_on"),
  server("off", "default_off"),
  server("always", "force_on"),
];

test("tool servers are as administrators preset them until somebody chooses", () => {
  const chosen = (ids: readonly string[] | null) =>
    serverChoices(SERVERS, ids).map((each) => `${each.server.id} ${String(each.isChosen)}`);
  assert.deepEqual(chosen(null), ["on true", "off false", "always true"]);
  assert.deepEqual(chosen([]), ["on false", "off false", "always true"]);
  const choices = serverChoices(SERVERS, null);
  assert.deepEqual(withServer(choices, "off", true), ["on", "off"]);
  assert.deepEqual(withServer(choices, "on", false), []);
});

test("what is disabled is not offered", () => {
  assert.deepEqual(serverChoices([{ ...server("a", "force_on"), enabled: false }], ["a"]), []);
});

test("a choice that is in force already is none", () => {
  assert.equal(changedServers(null, ["a"]), null);
  assert.equal(changedServers(["b", "a"], ["a", "b"]), null);
  assert.deepEqual(changedServers([], ["a"]), []);
  assert.deepEqual(changedServers(["a", "c"], ["a", "b"]), ["a", "c"]);
});
