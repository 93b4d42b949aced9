import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { timeText } from "./time-text.ts";

test("a time has the text that the runtime gives it, whichever came before", () => {
  const near = fc.integer({ min: -2_000, max: 2_000 });
  const any = fc.date({ noInvalidDate: true });
  fc.assert(
    fc.property(any, fc.array(near), (time, distances) => {
      for (const distance of [0, ...distances]) {
        const other = new Date(time.getTime() + distance);
        if (Number.isNaN(other.getTime())) continue;
        assert.equal(timeText(other), other.toISOString());
      }
    }),
  );
});

test("what is no time is refused, also after one", () => {
  assert.equal(timeText(new Date(0)), "1970-01-01T00:00:00.000Z");
  assert.throws(() => timeText(new Date(Number.NaN)), RangeError);
  assert.throws(() => timeText(new Date(Number.NaN)), RangeError);
});
