/**
 * Where viewers on this server get live parts from: the buffer, when the chat is driven here; else what
 * the other server keeps in the database, read once for all viewers of an episode here.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import {
  episodeKey,
  PartBuffer,
  type BufferedPart,
  type EpisodeId,
  type PartReader,
} from "../live-parts/part-buffer.ts";
import type { PartTarget } from "./viewer-sync.ts";

export type PartSourcesDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this server's own worker. */
  readonly workerId: string;
  readonly buffer: PartBuffer;
  /** What any server kept of an episode, from this part on, without gaps. */
  readonly readKept: (id: EpisodeId, fromSeq: number) => Promise<readonly BufferedPart[]>;
};

/** Later than on the other server by so much, at most. */
const MIRROR_POLL_MS = 60;
const MIRROR_RETRY_MS = 1_000;

/** The copy of an episode that another server writes. */
type Mirror = {
  readonly copy: PartBuffer;
  followers: number;
  readonly stop: AbortController;
};

export class PartSources {
  readonly #deps: PartSourcesDeps;
  readonly #mirrors = new Map<string, Mirror>();

  constructor(deps: PartSourcesDeps) {
    this.#deps = deps;
  }

  /** As of a buffer. */
  follow({ workerId, episode }: NonNullable<PartTarget>, news: () => void): PartReader {
    if (workerId === this.#deps.workerId) return this.#deps.buffer.follow(episode, news);
    const mirror = this.#mirror(episode);
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

  #mirror(episode: EpisodeId): Mirror {
    const key = episodeKey(episode);
    const known = this.#mirrors.get(key);
    if (known !== undefined && !known.stop.signal.aborted) return known;
    const copy = new PartBuffer(this.#deps.clock);
    const mirror = { copy, followers: 0, stop: new AbortController() };
    this.#mirrors.set(key, mirror);
    this.#copy(episode, copy, mirror.stop.signal)
      .catch((error: unknown) => {
        if (!mirror.stop.signal.aborted) {
          this.#deps.log.warn({ error, chat: episode.chatId }, "live parts are not copied");
        }
      })
      .finally(() => {
        copy.closeEpisode(episode);
        if (this.#mirrors.get(key) === mirror) this.#mirrors.delete(key);
      });
    return mirror;
  }

  /** Until aborted. */
  async #copy(episode: EpisodeId, copy: PartBuffer, signal: AbortSignal): Promise<void> {
    const { clock, readKept } = this.#deps;
    copy.createEpisode(episode);
    let seq = 0;
    for (;;) {
      let delayMs = MIRROR_POLL_MS;
      try {
        for (const { role, part } of await readKept(episode, seq + 1)) {
          const added = copy.addPart(episode, role, part);
          if (!added.ok) return;
          seq = added.value;
        }
      } catch {
        // The database is away: what is missing comes later.
        delayMs = MIRROR_RETRY_MS;
      }
      await clock.sleep(delayMs, signal);
    }
  }
}
