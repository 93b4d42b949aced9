import assert from "node:assert/strict";
import { test } from "node:test";
import { auditQuery, auditSentence, diffRows, type AuditEventView } from "./audit-words.ts";

const event = (over: Partial<AuditEventView>): AuditEventView => ({
  id: "0198c0de-0000-7000-8000-000000000000",
  time: "2026-11-21T12:00:00Z",
  user: {
    id: "0198c0de-0000-7000-8000-000000000001",
    username: "ann",
    email: "ann@example.com",
  },
  action: "write",
  resource_type: "ai_provider",
  resource_id: null,
  resource_target: "openai",
  diff: {},
  status_code: 200,
  additional_fields: {},
  request_id: "r",
  ip: "127.0.0.1",
  user_agent: "",
  ...over,
});

for (const [over, sentence] of [
  [{}, "ann changed the model provider openai"],
  [{ action: "login", resource_type: "session", resource_target: "ann" }, "ann signed in"],
  [
    { user: null, action: "login", resource_type: "session", resource_target: "bob@example.com" },
    "bob@example.com signed in",
  ],
  [
    {
      resource_type: "chat",
      resource_target: "",
      resource_id: "3b7331cc-d8ba-4930-a1c1-4f76e8a76731",
    },
    "ann changed the chat 3b7331cc",
  ],
  [{ user: null, action: "create" }, "Nobody who was signed in made the model provider openai"],
] as const) {
  test(sentence, () => {
    assert.equal(auditSentence(event(over)), sentence);
  });
}

test("filters become terms, quoted", () => {
  assert.equal(auditQuery({}), undefined);
  assert.equal(
    auditQuery({ username: " ann ", action: "", resource_target: 'a "b"', other: "x" }),
    'username:"ann" resource_target:"a \\"b\\""',
  );
});

test("a difference shows both values, and of a secret only that it changed", () => {
  assert.deepEqual(
    diffRows({
      enabled: { old: true, new: false },
      name: { old: null, new: "x" },
      key: { secret: true },
    }),
    [
      { field: "enabled", before: "true", after: "false" },
      { field: "name", before: "—", after: "x" },
      { field: "key", before: "(secret)", after: "(changed)" },
    ],
  );
});
