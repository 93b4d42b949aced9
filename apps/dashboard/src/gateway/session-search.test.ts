import assert from "node:assert/strict";
import { test } from "node:test";
import { sessionQuery } from "./session-search.ts";

const NOW = new Date("2026-11-21T12:00:30Z");

for (const [chosen, q] of [
  [{}, undefined],
  [{ model: "" }, undefined],
  [{ other: "x" }, undefined],
  [{ model: "claude-haiku-4-5", initiator: "ann" }, "initiator:ann model:claude-haiku-4-5"],
  [{ client: "Claude Code" }, 'client:"Claude Code"'],
  [{ model: 'a "b" \\c' }, 'model:"a \\"b\\" \\\\c"'],
  [{ period: "1h" }, 'started_after:"2026-11-21T11:00:00.000Z"'],
  [{ period: "forever" }, undefined],
] as const) {
  test(`${JSON.stringify(chosen)} asks for ${q ?? "everything"}`, () => {
    assert.equal(sessionQuery(chosen, NOW), q);
  });
}
