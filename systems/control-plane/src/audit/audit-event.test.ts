import assert from "node:assert/strict";
import { test } from "node:test";
import { diffAudit } from "./audit-event.ts";

test("only fields that differ are kept, with both values", () => {
  const before = { name: "ann", roles: ["auditor"], seen: new Date(0), gone: 1 };
  const after = { name: "ann", roles: ["owner"], seen: new Date(0), added: null };
  assert.deepEqual(diffAudit(before, after), {
    roles: { old: ["auditor"], new: ["owner"] },
    gone: { old: 1, new: null },
  });
});

test("a secret field says only that it changed", () => {
  const diff = diffAudit({ password: "old-1" }, { password: "new-2" }, ["password"]);
  assert.deepEqual(diff, { password: { secret: true } });
  assert.deepEqual(diffAudit({ password: "same" }, { password: "same" }, ["password"]), {});
});

test("creation and deletion show every field that has a value", () => {
  const ann = { name: "ann", note: null };
  assert.deepEqual(diffAudit(null, ann), { name: { old: null, new: "ann" } });
  assert.deepEqual(diffAudit(ann, null), { name: { old: "ann", new: null } });
});
