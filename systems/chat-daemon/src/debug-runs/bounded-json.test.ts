/** What is recorded has a bounded size, stays JSON, and says what it lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { boundedJson as bounded, cutText } from "./bounded-json.ts";

const boundedJson = (value: unknown, max: number): string => bounded(value, max, (text) => text);

test("what fits is as it was, but for the bytes of files", () => {
  const value = { text: "a", file: new Uint8Array(7), nothing: undefined };
  assert.deepEqual(JSON.parse(boundedJson(value, 1_000)), { text: "a", file: { bytes: 7 } });
  assert.equal(boundedJson(undefined, 10), "null");
});

test("long texts lose their ends before lists lose their middles", () => {
  const request = { prompt: [{ role: "user", content: "x".repeat(100_000) }, { role: "last" }] };
  const cut = JSON.parse(boundedJson(request, 10_000));
  assert.match(cut.prompt[0].content, /^x{8192}… \[91808 more characters\]$/);
  assert.equal(cut.prompt[1].role, "last");
  const many = Array.from({ length: 5_000 }, (_, index) => ({ index, text: "word ".repeat(20) }));
  const list = JSON.parse(boundedJson(many, 50_000));
  assert.deepEqual([list[0].index, list.at(-1).index], [0, 4_999]);
  assert(list.some((each: { left_out?: string }) => each.left_out === "4800 items"));
});

test("whatever comes is JSON that the database takes, and never too long", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 60, max: 2_000 }), (value, max) => {
      const json = boundedJson(value, max);
      JSON.parse(json);
      return json.length <= max;
    }),
  );
  assert(!boundedJson({ text: "a\0b\ud800" }, 1_000).includes("\\u"));
});

test("a text is cleaned before it is cut, so that no half of what is cleaned away is left", () => {
  const secret = "a-key-of-mine";
  const value = { text: "x".repeat(65_530) + secret + "y".repeat(90_000) };
  const clean = (text: string): string => text.replaceAll(secret, "[redacted]");
  const json = bounded(value, 100_000, clean);
  assert.ok(json.includes("xx[redac… ["));
  assert.ok(!json.includes("a-key"));
});

test("a text is never cut within a character", () => {
  assert(cutText("ab😀cd", 3).isWellFormed());
});
