import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_DRAFT, promptTexts, step } from "./prompt-history.ts";

const prompts = ["newest", "older"];

test("the way back ends at the oldest, and the way forth at what was being written", () => {
  const one = step(AT_DRAFT, "older", { prompts, text: "draft" });
  assert.equal(one?.text, "newest");
  const two = step(one?.place ?? AT_DRAFT, "older", { prompts, text: "newest" });
  assert.equal(two?.text, "older");
  assert.equal(step(two?.place ?? AT_DRAFT, "older", { prompts, text: "older" }), null);
  const back = step(two?.place ?? AT_DRAFT, "newer", { prompts, text: "older" });
  assert.equal(back?.text, "newest");
  const draft = step(back?.place ?? AT_DRAFT, "newer", { prompts, text: "newest" });
  assert.deepEqual(draft, { place: AT_DRAFT, text: "draft" });
  assert.equal(step(AT_DRAFT, "newer", { prompts, text: "draft" }), null);
});

test("what was written since the list was read comes first", () => {
  const about = { chat_id: "c", created_at: "2026-01-01T00:00:00.000Z" };
  const messages = [
    { ...about, id: 4, role: "user", content: [{ type: "text", text: "listed" }] },
    { ...about, id: 5, role: "assistant", content: [{ type: "text", text: "no" }] },
    { ...about, id: 6, role: "user", content: [{ type: "text", text: "new" }] },
  ] as const;
  const listed = [{ id: 4, text: "listed" }];
  assert.deepEqual(
    promptTexts(
      messages.map((each) => ({ ...each, content: [...each.content] })),
      listed,
    ),
    ["new", "listed"],
  );
});
