/** Numbered lines are right however the bytes are cut, and what is missing is said. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { NumberedLines, type LinesRead } from "./numbered-lines.ts";

function read(content: string | Buffer, fromLine = 1, lines = 2_000, chunkBytes = 7): LinesRead {
  const bytes = Buffer.from(content);
  const reader = new NumberedLines({ fromLine, lines });
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    if (!reader.push(bytes.subarray(at, at + chunkBytes))) break;
  }
  return reader.end(bytes.byteLength);
}

test("any text: its lines come numbered, however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-zäé€😀 ]{0,10}$/u), { maxLength: 20 }),
      fc.integer({ min: 1, max: 22 }),
      fc.integer({ min: 1, max: 22 }),
      fc.integer({ min: 1, max: 9 }),
      (texts, fromLine, lines, chunkBytes) => {
        const content = texts.map((text) => `${text}\n`).join("");
        const expected = texts
          .map((text, i) => `${i + 1}\t${text}\n`)
          .slice(fromLine - 1, fromLine - 1 + lines);
        const answer = read(content, fromLine, lines, chunkBytes);
        assert.equal(answer.content, expected.join(""));
        assert.equal(answer.linesRead, expected.length);
        assert.equal(answer.totalLines, texts.length);
        const isRest = fromLine - 1 + expected.length < texts.length && expected.length > 0;
        assert.equal(/read on from line/.test(answer.note), isRest);
      },
    ),
  );
});

for (const { name, content, shown, note } of [
  { name: "an empty file", content: "", shown: "", note: "The file is empty." },
  { name: "a last line without an end", content: "a\nb", shown: "1\ta\n2\tb\n", note: "" },
  { name: "an empty line at the end", content: "a\n\n", shown: "1\ta\n2\t\n", note: "" },
  {
    name: "CRLF",
    content: "a\r\nb\r\n",
    shown: "1\ta\n2\tb\n",
    note: "Lines end with CRLF.",
  },
  { name: "a byte order mark", content: "\uFEFFa\n", shown: "1\ta\n", note: "" },
  {
    name: "bytes that are no text",
    content: Buffer.from([0x61, 0xff, 0x0a]),
    shown: "1\ta\uFFFD\n",
    note: "Bytes that are not UTF-8 are shown as \uFFFD.",
  },
]) {
  test(`${name} is read as people see it`, () => {
    const answer = read(content);
    assert.deepEqual([answer.content, answer.note], [shown, note]);
  });
}

test("a long line is cut between characters, and says how long it is", () => {
  const answer = read(`x${"é".repeat(10_000)}\nnext\n`);
  const [first = "", second] = answer.content.split("\n");
  assert.equal(first, `1\tx${"é".repeat(4_095)} [cut: the line has 20001 bytes]`);
  assert.equal(second, "2\tnext");
  assert.equal(answer.note, "Longer than 8192 bytes and cut: line 1.");
});

test("an answer that is full says where to read on", () => {
  const content = `${"x".repeat(8_000)}\n`.repeat(100);
  const answer = read(content, 1, 2_000, 65_536);
  assert.equal(answer.linesRead, 32);
  assert.equal(answer.totalLines, 100);
  assert.match(answer.note, /Lines 1–32 of 100 are shown .*read on from line 33/);
});

test("a binary file has no lines, and its bytes are not read further", () => {
  const reader = new NumberedLines({ fromLine: 1, lines: 5 });
  assert.equal(reader.push(Buffer.from("PNG\0")), false);
  const { content, note } = reader.end(4);
  assert.deepEqual(
    [content, note],
    ["", "The file is binary (4 bytes) and has no lines: read its bytes."],
  );
});

test("a file that goes on for ever is not counted for ever", () => {
  const reader = new NumberedLines({ fromLine: 1, lines: 1 });
  const chunk = Buffer.alloc(1024 * 1024, `${"x".repeat(1_023)}\n`);
  let pushed = 0;
  while (reader.push(chunk)) pushed += 1;
  assert.equal(pushed, 513);
  const { totalLines, note } = reader.end(0);
  assert.equal(totalLines, null);
  assert.match(note, /Lines 1–1 are shown: read on from line 2\. .*not counted/);
});

test("a line without end is cut, and not read for ever", () => {
  const reader = new NumberedLines({ fromLine: 1, lines: 1 });
  const chunk = Buffer.alloc(1024 * 1024, "x");
  let pushed = 0;
  while (reader.push(chunk)) pushed += 1;
  assert.equal(pushed, 513);
  const { content, linesRead, totalLines } = reader.end(0);
  assert.match(content, /^1\tx{8192} \[cut: the line has more than 537919488 bytes\]\n$/);
  assert.deepEqual([linesRead, totalLines], [1, null]);
});
