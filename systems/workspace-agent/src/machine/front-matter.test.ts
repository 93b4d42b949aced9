/** Heads of skills, as people write them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFrontMatter } from "./front-matter.ts";

for (const { name, text, values } of [
  { name: "plain values", text: "---\nname: a\ndescription: b c # d\n---\n", values: ["a", "b c"] },
  {
    name: "quotes",
    text: "---\r\nname: 'it''s'\r\ndescription: \"a: \\\"b\\\" # c\"\r\n---\r\n",
    values: ["it's", 'a: "b" # c'],
  },
  {
    name: "a value on lines of its own",
    text: "---\nname: a\ndescription:\n  one\n  two\nother: x\n---\n",
    values: ["a", "one two"],
  },
  {
    name: "folded and kept lines",
    text: "---\nname: |\n  a\n  b\ndescription: >-\n  one\n  two\n\n  three\n---\n",
    values: ["a\nb", "one two\nthree"],
  },
  {
    name: "what is not understood",
    text: "---\n- x\nname: a\n? {\nallowed-tools: [A, B]\ndescription: b\n---\n",
    values: ["a", "b"],
  },
  { name: "no end", text: "---\nname: a\n", values: [undefined, undefined] },
  { name: "no head", text: "# Title\n---\nname: a\n---\n", values: [undefined, undefined] },
]) {
  test(`a head with ${name}`, () => {
    const head = readFrontMatter(text);
    assert.deepEqual([head.get("name"), head.get("description")], values);
  });
}
