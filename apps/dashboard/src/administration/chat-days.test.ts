import assert from "node:assert/strict";
import { test } from "node:test";
import { daysText, typedDays } from "./chat-days.ts";

test("nothing typed is nothing decided, and 0 is a decision", () => {
  const read = ["", " ", "0", "30", "soon"].map((text) => {
    const days = typedDays("days", text);
    return days.ok ? days.value : days.failure.validations;
  });
  const refused = [{ field: "days", detail: "A whole number, or nothing." }];
  assert.deepEqual(read, [null, null, 0, 30, refused]);
});

test("days are said in words", () => {
  assert.deepEqual(
    [0, 1, 90].map((days) => daysText(days, "never")),
    ["never", "1 day", "90 days"],
  );
});
