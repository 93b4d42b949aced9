/** Pretty JSON is the same JSON, and looks as everybody's. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonDocument, prettyJson } from "./json-pretty-print.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pretty = (text: string): string => Buffer.concat([...prettyJson(bytes(text))]).toString();

test("any document comes out as JSON.stringify indents it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom("", " ", "\t", 4), (value, gap) => {
      assert.equal(pretty(JSON.stringify(value, null, gap)), JSON.stringify(value, null, 2));
    }),
  );
});

test("numbers keep their digits, names their repeats and their order, strings their escapes", () => {
  const text = '{"b":12345678901234567890.10,"a":1e400,"b":"\\u0041\\"[{,:","":-0}';
  const lines = [
    '"b": 12345678901234567890.10,',
    '"a": 1e400,',
    '"b": "\\u0041\\"[{,:",',
    '"": -0',
  ];
  assert.equal(pretty(text), `{\n${lines.map((line) => `  ${line}\n`).join("")}}`);
});

test("a string longer than a piece is not touched", () => {
  const text = `["${"é\\n".repeat(100_000)}", "x"]`;
  assert.equal(pretty(text), text.replace("[", "[\n  ").replace('", "x"]', '",\n  "x"\n]'));
});

test("nesting without end gets no deeper indent, and stays the same document", () => {
  const text = `${"[1,".repeat(400)}2${"]".repeat(400)}`;
  const printed = pretty(text);
  assert.deepEqual(JSON.parse(printed), JSON.parse(text));
  assert.ok(printed.length < 5_000, `${printed.length}`);
});

test("what is no JSON is not taken for it", () => {
  for (const text of ["", "{", '{"a":}', "[1,]", "nope", "{} {}"]) {
    assert.equal(isJsonDocument(bytes(text)), false, text);
  }
  for (const text of ["{}", "[]", "1", '"x"', "null", ' {"a": [1]}\n']) {
    assert.equal(isJsonDocument(bytes(text)), true, text);
  }
});
