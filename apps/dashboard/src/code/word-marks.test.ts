import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { wordMarks } from "./word-marks.ts";

/** Each line with what is marked of it in brackets. */
function marked(diff: string): string {
  const kinds: Readonly<Record<string, string>> = { "-": "removed", "+": "added", " ": "same" };
  const lines = diff
    .split("\n")
    .map((line) => ({ kind: kinds[line.charAt(0)] ?? "same", text: line.slice(1) }));
  const marks = wordMarks(lines);
  return lines
    .map((line) => {
      const span = marks.get(line);
      if (span === undefined) return line.text;
      const { text } = line;
      return `${text.slice(0, span.from)}[${text.slice(span.from, span.to)}]${text.slice(span.to)}`;
    })
    .join("\n");
}

test("of a changed line the words are marked that are changed", () => {
  assert.equal(
    marked("-  return a + b;\n+  return a - b;"),
    "  return a [+] b;\n  return a [-] b;",
  );
  assert.equal(
    marked("-const total = count;\n+const total = counted;"),
    "const total = [count];\nconst total = [counted];",
  );
});

test("what is only put in or taken out is marked on its side alone", () => {
  assert.equal(marked("-call(a);\n+call(a, b);"), "call(a);\ncall(a[, b]);");
});

test("several lines are compared one by one; of other numbers none is", () => {
  assert.equal(marked("-a = 1\n-b = 2\n+a = 3\n+b = 4"), "a = [1]\nb = [2]\na = [3]\nb = [4]");
  assert.equal(marked("-a = 1\n+a = 3\n+b = 4"), "a = 1\na = 3\nb = 4");
});

test("another line in the place of one is no change of words", () => {
  assert.equal(marked("-import x from y;\n+  return 42;"), "import x from y;\n  return 42;");
});

test("what is left without the marks is the same on both sides", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  fc.assert(
    fc.property(text, text, text, text, (head, one, other, tail) => {
      const before = { kind: "removed", text: `${head} ${one} ${tail}`.replaceAll("\n", "") };
      const after = { kind: "added", text: `${head} ${other} ${tail}`.replaceAll("\n", "") };
      const marks = wordMarks([before, after]);
      const rest = (line: typeof before): string => {
        const { from, to } = marks.get(line) ?? { from: 0, to: 0 };
        return line.text.slice(0, from) + line.text.slice(to);
      };
      if (marks.size > 0) assert.equal(rest(before), rest(after));
    }),
  );
});
