/** Edits find their place also where white space differs, and change nothing else. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdit, type EditOutcome } from "./apply-edit.ts";

function edit(text: string, oldText: string, newText: string, replaceAll = false): EditOutcome {
  return applyEdit(text, { oldText, newText, replaceAll });
}

const edited = (text: string): EditOutcome => ({ kind: "edited", text });

for (const { name, text, oldText, newText, becomes } of [
  { name: "a piece of a line", text: "a b c", oldText: "b", newText: "$&", becomes: "a $& c" },
  {
    name: "an exact place, though others are alike without their indentation",
    text: "  x\nx\n",
    oldText: "  x\n",
    newText: "  y\n",
    becomes: "  y\nx\n",
  },
  {
    name: "lines whose trailing white space differs, and keeps it where they stay",
    text: "one  \ntwo\t\nthree \n",
    oldText: "one\ntwo\nthree\n",
    newText: "one\nTWO\nthree\n",
    becomes: "one  \nTWO\nthree \n",
  },
  {
    name: "lines given without their indentation, and indents what is new",
    text: "class A {\n    run() {\n        go();\n    }\n}\n",
    oldText: "run() {\n    go();\n}\n",
    newText: "run() {\n    if (x) {\n        go();\n    }\n}\n",
    becomes: "class A {\n    run() {\n        if (x) {\n            go();\n        }\n    }\n}\n",
  },
  {
    name: "lines given with spaces in a file with tabs",
    text: "\tif a {\n\t\tb()\n\t}\n",
    oldText: "    if a {\n        b()\n    }\n",
    newText: "    if a {\n        b()\n        if c {\n            d()\n        }\n    }\n",
    becomes: "\tif a {\n\t\tb()\n\t\tif c {\n\t\t\td()\n\t\t}\n\t}\n",
  },
  {
    name: "lines given with tabs in a file with two spaces",
    text: "a:\n  b:\n    c\n",
    oldText: "a:\n\tb:\n\t\tc\n",
    newText: "a:\n\tb:\n\t\tc\n\t\td:\n\t\t\te\n",
    becomes: "a:\n  b:\n    c\n    d:\n      e\n",
  },
  {
    name: "less depth than any line around",
    text: "    if x:\n        y\n",
    oldText: "  if x:\n      y\n",
    newText: "z\n  if x:\n      y\n",
    becomes: "  z\n    if x:\n        y\n",
  },
  {
    name: "CRLF lines given with LF",
    text: "a\r\nb\r\nc\r\n",
    oldText: "a\nb\n",
    newText: "a\nB\nB2\n",
    becomes: "a\r\nB\r\nB2\r\nc\r\n",
  },
  {
    name: "CRLF lines given with LF and another indentation",
    text: "  a\r\n  b\r\n",
    oldText: "a\nb",
    newText: "a\nx\nb",
    becomes: "  a\r\n  x\r\n  b\r\n",
  },
  {
    name: "one word of a CRLF file, by several lines",
    text: "a\r\nb\r\n",
    oldText: "b",
    newText: "c\nd",
    becomes: "a\r\nc\r\nd\r\n",
  },
  {
    name: "line ends themselves, where they are written out",
    text: "a\r\nb\r\n",
    oldText: "a\r\n",
    newText: "a\n",
    becomes: "a\nb\r\n",
  },
  {
    name: "the last line of a file without a line end, which stays without",
    text: "a\n  b",
    oldText: "a\nb\n",
    newText: "a\nc\n",
    becomes: "a\n  c",
  },
  { name: "lines by nothing", text: "a\n b\nc\n", oldText: "a\nb\n", newText: "", becomes: "c\n" },
]) {
  test(`an edit replaces ${name}`, () => {
    assert.deepEqual(edit(text, oldText, newText), edited(becomes));
  });
}

test("a piece that stands there twice is refused with its lines, also when the two overlap", () => {
  const twice = { kind: "several", lines: [1, 3], isMore: false };
  assert.deepEqual(edit("x\ny\nx\n", "x", "z"), twice);
  assert.deepEqual(edit(" x\ny\n  x\n", "x\n\n".trimEnd() + "\n", "z\n"), twice);
  const overlapping = { kind: "several", lines: [1, 1], isMore: false };
  assert.deepEqual(edit("aaa", "aa", "b"), overlapping);
});

test("replaceAll replaces every place, each with its own indentation", () => {
  assert.deepEqual(edit("x x x", "x", "xx", true), edited("xx xx xx"));
  assert.deepEqual(
    edit("  a\n  b\n\ta\n\tb\n", "a\nb\n", "a\nc\n", true),
    edited("  a\n  c\n\ta\n\tc\n"),
  );
});

test("a piece that is not there is absent; white space alone fits nothing but itself", () => {
  assert.deepEqual(edit("a\n", "b", "c"), { kind: "absent" });
  assert.deepEqual(edit("a\n\nb\n", " \n", "c"), { kind: "absent" });
});

const word = fc.stringMatching(/^[a-z(){};=.]{1,12}$/);
const block = fc.array(fc.record({ depth: fc.nat(4), text: word }), {
  minLength: 1,
  maxLength: 12,
});
const render = (lines: readonly { depth: number; text: string }[], unit: string, base: string) =>
  lines.map(({ depth, text }) => `${base}${unit.repeat(depth)}${text}\n`).join("");

test("any block: given at another depth, an edit does what the exact edit would do", () => {
  fc.assert(
    fc.property(
      block,
      block,
      fc.nat(11),
      fc.constantFrom("  ", "    ", "\t"),
      (lines, added, at, unit) => {
        const base = unit.repeat(3);
        // The added lines may be no deeper or shallower than what the old ones show.
        const top = Math.min(...lines.map(({ depth }) => depth));
        const more = added.map((line) => ({ ...line, depth: line.depth + top }));
        const changed = [...lines.slice(0, at), ...more, ...lines.slice(at)];
        const file = `head\n${render(lines, unit, base)}tail\n`;
        const answer = edit(file, render(lines, unit, unit), render(changed, unit, unit));
        const expected = `head\n${render(changed, unit, base)}tail\n`;
        assert.deepEqual(answer, edited(expected));
      },
    ),
  );
});

test("any text: an edit that leaves a piece as it is changes nothing, however it was given", () => {
  const line = fc.record({
    indent: fc.stringMatching(/^[ \t]{0,4}$/),
    text: word,
    trail: fc.constantFrom("", " ", "\t "),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(line, { minLength: 1, maxLength: 10, selector: (each) => each.text }),
      fc.constantFrom("\n", "\r\n"),
      fc.nat(9),
      fc.nat(9),
      (lines, end, a, b) => {
        const file = lines.map(({ indent, text, trail }) => indent + text + trail + end).join("");
        const piece = lines.slice(Math.min(a, b), Math.max(a, b) + 1);
        fc.pre(piece.length > 0);
        const given = piece.map(({ text }) => `   ${text}\n`).join("");
        assert.deepEqual(edit(file, given, given), edited(file));
      },
    ),
  );
});
