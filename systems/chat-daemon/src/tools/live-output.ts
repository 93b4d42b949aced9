/**
 * What a command writes, shown to viewers while it runs: as parts that are not stored and that no model
 * reads. Bounded, because an answer's parts are: of a command that writes fast the newest is shown, and
 * what was left out is said.
 */
import type { Clock } from "@atelier/base/clock";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";

/** Most commands are over by then, and their result shows everything. */
const SHOWN_AFTER_MS = 300;
const FLUSH_MS = 75;
const PIECE_CHARACTERS_MAX = 8 * 1024;
/** Of one call. All parts of a step together find room for a few such. */
const CALL_CHARACTERS_MAX = 96 * 1024;

export type LiveCommand = {
  readonly processes: WorkspaceServices["processes"];
  readonly processId: string;
  readonly toolCallId: string;
  readonly toolName: string;
  readonly clock: Clock;
  readonly publish: (part: MessagePart) => void;
};

/** Shows the output of `command` while `work` waits for its end, and nothing after it. */
export async function withLiveOutput<Value>(
  command: LiveCommand,
  work: () => Promise<Value>,
): Promise<Value> {
  const ended = new AbortController();
  const shown = show(command, ended.signal);
  try {
    return await work();
  } finally {
    ended.abort();
    await shown;
  }
}

/** Ends soon after the signal, with what there is. What it cannot show, the result will. */
async function show(command: LiveCommand, signal: AbortSignal): Promise<void> {
  try {
    await command.clock.sleep(SHOWN_AFTER_MS, signal);
    const pieces = new Pieces(command);
    const flushed = pieces.keepFlushing(command.clock, signal);
    await follow(command, pieces, signal).finally(() => pieces.end());
    await flushed;
  } catch {
    // The call is over, or the link broke: nobody is worse off than with a command that says nothing.
  }
}

/** A reader that is too slow for the command is broken off, and goes on from what there still is. */
async function follow(
  { processes, processId: id, clock }: LiveCommand,
  pieces: Pieces,
  signal: AbortSignal,
): Promise<void> {
  for (let offset = 0; !pieces.isFull;) {
    const followed = await processes.follow({ id, stream: "stdout", offset }, { signal });
    if (!followed.ok) return;
    const { fromOffset } = followed.value.value;
    pieces.omit(fromOffset - offset);
    offset = fromOffset;
    try {
      for await (const bytes of followed.value.bytes) {
        offset += bytes.byteLength;
        if (signal.aborted || pieces.isFull) return;
        pieces.add(bytes);
      }
      return;
    } catch {
      await clock.sleep(FLUSH_MS, signal);
    }
  }
}

class Pieces {
  readonly #command: LiveCommand;
  readonly #decoder = new TextDecoder();
  readonly #ended = new AbortController();
  #waiting = "";
  #omitted = 0;
  #spent = 0;

  constructor(command: LiveCommand) {
    this.#command = command;
  }

  get isFull(): boolean {
    return this.#spent >= CALL_CHARACTERS_MAX;
  }

  add(bytes: Uint8Array): void {
    // A zero is refused by the database.
    this.#waiting += this.#decoder.decode(bytes, { stream: true }).replaceAll("\0", "\uFFFD");
    const tooMany = this.#waiting.length - PIECE_CHARACTERS_MAX;
    if (tooMany <= 0) return;
    const kept = this.#waiting.slice(tooMany).replace(/^[\uDC00-\uDFFF]/, "");
    this.#omitted += Buffer.byteLength(this.#waiting) - Buffer.byteLength(kept);
    this.#waiting = kept;
  }

  omit(bytes: number): void {
    this.#omitted += bytes;
  }

  end(): void {
    this.#ended.abort();
  }

  async keepFlushing(clock: Clock, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.#ended.signal]);
    while (!over.aborted) {
      this.flush();
      await clock.sleep(FLUSH_MS, over).catch(() => {});
    }
    if (!signal.aborted) this.flush();
  }

  flush(): void {
    if (this.#waiting === "" || this.isFull) return;
    const omitted = this.#omitted === 0 ? "" : `\n[… ${this.#omitted} bytes left out …]\n`;
    const text = omitted + this.#waiting;
    this.#spent += text.length;
    this.#waiting = "";
    this.#omitted = 0;
    const more = this.isFull ? "\n[… what follows is shown when the command ends …]\n" : "";
    const { toolCallId: tool_call_id, toolName: tool_name, publish } = this.#command;
    publish({
      ...{ type: "tool-result", tool_call_id, tool_name, result: null },
      result_delta: text + more,
    });
  }
}
