/**
 * A line that a person types while other things are printed: keys, history and editing are those of
 * node:readline, which writes into nothing here; the screen draws the line. Several lines that are
 * pasted are one message, and a backslash at the end of a line goes on with the next.
 */
import { createInterface, type Interface, type Key } from "node:readline";
import { Readable, Writable } from "node:stream";
import type { ByteStreams } from "../byte-streams.ts";
import type { Typed } from "./chat-screen.ts";

export type LineEditorEvents = {
  /** Without the line's end; never blank. */
  line(text: string): void;
  /** Ctrl-C, Ctrl-D on an empty line, or the terminal is gone. */
  leave(): void;
  changed(typed: Typed): void;
};

const PROMPT = "› ";
const PROMPT_MORE = "… ";
/** The terminal tells what is pasted from what is typed. */
const PASTE_ON = "\u001b[?2004h";
const PASTE_OFF = "\u001b[?2004l";
const HISTORY_SIZE = 200;

export class LineEditor implements Disposable {
  readonly #streams: ByteStreams;
  readonly #events: LineEditorEvents;
  readonly #write: (text: string) => void;
  readonly #input: Readable;
  readonly #interface: Interface;
  /** Lines before that which is typed. */
  #earlier: string[] = [];
  #isPasting = false;
  #isClosed = false;

  constructor(
    { streams, write }: { readonly streams: ByteStreams; readonly write: (text: string) => void },
    events: LineEditorEvents,
  ) {
    this.#streams = streams;
    this.#events = events;
    this.#write = write;
    streams.setRaw(true);
    write(PASTE_ON);
    this.#input = Readable.from(streams.input(), { objectMode: false });
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    this.#interface = createInterface({
      input: this.#input,
      output: nowhere,
      terminal: true,
      historySize: HISTORY_SIZE,
      tabSize: 4,
    });
    this.#interface.on("line", (line) => this.#line(line));
    this.#interface.on("SIGINT", () => this.#leave());
    this.#interface.on("close", () => this.#leave());
    this.#input.on("keypress", (_text: string | undefined, key: Key) => {
      if (key.name === "paste-start") this.#isPasting = true;
      if (key.name === "paste-end") this.#isPasting = false;
      this.#changed();
    });
    this.#changed();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#interface.close();
    this.#input.destroy();
    this.#write(PASTE_OFF);
    this.#streams.setRaw(false);
    this.#streams.releaseInput();
  }

  #line(line: string): void {
    const goesOn = this.#isPasting || line.endsWith("\\");
    this.#earlier.push(goesOn && !this.#isPasting ? line.slice(0, -1) : line);
    if (goesOn) return;
    const text = this.#earlier.join("\n").trim();
    this.#earlier = [];
    this.#changed();
    if (text !== "") this.#events.line(text);
  }

  #leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.leave();
  }

  #changed(): void {
    if (this.#isClosed) return;
    const { line, cursor } = this.#interface;
    const count = this.#earlier.length;
    const prompt = count === 0 ? PROMPT : `(${count} lines) ${PROMPT_MORE}`;
    this.#events.changed({ prompt, line, cursor });
  }
}
