import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CODE_LANGUAGES } from "./code-language.ts";
import { codeSpans } from "./code-spans.ts";

const partsOf = (text: string, language: string) =>
  codeSpans(text, language).map(({ from, to, kind }) => [kind, text.slice(from, to)]);

test("parts of code are told by where they are", () => {
  assert.deepEqual(partsOf('const a = "b"; // c', "typescript"), [
    ["keyword", "const"],
    ["string", '"b"'],
    ["comment", "// c"],
  ]);
  assert.deepEqual(partsOf("-old\n+new", "diff"), [
    ["removed", "-old"],
    ["added", "+new"],
  ]);
});

test("what stands inside a text, or in a language within another, is found where it is", () => {
  const template = "`a${b + 1}c`";
  const numbers = partsOf(template, "typescript").filter(([kind]) => kind === "number");
  assert.deepEqual(numbers, [["number", "1"]]);
  const page = "<p>x</p><script>const a = 1;</script>";
  assert.ok(partsOf(page, "xml").some(([kind, text]) => kind === "keyword" && text === "const"));
});

test("each language is known, and none takes a text apart wrongly", () => {
  const code = fc.string({ maxLength: 200, unit: "grapheme" });
  fc.assert(
    fc.property(code, fc.constantFrom(...CODE_LANGUAGES), (text, language) => {
      let last = 0;
      for (const { from, to } of codeSpans(text, language)) {
        assert.ok(from >= last && to > from && to <= text.length);
        last = to;
      }
    }),
    { numRuns: 300 },
  );
  for (const language of CODE_LANGUAGES) {
    assert.ok(
      codeSpans('a = "b"\n# 1\n-x\n// y\n<a b="c">{"d": 2}', language).length > 0,
      language,
    );
  }
  assert.deepEqual(codeSpans("const", "nonsense"), []);
});
