/** Whatever is typed stays below the preview's own origin. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { previewAddress, previewPath } from "./preview-path.ts";

const ORIGIN = "http://3000--main--dev--ann.apps.example.com:8080";

for (const [typed, path] of [
  ["", "/"],
  ["/", "/"],
  ["docs", "/docs"],
  [" /docs?x=1#top ", "/docs?x=1#top"],
  ["?x=1", "/?x=1"],
  ["http://localhost:3000/login", "/login"],
  [`${ORIGIN}/login`, "/login"],
  ["https://elsewhere.example.com", "/"],
  ["//elsewhere.example.com/x", "/"],
  [String.raw`/\elsewhere.example.com/x`, "/"],
  ["javascript:alert(1)", "/javascript:alert(1)"],
] as const) {
  test(`"${typed}" leads to ${path}`, () => {
    const address = previewAddress(ORIGIN, typed);
    assert.equal(new URL(address).origin, ORIGIN);
    assert.equal(previewPath(address), path);
  });
}
