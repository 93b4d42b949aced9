import assert from "node:assert/strict";
import { test } from "node:test";
import { completeObject } from "./json-completion.ts";
import { SeededDraws } from "./seeded-draws.ts";
import { simulateObject } from "./simulated-inputs.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

for (const { prefix, want } of [
  { prefix: "", want: '{"z":1}' },
  { prefix: "{", want: '"z":1}' },
  { prefix: '{"a', want: '":null,"z":1}' },
  { prefix: '{"a"', want: ':null,"z":1}' },
  { prefix: '{"a":', want: 'null,"z":1}' },
  { prefix: '{"a":"b', want: '","z":1}' },
  { prefix: '{"a":"b\\', want: '\\","z":1}' },
  { prefix: '{"a":"b\\\\', want: '","z":1}' },
  { prefix: '{"a":"\\u00', want: '00","z":1}' },
  { prefix: '{"a":tr', want: 'ue,"z":1}' },
  { prefix: '{"a":-', want: '0,"z":1}' },
  { prefix: '{"a":1.', want: '0,"z":1}' },
  { prefix: '{"a":1,', want: '"z":1}' },
  { prefix: '{"a":[1,', want: 'null],"z":1}' },
  { prefix: '{"a":[{"b":"', want: '"}],"z":1}' },
  { prefix: '{"a":{"b":1,', want: '"":null},"z":1}' },
  { prefix: '{"a":1}', want: null },
  { prefix: "[1", want: null },
  { prefix: "[DONE", want: null },
  { prefix: '{"a":oops', want: null },
]) {
  test(`${prefix === "" ? "nothing" : prefix} is completed with ${want}`, () => {
    assert.equal(completeObject(bytes(prefix), '"z":1'), want);
  });
}

test("any object cut at any byte becomes an object that ends with the given members", () => {
  const draws = new SeededDraws(7);
  for (let run = 0; run < 300; run += 1) {
    const whole = bytes(simulateObject(draws).trim());
    for (let end = 0; end < whole.length; end += 1) {
      const prefix = whole.subarray(0, end);
      const completion = completeObject(prefix, '"z":{"y":1}');
      assert.ok(completion !== null, new TextDecoder().decode(prefix));
      const text = new TextDecoder().decode(prefix) + completion;
      assert.deepEqual(Object.entries(JSON.parse(text) as object).at(-1), ["z", { y: 1 }]);
    }
  }
});
