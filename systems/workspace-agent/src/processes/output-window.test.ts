import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import {
  chooseWindow,
  keptBytesOf,
  nextCut,
  openEndBytes,
  openStartBytes,
} from "./output-window.ts";

test("cutting text anywhere and leaving out the open bytes leaves whole characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(), (text, at) => {
      const bytes = Buffer.from(text);
      const cut = at % (bytes.length + 1);
      const [before, after] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const start = before.subarray(0, before.length - openEndBytes(before)).toString();
      const end = after.subarray(openStartBytes(after)).toString();
      assert.ok(text.startsWith(start) && text.endsWith(end));
      assert.ok([...text].length - [...start].length - [...end].length <= 1);
    }),
  );
});

test("bytes that are no text are cut too, by less than a character", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.ok(openEndBytes(bytes) <= Math.min(3, bytes.length));
      assert.ok(openStartBytes(bytes) <= Math.min(3, bytes.length));
    }),
  );
});

const LIMITS = { headBytesMax: 4_096, tailBytesMax: 20_000, slackBytesMax: 8_192 };

test("any growth: kept bytes stay within the limits, cuts only move on", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000)), (growths) => {
      let [size, cutEnd] = [0, 0];
      for (const growth of growths) {
        size += growth;
        const next = nextCut(size, cutEnd, LIMITS);
        if (next !== null) {
          assert.ok(next > cutEnd && next > LIMITS.headBytesMax);
          assert.ok(size - next >= LIMITS.tailBytesMax, "the whole tail is kept");
          cutEnd = next;
        }
        const most = LIMITS.headBytesMax + LIMITS.tailBytesMax + LIMITS.slackBytesMax;
        assert.ok(keptBytesOf(size, cutEnd, LIMITS.headBytesMax) <= most);
      }
    }),
  );
});

test("any answer shows kept bytes only, as many as asked where they are there", () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 50_000 }), (size, maxBytes) => {
      const cutEnd = nextCut(size, 0, LIMITS) ?? 0;
      const { headEnd, tailStart } = chooseWindow(size, cutEnd, maxBytes, LIMITS.headBytesMax);
      assert.ok(headEnd <= tailStart && tailStart <= size);
      assert.ok(headEnd + size - tailStart <= maxBytes);
      if (cutEnd > 0) {
        assert.ok(headEnd <= LIMITS.headBytesMax && tailStart >= cutEnd);
      } else {
        assert.equal(headEnd + size - tailStart, Math.min(size, maxBytes));
      }
    }),
  );
});
