import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createStringEnds, SHOWN_BYTES_MAX, STRING_ENDS } from "./string-ends.ts";

/** What a loop finds. */
function endByLoop(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
}

test("it finds the end of a string that a loop finds, from everywhere", () => {
  const ends = STRING_ENDS;
  assert.ok(ends !== null);
  const mark = fc.constantFrom(0x22, 0x5c, 0x5c, 0x61, 0xa2, 0xdc);
  const plain = fc.constant(0x78);
  const text = fc.array(fc.oneof({ weight: 1, arbitrary: mark }, { weight: 8, arbitrary: plain }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(text, (values) => {
      const bytes = Uint8Array.from(values);
      ends.show(bytes);
      for (let from = 0; from <= bytes.length; from += 1) {
        assert.equal(ends.next(from), endByLoop(bytes, from), `from ${from} of ${values.join()}`);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("what was shown before is not seen in what is shown now, nor behind its end", () => {
  const ends = createStringEnds();
  assert.ok(ends !== null);
  ends.show(new Uint8Array(SHOWN_BYTES_MAX).fill(0x22));
  ends.show(new Uint8Array(40).fill(0x20));
  assert.equal(ends.next(0), 40);
  ends.show(new Uint8Array(SHOWN_BYTES_MAX).fill(0x5c));
  assert.equal(ends.next(0), SHOWN_BYTES_MAX);
  assert.equal(ends.next(1), SHOWN_BYTES_MAX + 1);
});

test("a host that does not run the program has no search", () => {
  assert.equal(createStringEnds({}), null);
  class Refusing {
    constructor() {
      throw new TypeError("an instruction is not known");
    }
  }
  const host = { WebAssembly: { Module: Refusing, Instance: Refusing as never } };
  assert.equal(createStringEnds(host), null);
});
