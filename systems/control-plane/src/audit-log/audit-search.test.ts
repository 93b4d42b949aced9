import assert from "node:assert/strict";
import { test } from "node:test";
import { endOf, parseAuditSearch } from "./audit-search.ts";

test("every key is understood", () => {
  const text =
    "resource_type:user resource_id:1 resource_target:ann action:write username:bob " +
    "email:b@example.com request_id:r status_code:404 date_from:2026-01-01 " +
    "date_to:2026-01-02T03:04:05+01:00";
  assert.deepEqual(parseAuditSearch(text), {
    ok: true,
    value: {
      resource_type: "user",
      resource_id: "1",
      resource_target: "ann",
      action: "write",
      username: "bob",
      email: "b@example.com",
      request_id: "r",
      status_code: 404,
      date_from: "2026-01-01",
      date_to: "2026-01-02T03:04:05+01:00",
    },
  });
});

for (const text of ["action:eat", "status_code:x", "date_from:yesterday", "color:red", "ann"]) {
  test(`${text} is refused, naming the field`, () => {
    const parsed = parseAuditSearch(text);
    assert.ok(!parsed.ok);
    assert.equal(parsed.failure.validations?.[0]?.field, "q");
  });
}

test("a day as the end includes that day, a moment includes that moment", () => {
  assert.equal(endOf("2026-01-02").toISOString(), "2026-01-03T00:00:00.000Z");
  assert.equal(endOf("2026-01-02T01:00:00Z").toISOString(), "2026-01-02T01:00:00.001Z");
});
