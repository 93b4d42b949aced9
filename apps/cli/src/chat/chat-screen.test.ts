/** What stays on a terminal, however narrow, when an area below it comes and goes. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Printed } from "./chat-printer.ts";
import { LiveScreen, plainScreen } from "./chat-screen.ts";

/** As much of a terminal as the screen uses. Rows know whether the text went on into them. */
class Terminal {
  readonly #columns: number;
  rows: { text: string[]; isWrapped: boolean }[] = [{ text: [], isWrapped: false }];
  row = 0;
  column = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex -- That is what a terminal looks for.
    for (const [piece] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|[^]/gu)) this.#take(piece);
  }

  get lines(): readonly string[] {
    const lines: string[] = [];
    for (const { text, isWrapped } of this.rows) {
      if (isWrapped) lines.push((lines.pop() ?? "") + text.join(""));
      else lines.push(text.join(""));
    }
    return lines;
  }

  #take(piece: string): void {
    // oxlint-disable-next-line no-control-regex -- As above.
    const [, count, verb] = /^\u001b\[(\d*)([A-Z])$/.exec(piece) ?? [];
    const by = count === undefined || count === "" ? 1 : Number(count);
    if (verb === "A") {
      assert.ok(this.row >= by, "the cursor stays on the screen");
      this.row -= by;
    } else if (verb === "C") this.column += by;
    else if (verb === "J") this.#eraseBelow();
    else if (piece === "\r") this.column = 0;
    else if (piece === "\n") this.#nextRow(false);
    else this.#letter(piece);
  }

  #eraseBelow(): void {
    this.rows.length = this.row + 1;
    this.rows[this.row]?.text.splice(this.column);
    if (this.column === 0 && this.rows[this.row] !== undefined) {
      this.rows[this.row] = { text: [], isWrapped: false };
    }
  }

  #nextRow(isWrapped: boolean): void {
    this.row += 1;
    this.column = 0;
    this.rows[this.row] ??= { text: [], isWrapped };
  }

  #letter(letter: string): void {
    if (this.column >= this.#columns) this.#nextRow(true);
    const row = this.rows[this.row];
    assert.ok(row !== undefined);
    row.text[this.column] = letter;
    this.column += 1;
  }
}

function scene(columns: number) {
  const terminal = new Terminal(columns);
  const screen = new LiveScreen({
    write: (text) => terminal.write(text),
    size: () => ({ columns, rows: 50 }),
    dim: (text) => text,
  });
  return { terminal, screen };
}

type Step =
  | { readonly kind: "print"; readonly printed: readonly Printed[] }
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "typed"; readonly line: string; readonly at: number };

const word = fc.string({ unit: fc.constantFrom("a", "b", " "), maxLength: 9 });
const prose = fc.string({ unit: fc.constantFrom("x", "y", "\n"), minLength: 1, maxLength: 25 });
const printedThing: fc.Arbitrary<Printed> = fc.oneof(
  prose.map((text) => ({ kind: "prose" as const, text })),
  word.map((text) => ({ kind: "line" as const, text })),
  fc.constant({ kind: "end" as const }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.array(printedThing, { maxLength: 4 }).map((printed) => ({ kind: "print" as const, printed })),
  word.map((text) => ({ kind: "status" as const, text })),
  fc
    .tuple(fc.string({ unit: fc.constantFrom("k", "l"), maxLength: 30 }), fc.nat())
    .map(([line, at]) => ({ kind: "typed" as const, line, at: at % (line.length + 1) })),
);

test("what is printed stays as a pipe would get it, and the area leaves nothing behind", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 30 }),
      fc.array(step, { maxLength: 12 }),
      (columns, steps) => {
        const { terminal, screen } = scene(columns);
        let plain = "";
        const add = (text: string): void => {
          plain += text;
        };
        const expected = plainScreen(add, add);
        for (const each of steps) {
          if (each.kind === "print") {
            screen.print(each.printed);
            expected.print(each.printed);
          } else if (each.kind === "status") screen.status(each.text);
          else screen.typed({ prompt: "> ", line: each.line, cursor: each.at });
        }
        screen.close();
        expected.close();
        assert.deepEqual(terminal.lines.join("\n"), plain);
      },
    ),
    { numRuns: 500 },
  );
});

test("the cursor stands where the person types, also behind a full row", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 20 }),
      fc.nat(40),
      fc.nat(40),
      (columns, length, back) => {
        const { terminal, screen } = scene(columns);
        const line = "k".repeat(length);
        const cursor = Math.max(0, length - back);
        screen.status("Working…");
        screen.typed({ prompt: "> ", line, cursor });
        const at = 2 + cursor;
        assert.deepEqual(
          [terminal.row - 1, terminal.column],
          [Math.floor(at / columns), at % columns],
        );
      },
    ),
  );
});

test("a notice comes above the line that is being written, and does not cut it", () => {
  const { terminal, screen } = scene(20);
  screen.print([{ kind: "prose", text: "one\ntw" }]);
  screen.print([{ kind: "notice", text: "Queued #1" }]);
  screen.print([{ kind: "prose", text: "o" }]);
  screen.close();
  assert.deepEqual(terminal.lines, ["one", "Queued #1", "two", ""]);
});

test("in a pipe the answer goes to one side and all else to the other", () => {
  const [out, err]: [string[], string[]] = [[], []];
  const screen = plainScreen(
    (text) => out.push(text),
    (text) => err.push(text),
  );
  screen.print([
    { kind: "prose", text: "Hel" },
    { kind: "notice", text: "Queued" },
    { kind: "prose", text: "lo" },
    { kind: "line", text: "✓ tool" },
    { kind: "prose", text: "Bye" },
  ]);
  screen.close();
  assert.deepEqual([out.join(""), err.join("")], ["Hello\nBye\n", "Queued\n✓ tool\n"]);
});
