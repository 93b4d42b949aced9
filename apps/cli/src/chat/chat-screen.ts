/**
 * Where a chat is printed. `plainScreen` only appends, for pipes and simple terminals. `LiveScreen`
 * keeps an area below what is printed: the line that is being written, what goes on at the moment, and
 * the line that the person types. Texts come in harmless for a terminal.
 */
import { displayWidth, rowsOf } from "../output/people.ts";
import type { TerminalSize } from "../byte-streams.ts";
import type { Printed } from "./chat-printer.ts";

export type ChatScreen = {
  print(printed: readonly Printed[]): void;
  /** What goes on at the moment; empty: nothing. */
  status(text: string): void;
  /** Ends the line that is being written, and takes away what is not to stay. */
  close(): void;
};

/** `write` gets what is answered, `writeActivity` all else. */
export function plainScreen(
  write: (text: string) => void,
  writeActivity: (text: string) => void,
): ChatScreen {
  let isAtLineStart = true;
  const endLine = (): void => {
    if (!isAtLineStart) write("\n");
    isAtLineStart = true;
  };
  return {
    print: (printed) => {
      for (const each of printed) {
        if (each.kind === "prose") {
          write(each.text);
          isAtLineStart = each.text.endsWith("\n");
        } else if (each.kind === "notice") {
          writeActivity(`${each.text}\n`);
        } else {
          endLine();
          if (each.kind === "line") writeActivity(`${each.text}\n`);
        }
      }
    },
    status: () => {},
    close: endLine,
  };
}

export type Typed = {
  readonly prompt: string;
  readonly line: string;
  /** In UTF-16 units of the line. */
  readonly cursor: number;
};

export type LiveScreenPorts = {
  write(text: string): void;
  size(): TerminalSize;
  dim(text: string): string;
};

/** Rows of the area that are left to what was printed before. */
const ROWS_LEFT = 2;

export class LiveScreen implements ChatScreen {
  readonly #ports: LiveScreenPorts;
  /** Of the line that is being written. */
  #prose = "";
  #status = "";
  #typed: Typed | null = null;
  /** As drawn: rows, and the one that the cursor is in. */
  #rows: readonly string[] = [];
  #cursorRow = 0;

  constructor(ports: LiveScreenPorts) {
    this.#ports = ports;
  }

  print(printed: readonly Printed[]): void {
    let done = "";
    for (const each of printed) {
      if (each.kind === "prose") {
        this.#prose += each.text;
        const end = this.#prose.lastIndexOf("\n") + 1;
        done += this.#prose.slice(0, end);
        this.#prose = this.#prose.slice(end);
        continue;
      }
      if (each.kind === "notice") {
        // The line that is being written is not among what stays yet.
        done += `${each.text}\n`;
        continue;
      }
      if (this.#prose !== "") done += `${this.#prose}\n`;
      this.#prose = "";
      if (each.kind === "line") done += `${each.text}\n`;
    }
    if (printed.length > 0) this.#draw(done);
  }

  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    this.#draw("");
  }

  /** Null: nobody can type. */
  typed(typed: Typed | null): void {
    this.#typed = typed;
    this.#draw("");
  }

  close(): void {
    const rest = this.#prose === "" ? "" : `${this.#prose}\n`;
    this.#prose = "";
    this.#status = "";
    this.#typed = null;
    this.#draw(rest);
  }

  redraw(): void {
    this.#draw("");
  }

  /** Prints what stays, and draws the area anew below it. */
  #draw(done: string): void {
    const { columns, rows: height } = this.#ports.size();
    const width = Math.max(1, columns);
    let text = this.#erased(width);
    text += done;
    const proseRows = this.#prose === "" ? [] : rowsOf(tabless(this.#prose), width);
    const statusRows = this.#status === "" ? [] : [rowsOf(this.#status, width - 1)[0] ?? ""];
    const typedRows = this.#typed === null ? [] : typedRowsOf(this.#typed, width);
    const room = Math.max(1, height - ROWS_LEFT - statusRows.length - typedRows.length);
    const rows = [...proseRows.slice(-room), ...statusRows, ...typedRows];
    const statusAt = rows.length - typedRows.length - statusRows.length;
    text += rows
      .map((row, index) =>
        statusRows.length > 0 && index === statusAt ? this.#ports.dim(row) : row,
      )
      .join("\n");
    this.#rows = rows;
    this.#cursorRow = Math.max(0, rows.length - 1);
    text += this.#toCursor(width, typedRows.length);
    if (text !== "") this.#ports.write(text);
  }

  /** Takes away the area: the cursor stands where it began. The terminal may be narrower by now. */
  #erased(width: number): string {
    if (this.#rows.length === 0) return "";
    const above = this.#rows
      .slice(0, this.#cursorRow)
      .reduce((sum, row) => sum + Math.max(1, Math.ceil(displayWidth(row) / width)), 0);
    return `\r${above === 0 ? "" : `\u001b[${above}A`}\u001b[J`;
  }

  /** From the end of the area to where the person types. */
  #toCursor(width: number, typedCount: number): string {
    if (this.#typed === null) return "";
    const { prompt, line, cursor } = this.#typed;
    const before = rowsOf(tabless(prompt + line.slice(0, cursor)), width);
    const column = displayWidth(before.at(-1) ?? "");
    // A row that is full: the next letter comes into the row below.
    const isFull = column >= width;
    const row = isFull ? before.length : before.length - 1;
    const up = typedCount - 1 - row;
    this.#cursorRow -= up;
    const right = isFull ? 0 : column;
    return `${up === 0 ? "" : `\u001b[${up}A`}\r${right === 0 ? "" : `\u001b[${right}C`}`;
  }
}

/** With a row for the cursor behind a full one. */
function typedRowsOf({ prompt, line }: Typed, width: number): readonly string[] {
  const rows = rowsOf(tabless(prompt + line), width);
  return displayWidth(rows.at(-1) ?? "") >= width ? [...rows, ""] : rows;
}

function tabless(text: string): string {
  return text.replaceAll("\t", "    ");
}
