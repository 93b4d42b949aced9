import assert from "node:assert/strict";
import { test } from "node:test";
import { momentText } from "./moment-text.ts";

test("the day is told only where it is another one", () => {
  const beside = new Date(2026, 10, 20, 12, 0, 0);
  const later = new Date(2026, 10, 20, 12, 4, 10);
  const tomorrow = new Date(2026, 10, 21, 12, 4, 10);
  assert.equal(momentText(later, beside), later.toLocaleTimeString());
  assert.equal(momentText(tomorrow, beside), tomorrow.toLocaleString());
});
