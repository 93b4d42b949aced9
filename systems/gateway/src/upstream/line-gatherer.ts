/**
 * Lines up to an empty one, in one piece or gathered from several: the head of an answer, or what
 * follows its last chunk. Byte after byte costs linear time, and a limit's worth of memory.
 */

/** Of a head, and of the trailers of one answer. Anthropic's and OpenAI's take some 2 kB. */
export const HEAD_BYTES_MAX = 64 * 1024;

const NO_BYTES = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;
const EMPTY_LINE = Buffer.from("\r\n\r\n");
const LINE_END_BYTES = 2;
const VERSION = "HTTP/1.";

export class LineGatherer {
  /** What the last `take` found: whole lines, without the empty one. Null: it is not whole yet. */
  text: string | null = null;
  /** The same, in the memory of what came. */
  bytes: Uint8Array = NO_BYTES;
  isTooLarge = false;
  hasBareLineEnd = false;
  #gathered: Buffer = NO_BYTES;
  #length = 0;

  /** Answers where the rest begins. */
  take(chunk: Buffer, from: number): number {
    this.text = null;
    if (this.#length === 0) {
      const end = chunk.indexOf(EMPTY_LINE, from);
      if (end !== -1) {
        if (end - from > HEAD_BYTES_MAX) this.isTooLarge = true;
        else this.#found(chunk, from, end + LINE_END_BYTES);
        return end + EMPTY_LINE.length;
      }
    }
    return this.#gather(chunk, from);
  }

  /** Early, so that another protocol's server or a bare line end does not take a time-out to notice. */
  mayBecomeHead(): boolean {
    const begin = this.#gathered.toString("latin1", 0, Math.min(this.#length, VERSION.length));
    return VERSION.startsWith(begin) && !this.hasBareLineEnd;
  }

  /** What was found is read: its memory is free. */
  forget(): void {
    this.text = null;
    this.bytes = NO_BYTES;
  }

  #gather(chunk: Buffer, from: number): number {
    const before = this.#length;
    const room = HEAD_BYTES_MAX + EMPTY_LINE.length - before;
    const taken = Math.min(chunk.length - from, room);
    this.#reserve(before + taken);
    chunk.copy(this.#gathered, before, from, from + taken);
    this.#length = before + taken;
    const searchFrom = Math.max(0, before - EMPTY_LINE.length + 1);
    const end = this.#gathered.subarray(0, this.#length).indexOf(EMPTY_LINE, searchFrom);
    if (end === -1) {
      this.isTooLarge = taken === room;
      for (let at = before; at < this.#length; at += 1) {
        if (this.#gathered[at] === LF && this.#gathered[at - 1] !== CR) this.hasBareLineEnd = true;
      }
      return from + taken;
    }
    this.#found(this.#gathered, 0, end + LINE_END_BYTES);
    this.#gathered = NO_BYTES;
    this.#length = 0;
    return from + end + EMPTY_LINE.length - before;
  }

  #found(source: Buffer, from: number, to: number): void {
    this.text = source.toString("latin1", from, to);
    this.bytes = source.subarray(from, to);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#gathered.length) return;
    // Doubling: a server that sends byte after byte costs no more than one that does not.
    const grown = Buffer.alloc(Math.max(bytes, 2 * this.#gathered.length));
    this.#gathered.copy(grown, 0, 0, this.#length);
    this.#gathered = grown;
  }
}
