/**
 * The head that a connection brought last, for the next one: clients send the same head with each request, but
 * for the length of the body. One that is the same is not read again.
 */
import type { HeadFactsSlot } from "../relay/head-facts.ts";
import { isBodyLength, type RequestHead } from "./request-head.ts";

const LENGTH_LINE = /\r\nContent-Length:[ \t]*(?=\d)/i;
const LENGTH_NAME = "content-length";

export class RepeatedHead {
  readonly prefix: string;
  /** Shared by all requests with this head. */
  readonly slot: HeadFactsSlot = { facts: null };
  readonly #before: string;
  readonly #after: string;
  /** Where the length's value stands in the list of headers. */
  readonly #lengthAt: number;
  #head: RequestHead;

  /** `text` is what `head` was read from. `prefix` is where its target leads. */
  constructor(text: string, head: RequestHead, prefix: string) {
    this.prefix = prefix;
    this.#head = head;
    const line = LENGTH_LINE.exec(text);
    const at = line === null ? text.length : line.index + line[0].length;
    this.#before = text.slice(0, at);
    this.#after = line === null ? "" : text.slice(text.indexOf("\r\n", at));
    const names = head.rawHeaders;
    this.#lengthAt =
      names.findIndex((each, i) => i % 2 === 0 && each.toLowerCase() === LENGTH_NAME) + 1;
  }

  /** Null: another head. */
  again(text: string): RequestHead | null {
    const end = text.length - this.#after.length;
    if (
      !text.startsWith(this.#before) ||
      end < this.#before.length ||
      !text.endsWith(this.#after)
    ) {
      return null;
    }
    const length = text.slice(this.#before.length, end);
    if (this.#lengthAt === 0) return length === "" ? this.#head : null;
    if (length === this.#head.rawHeaders[this.#lengthAt]) return this.#head;
    if (!isBodyLength(length)) return null;
    this.#head = {
      ...this.#head,
      rawHeaders: this.#head.rawHeaders.with(this.#lengthAt, length),
      headers: { ...this.#head.headers, [LENGTH_NAME]: length },
      contentLength: Number(length),
    };
    return this.#head;
  }
}
