/**
 * Where viewers on this server get live parts from: the buffer, when the chat is driven here; else a copy of
 * the other server's, one for all viewers of an episode here.
 *
 * The other server tells what it has kept as soon as it has, and the database holds the same. So a copy is
 * what the database holds, sooner: what was not told, or too late, or by a server that is gone, is read
 * there, and what comes twice is left out.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { WakeableSleep } from "@atelier/base/wakeable-sleep";
import {
  episodeKey,
  PartBuffer,
  type BufferedPart,
  type EpisodeId,
  type PartReader,
} from "../live-parts/part-buffer.ts";
import type { DialledLines } from "./part-lines-actions.ts";
import type { PartTarget } from "./viewer-sync.ts";

export type PartSourcesDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this server's own worker. */
  readonly workerId: string;
  readonly buffer: PartBuffer;
  /** What any server kept of an episode, from this part on, without gaps. */
  readonly readKept: (id: EpisodeId, fromSeq: number) => Promise<readonly BufferedPart[]>;
  readonly lines: Pick<DialledLines, "listen">;
};

/** While the other server does not tell: later than there by so much, at most. */
const POLL_EVERY_MS = 60;
/** While it does: how long a line may be silent or behind until somebody looks. */
const CHECK_EVERY_MS = 1_000;
const RETRY_MS = 1_000;

type Target = NonNullable<PartTarget>;

/** The copy of an episode that another server writes. */
type Mirror = {
  readonly copy: PartBuffer;
  followers: number;
  readonly stop: AbortController;
};

export class PartSources {
  readonly #deps: PartSourcesDeps;
  /** By server and episode. */
  readonly #mirrors = new Map<string, Mirror>();

  constructor(deps: PartSourcesDeps) {
    this.#deps = deps;
  }

  /** As of a buffer. */
  follow(target: Target, news: () => void): PartReader {
    const { workerId, episode } = target;
    if (workerId === this.#deps.workerId) return this.#deps.buffer.follow(episode, news);
    const mirror = this.#mirror(target);
    mirror.followers += 1;
    const reader = mirror.copy.follow(episode, news);
    return {
      take: () => reader.take(),
      get isDropped() {
        return reader.isDropped;
      },
      [Symbol.dispose]: () => {
        reader[Symbol.dispose]();
        mirror.followers -= 1;
        if (mirror.followers === 0) mirror.stop.abort();
      },
    };
  }

  #mirror(target: Target): Mirror {
    const key = `${target.workerId}/${episodeKey(target.episode)}`;
    const known = this.#mirrors.get(key);
    if (known !== undefined && !known.stop.signal.aborted) return known;
    const copy = new PartBuffer(this.#deps.clock);
    const mirror = { copy, followers: 0, stop: new AbortController() };
    this.#mirrors.set(key, mirror);
    new Copying(this.#deps, target, copy)
      .keep(mirror.stop.signal)
      .catch((error: unknown) => {
        if (!mirror.stop.signal.aborted) {
          this.#deps.log.warn({ error, chat: target.episode.chatId }, "live parts are not copied");
        }
      })
      .finally(() => {
        copy.closeEpisode(target.episode);
        if (this.#mirrors.get(key) === mirror) this.#mirrors.delete(key);
      });
    return mirror;
  }
}

class Copying {
  readonly #deps: PartSourcesDeps;
  readonly #target: Target;
  readonly #copy: PartBuffer;
  /** Of the last part that the copy has, and of the last one that the other server told. */
  #seq = 0;
  #toldSeq = 0;
  #isTold = false;
  #isGap = false;
  /** Since when the database has parts that were not told. Null: it has none, as far as anybody looked. */
  #untoldSinceMs: number | null = null;
  readonly #pause: WakeableSleep;

  constructor(deps: PartSourcesDeps, target: Target, copy: PartBuffer) {
    this.#deps = deps;
    this.#pause = new WakeableSleep(deps.clock);
    this.#target = target;
    this.#copy = copy;
  }

  /** Until aborted. */
  async keep(signal: AbortSignal): Promise<void> {
    this.#copy.createEpisode(this.#target.episode);
    using line = this.#deps.lines.listen({
      target: this.#target,
      heard: (parts) => this.#hear(parts),
      changed: (isOpen) => {
        this.#isTold = isOpen;
        this.#untoldSinceMs = null;
        this.#pause.wake();
      },
    });
    let toldBefore = 0;
    for (;;) {
      // Who was told something since the last look, and misses nothing, need not look.
      const isToldAll = this.#toldSeq > toldBefore && this.#toldSeq === this.#seq && !this.#isGap;
      toldBefore = this.#toldSeq;
      this.#isGap = false;
      const isRead = isToldAll || (await this.#read());
      if (isRead && this.#isGap) continue;
      if (this.#isSilentFor(CHECK_EVERY_MS)) line.redial();
      const isTold = this.#isTold && this.#untoldSinceMs === null;
      const pauseMs = isTold ? CHECK_EVERY_MS : POLL_EVERY_MS;
      await this.#pause.sleep(isRead ? pauseMs : RETRY_MS, signal);
    }
  }

  /** Although there was something to tell. */
  #isSilentFor(ms: number): boolean {
    const sinceMs = this.#untoldSinceMs;
    return this.#isTold && sinceMs !== null && this.#deps.clock.monotonicMs() - sinceMs >= ms;
  }

  #hear(parts: readonly BufferedPart[]): void {
    const last = parts.at(-1)?.seq ?? 0;
    // Anew from the first on, or what follows; with something left out it would not be a copy.
    if ((parts[0]?.seq ?? 0) > this.#seq + 1) {
      this.#isGap = true;
      return this.#pause.wake();
    }
    this.#toldSeq = last;
    this.#untoldSinceMs = null;
    this.#add(parts);
  }

  /** False: the database is away. What is missing comes later. */
  async #read(): Promise<boolean> {
    try {
      const before = this.#seq;
      this.#add(await this.#deps.readKept(this.#target.episode, before + 1));
      if (this.#isTold && this.#toldSeq < this.#seq && before < this.#seq) {
        this.#untoldSinceMs ??= this.#deps.clock.monotonicMs();
      }
      return true;
    } catch {
      return false;
    }
  }

  #add(parts: readonly BufferedPart[]): void {
    const news = parts.filter(({ seq }) => seq > this.#seq);
    const added = this.#copy.addParts(this.#target.episode, news);
    if (added.ok) this.#seq = added.value;
  }
}
