/** The fields of a head, told by one look at its text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadFields } from "./head-fields.ts";

const read = (text: string): readonly string[] | null => HeadFields.read(text, 0)?.pairs() ?? null;

for (const [name, text, want] of [
  ["no field", "", []],
  ["a field", "a: b\r\n", ["a", "b"]],
  ["a last field without a line's end", "a: b\r\nC:d", ["a", "b", "C", "d"]],
  ["blanks around a value, not in it", "a: \t b \t c\t \r\n", ["a", "b \t c"]],
  ["an empty value", "a:\r\nb: \t\r\n", ["a", "", "b", ""]],
  ["letters beyond ASCII", "a: \u00e9\u00ff\r\n", ["a", "\u00e9\u00ff"]],
  ["a colon in a value", "a: b:c\r\n", ["a", "b:c"]],
  ["no name", ": b\r\n", null],
  ["no colon", "ab\r\n", null],
  ["a space before the colon", "a : b\r\n", null],
  ["a folded line", "a: b\r\n c\r\n", null],
  ["a bare line feed", "a: b\nc: d\r\n", null],
  ["a bare carriage return", "a: b\rc: d\r\n", null],
  ["a carriage return at the end", "a: b\r", null],
  ["a zero", "a: \0\r\n", null],
  ["a deletion", "a: \x7f\r\n", null],
  ["a name beyond ASCII", "\u00e9: b\r\n", null],
] as const) {
  test(`head fields: ${name}`, () => assert.deepEqual(read(text), want));
}

test("names are told apart in whatever case, and lines lie where they lay", () => {
  const text = "HTTP/1.1 200 OK\r\nX-One: 1\r\nDate: now\r\n";
  const fields = HeadFields.read(text, 17);
  assert.ok(fields !== null);
  assert.deepEqual(
    [fields.count, fields.nameLength(0), fields.isNamed(0, "x-one"), fields.isNamed(1, "data")],
    [2, 5, true, false],
  );
  assert.equal(text.slice(fields.lineStart(1), fields.lineStart(2)), "Date: now\r\n");
  assert.equal(fields.value(1), "now");
});

test("a head of very many fields is none", () => {
  assert.equal(HeadFields.read("a: b\r\n".repeat(512), 0)?.count, 512);
  assert.equal(HeadFields.read("a: b\r\n".repeat(513), 0), null);
});
