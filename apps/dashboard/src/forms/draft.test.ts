import assert from "node:assert/strict";
import { test } from "node:test";
import { draftText, withDraft } from "./draft.ts";

test("a draft brings back what was typed, without its secrets", () => {
  const typed = { email: "ann@example.com", password: "hunter2" };
  const text = draftText(typed, ["password"]);
  assert.ok(!text.includes("hunter2"));
  assert.deepEqual(withDraft({ email: "", password: "" }, text, ["password"]), {
    email: "ann@example.com",
    password: "",
  });
});

for (const text of [null, "", "nonsense", "[1]", "null", '{"email": 3, "other": "x"}']) {
  test(`${text ?? "no draft"} brings nothing back`, () => {
    assert.deepEqual(withDraft({ email: "" }, text, []), { email: "" });
  });
}
