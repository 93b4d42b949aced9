import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fifo } from "./fifo.ts";

test("it does what an array does", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (steps) => {
      const line = new Fifo<number>();
      const plain: number[] = [];
      for (const [index, isPush] of steps.entries()) {
        if (isPush) {
          line.push(index);
          plain.push(index);
        } else assert.equal(line.shift(), plain.shift());
        assert.equal(line.length, plain.length);
        assert.deepEqual([line.peek(0), line.peek(1)], [plain[0], plain[1]]);
      }
    }),
  );
});
