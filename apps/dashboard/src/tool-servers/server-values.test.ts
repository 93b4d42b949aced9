import { createMcpServer, updateMcpServer } from "@atelier/contract/http/mcp-servers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOfBody } from "../forms/field-problems.ts";
import {
  EMPTY_TOOL_SERVER,
  serverBody,
  serverChange,
  textsOfServer,
  type ToolServerTexts,
  type ToolServerView,
} from "./server-values.ts";

const TYPED: ToolServerTexts = {
  ...EMPTY_TOOL_SERVER,
  slug: " wiki ",
  url: "https://wiki.example.com/mcp",
};

const STORED: ToolServerView = {
  id: "0198c0de-0000-7000-8000-000000000000",
  slug: "wiki",
  display_name: "Wiki",
  description: "",
  enabled: true,
  availability: "default_on",
  allow_in_plan_mode: false,
  transport: "streamable_http",
  model_intent: false,
  tool_allow_list: [],
  tool_deny_list: ["delete_page"],
  auth_type: "api_key",
  sign_in: "not_needed",
  url: "https://wiki.example.com/mcp",
  header_names: ["Authorization"],
  created_at: "2026-11-21T12:00:00Z",
  updated_at: "2026-11-21T12:00:00Z",
};

for (const [typed, auth] of [
  [{}, { type: "none" }],
  [
    { auth: "api_key", "auth.value": "Bearer made-up " },
    { type: "api_key", header: "Authorization", value: "Bearer made-up" },
  ],
  [
    { auth: "custom_headers", "auth.headers": "X-One: 1\n\n X-Two : b:c " },
    { type: "custom_headers", headers: { "X-One": "1", "X-Two": "b:c" } },
  ],
  [{ auth: "oauth2" }, { type: "oauth2" }],
  [
    { auth: "oauth2", "auth.client_id": "app ", "auth.client_secret": "s", "auth.scope": "read" },
    { type: "oauth2", client_id: "app", client_secret: "s", scope: "read" },
  ],
] as const) {
  test(`${auth.type} is taken by the endpoint as it was typed`, () => {
    const body = serverBody({ ...TYPED, ...typed });
    assert.ok(body.ok);
    assert.deepEqual(body.value["auth"], auth);
    assert.equal(problemOfBody(createMcpServer, body.value), null);
  });
}

for (const [typed, field] of [
  [{ auth: "api_key", "auth.value": "" }, "auth.value"],
  [{ auth: "api_key", "auth.header": "Host", "auth.value": "x" }, "auth.header"],
  [{ url: "ftp://wiki.example.com" }, "url"],
  [{ slug: "Not A Slug" }, "slug"],
] as const) {
  test(`${JSON.stringify(typed)} is complained about at ${field}`, () => {
    const body = serverBody({ ...TYPED, ...typed });
    assert.ok(body.ok);
    const problem = problemOfBody(createMcpServer, body.value);
    assert.deepEqual(
      problem?.validations.map((each) => each.field),
      [field],
    );
  });
}

test("a line that is no header is complained about before anything is sent", () => {
  const body = serverBody({ ...TYPED, auth: "custom_headers", "auth.headers": "a secret" });
  assert.ok(!body.ok);
  assert.equal(body.failure.validations[0]?.field, "auth.headers");
});

test("stored credentials stay unless others are typed", () => {
  const texts = textsOfServer(STORED);
  const before = serverBody(texts);
  assert.ok(before.ok);
  assert.deepEqual(serverChange(before.value, before.value), {});
  const after = serverBody({ ...texts, tool_deny_list: "", auth: "none" });
  assert.ok(after.ok);
  const change = serverChange(before.value, after.value);
  assert.deepEqual(change, { tool_deny_list: [], auth: { type: "none" } });
  assert.equal(problemOfBody(updateMcpServer, change), null);
});
