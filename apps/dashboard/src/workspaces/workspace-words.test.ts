import assert from "node:assert/strict";
import { test } from "node:test";
import { workspaceQuery } from "./workspace-words.ts";

for (const [typed, status, q] of [
  ["", "", undefined],
  ["  ", "connected", "status:connected"],
  ["dev box", "", 'name:"dev box"'],
  ["owner:me", "", "owner:me"],
  ["de", "disconnected", 'name:"de" status:disconnected'],
] as const) {
  test(`"${typed}" with status "${status}" asks for ${q ?? "everything"}`, () => {
    assert.equal(workspaceQuery(typed, status), q);
  });
}
