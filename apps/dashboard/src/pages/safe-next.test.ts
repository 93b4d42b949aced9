import assert from "node:assert/strict";
import { test } from "node:test";
import { safeNext } from "./safe-next.ts";

for (const [next, goesTo] of [
  [undefined, "/"],
  ["", "/"],
  ["/workspaces?q=a", "/workspaces?q=a"],
  ["https://evil.example/", "/"],
  ["//evil.example/", "/"],
  ["/\\evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["javascript:alert(1)", "/"],
] as const) {
  test(`after signing in, ${JSON.stringify(next)} leads to ${goesTo}`, () => {
    assert.equal(safeNext(next), goesTo);
  });
}
