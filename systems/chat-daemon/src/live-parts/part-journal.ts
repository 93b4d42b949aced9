/**
 * What of the parts is not yet kept for successors: collected as they come, and written in groups.
 */
import { episodeKey, type BufferedPart, type EpisodeId } from "./part-buffer.ts";

/** Parts of one episode that follow each other. */
export type JournalEntry = {
  readonly id: EpisodeId;
  readonly firstSeq: number;
  readonly parts: readonly BufferedPart[];
};

/** Parts waiting to be written, in all. Beyond it, as when the database is away, the newest are not kept. */
export const JOURNAL_BACKLOG_MAX = 200_000;

export class PartBacklog {
  #entries = new Map<string, { id: EpisodeId; firstSeq: number; parts: BufferedPart[] }>();
  #count = 0;
  #hasBeginning = false;

  /** Whether it was taken. Parts of an episode come in order. */
  add(id: EpisodeId, part: BufferedPart): boolean {
    if (this.#count >= JOURNAL_BACKLOG_MAX) return false;
    const key = episodeKey(id);
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, { id, firstSeq: part.seq, parts: [part] });
    else entry.parts.push(part);
    this.#count += 1;
    this.#hasBeginning ||= part.seq === 1;
    return true;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether the first part of an episode waits. */
  get hasBeginning(): boolean {
    return this.#hasBeginning;
  }

  /** All that waits; it waits no longer. */
  take(): readonly JournalEntry[] {
    const taken = [...this.#entries.values()];
    this.#entries = new Map();
    this.#count = 0;
    this.#hasBeginning = false;
    return taken;
  }
}

/**
 * The parts of an episode from `fromSeq` on, from its entries: up to the first gap, because what lies behind one was shown
 * without what came before it. Entries may be doubled by a write whose answer was lost.
 */
export function joinEntries(
  entries: readonly JournalEntry[],
  fromSeq = 1,
): readonly BufferedPart[] {
  const sorted = entries.toSorted((a, b) => a.firstSeq - b.firstSeq);
  const joined: BufferedPart[] = [];
  for (const { parts } of sorted) {
    for (const part of parts) {
      const wanted = fromSeq + joined.length;
      if (part.seq < wanted) continue;
      if (part.seq > wanted) return joined;
      joined.push(part);
    }
  }
  return joined;
}
