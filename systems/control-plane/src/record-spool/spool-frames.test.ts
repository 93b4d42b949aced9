import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeFrames,
  encodeFrames,
  FRAME_HEADER_BYTES,
  PAYLOAD_BYTES_MAX,
} from "./spool-frames.ts";

const payloads = fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), {
  maxLength: 12,
});

/** How many frames lie whole before this place. */
function framesBefore(all: readonly string[], place: number): number {
  let end = 0;
  for (const [index, payload] of all.entries()) {
    end += FRAME_HEADER_BYTES + Buffer.byteLength(payload.toWellFormed());
    if (end > place) return index;
  }
  return all.length;
}

test("what is written is read, and all bytes are accounted for", () => {
  fc.assert(
    fc.property(payloads, (all) => {
      const bytes = encodeFrames(all);
      const decoded = decodeFrames(bytes);
      assert.deepEqual(decoded.payloads, all.map((each) => each.toWellFormed())); // prettier-ignore
      assert.deepEqual([decoded.consumed, decoded.next.kind], [bytes.length, "end"]);
    }),
  );
});

test("cut anywhere, exactly the whole frames before the cut are read", () => {
  fc.assert(
    fc.property(payloads, fc.nat(), (all, at) => {
      const bytes = encodeFrames(all);
      const cut = bytes.subarray(0, at % (bytes.length + 1));
      const { payloads: read, next } = decodeFrames(cut);
      const whole = framesBefore(all, cut.length);
      assert.deepEqual(read, all.slice(0, whole).map((each) => each.toWellFormed())); // prettier-ignore
      assert.ok(cut.length === 0 || next.kind !== "damage");
    }),
  );
});

test("with any bit flipped, exactly the frames before the flipped one are read", () => {
  fc.assert(
    fc.property(payloads, fc.nat(), fc.integer({ min: 0, max: 7 }), (all, at, bit) => {
      fc.pre(all.length > 0);
      const bytes = encodeFrames(all);
      const place = at % bytes.length;
      bytes[place]! ^= 1 << bit;
      const { payloads: read, next } = decodeFrames(bytes);
      const whole = framesBefore(all, place);
      assert.deepEqual(read, all.slice(0, whole).map((each) => each.toWellFormed())); // prettier-ignore
      assert.notEqual(next.kind, "end");
    }),
    { numRuns: 2_000 },
  );
});

test("every cut and every flipped bit of one small segment", () => {
  const all = ["one", "zwei", "три"];
  const bytes = encodeFrames(all);
  for (let place = 0; place < bytes.length; place += 1) {
    const whole = all.slice(0, framesBefore(all, place));
    assert.deepEqual(decodeFrames(bytes.subarray(0, place)).payloads, whole);
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[place]! ^= 1 << bit;
      assert.deepEqual(decodeFrames(flipped).payloads, whole, `byte ${place}, bit ${bit}`);
    }
  }
});

test("garbage behind whole frames is not read", () => {
  fc.assert(
    fc.property(payloads, fc.uint8Array({ minLength: 1, maxLength: 64 }), (all, garbage) => {
      const { payloads: read, next } = decodeFrames(Buffer.concat([encodeFrames(all), garbage]));
      assert.equal(read.length, all.length);
      assert.notEqual(next.kind, "end");
    }),
  );
  const zeros = Buffer.concat([encodeFrames(["a"]), Buffer.alloc(4_096)]);
  assert.deepEqual(decodeFrames(zeros).next, { kind: "damage" });
});

test("a part of a frame says how much is needed to see all of it", () => {
  const bytes = encodeFrames(["abcdef"]);
  assert.deepEqual(decodeFrames(bytes.subarray(0, 3)).next, { kind: "more", bytes: 8 });
  assert.deepEqual(decodeFrames(bytes.subarray(0, 9)).next, { kind: "more", bytes: 14 });
});

test("empty and oversized payloads are refused", () => {
  assert.throws(() => encodeFrames([""]), RangeError);
  assert.throws(() => encodeFrames(["a".repeat(PAYLOAD_BYTES_MAX + 1)]), RangeError);
});
