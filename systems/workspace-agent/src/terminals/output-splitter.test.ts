import headless from "@xterm/headless";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HELD_CHARS_MAX, OutputSplitter, type Piece } from "./output-splitter.ts";
import { outputPart } from "./screen-testkit.ts";
import { GROUND, internalsOf } from "./terminal-internals.ts";

function splitter() {
  const terminal = new headless.Terminal({ allowProposedApi: true, logLevel: "off" });
  const handler = internalsOf(terminal)._inputHandler;
  return { handler, splitter: new OutputSplitter(handler._parser._transitions.table) };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join("");

test("cut at every byte, nothing is lost, and each piece leaves the terminal between two sequences", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.array(outputPart, { maxLength: 30 }), cuts, (parts, sizes) => {
      const all = bytes(parts.join(""));
      const { splitter: split, handler } = splitter();
      let given = "";
      for (let at = 0, i = 0; at < all.byteLength; i += 1) {
        const size = sizes[i % sizes.length] ?? 1;
        const pieces = split.split(all.subarray(at, at + size));
        at += size;
        for (const { text } of pieces) handler.parse(text);
        given += textOf(pieces);
        const state = handler._parser.currentState;
        // Or inside one that the next piece begins anew with ESC.
        assert.ok(state === GROUND || parts.some((part) => part.startsWith("\x1b")));
        assert.equal(split.givenState, GROUND);
      }
      assert.equal(given + textOf(split.end()), parts.join(""));
    }),
  );
});

for (const { text, audience } of [
  { text: "\x1b[c", audience: "agent" },
  { text: "\x1b[>0c", audience: "agent" },
  { text: "\x1b[6n", audience: "agent" },
  { text: "\x1b[?6n", audience: "agent" },
  { text: "\x1b[?2026$p", audience: "agent" },
  { text: "\x1b[>q", audience: "agent" },
  { text: "\x1b[?u", audience: "agent" },
  { text: "\x1b[18t", audience: "agent" },
  { text: "\x1b[8;5;5t", audience: "agent" },
  { text: "\x1bP$qm\x1b\\", audience: "agent" },
  { text: "\x1bP+q544e\x1b\\", audience: "agent" },
  { text: "\u009b6n", audience: "agent" },
  { text: "\x1b]11;?\x1b\\", audience: "one" },
  { text: "\x1b]4;1;?\x07", audience: "one" },
  { text: "\x1b]52;c;?\x07", audience: "one" },
  { text: "\x1b]11;#fff\x07", audience: "everyone" },
  { text: "\x1b[22;0t", audience: "everyone" },
  { text: "\x1b[>4;2m", audience: "everyone" },
  { text: "\x1b[31m", audience: "everyone" },
]) {
  test(`${JSON.stringify(text)} is for ${audience}, wherever it stands`, () => {
    for (const before of ["", "a", "\x1b[31m", "\x1b[12", "\x1b]0;t\x07"]) {
      const pieces = splitter().splitter.split(bytes(`${before}${text}z`));
      assert.equal(textOf(pieces), `${before}${text}z`);
      const others = pieces.filter((piece) => piece.audience !== "everyone");
      assert.deepEqual(others, audience === "everyone" ? [] : [{ text, audience }]);
    }
  });
}

test("a very long sequence goes out in parts, and what comes after it is whole again", () => {
  const { splitter: split } = splitter();
  const image = `\x1bPq${"x".repeat(HELD_CHARS_MAX)}`;
  assert.equal(textOf(split.split(bytes(image))), image);
  assert.notEqual(split.givenState, GROUND);
  assert.equal(textOf(split.split(bytes("y\x1b\\a\x1b["))), "y\x1b\\a");
  assert.equal(split.givenState, GROUND);
  assert.equal(textOf(split.split(bytes("6n"))), "\x1b[6n");
});

test("bytes that are no characters become replacements", () => {
  const { splitter: split } = splitter();
  assert.equal(textOf(split.split(Uint8Array.of(0x61, 0xff, 0x62, 0xe6))), "a\ufffdb");
  assert.equal(textOf(split.end()), "\ufffd");
});
