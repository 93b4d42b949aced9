/**
 * Tells other servers the parts of chats that this one drives: those that are kept, at once, as its own
 * viewers are told them. An attempt that is not known here is silent until it begins.
 *
 * A server that takes nothing costs no memory: it is given a text when it has taken the one before. If it
 * leaves parts lying for longer than a viewer may, it is given no more, and its line ends.
 */
import type { PartLine, PartLineService } from "@atelier/contract/rpc/chat-part-lines";
import type { EpisodeId, PartBuffer, PartReader } from "../live-parts/part-buffer.ts";
import { groupText, parseChoice } from "./part-line.ts";

export function partLineService(buffer: PartBuffer): PartLineService {
  return (chatId, line) => {
    const teller = new Teller(buffer, line);
    return (text) => {
      const episode = parseChoice(text, chatId);
      if (episode === null) line.end();
      else teller.choose(episode);
    };
  };
}

class Teller {
  readonly #buffer: PartBuffer;
  readonly #line: PartLine;
  #told: { readonly episode: EpisodeId; readonly reader: PartReader } | null = null;
  #isBusy = false;

  constructor(buffer: PartBuffer, line: PartLine) {
    this.#buffer = buffer;
    this.#line = line;
    line.signal.addEventListener("abort", () => this.#leave());
  }

  choose(episode: EpisodeId): void {
    this.#leave();
    if (this.#line.signal.aborted) return;
    this.#told = { episode, reader: this.#buffer.follow(episode, () => this.#next()) };
    this.#next();
  }

  #next(): void {
    if (this.#isBusy || this.#told === null) return;
    const { episode, reader } = this.#told;
    const group = reader.take();
    if (group !== null) {
      this.#isBusy = true;
      this.#line.pass(groupText(group, episode), this.#passed);
    } else if (reader.isDropped) this.#line.end();
  }

  readonly #passed = (error?: Error | null): void => {
    this.#isBusy = false;
    if (error) this.#line.end();
    else this.#next();
  };

  #leave(): void {
    this.#told?.reader[Symbol.dispose]();
    this.#told = null;
  }
}
