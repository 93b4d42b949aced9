/**
 * The parts that are being written on this server, for those who watch them here (spec agents 2.12).
 *
 * An episode is one attempt at one step: its parts are numbered from 1 without gaps, and kept until it
 * has been closed for a while and nobody reads it any more. Readers share the episode's own list, so a
 * slow one costs no memory; one that leaves parts lying for too long is dropped all the same, because
 * it would keep the episode alive. Where parts are kept for successors, readers get what was kept.
 *
 * Readers that are at the same place are given the same group of parts, so what one of them makes of it,
 * as its text, can serve all.
 */
import type { Clock } from "@atelier/base/clock";
import { assert } from "@atelier/base/assert";
import { madeOnce } from "@atelier/base/made-once";
import { fail, ok, type Result } from "@atelier/base/result";
import type { MessagePart, MessageRole } from "@atelier/contract/chat/message-part";

export type EpisodeId = {
  readonly chatId: string;
  readonly historyVersion: number;
  readonly generationAttempt: number;
};

export type BufferedPart = {
  /** From 1. */
  readonly seq: number;
  readonly role: MessageRole;
  readonly part: MessagePart;
};

/** Monotonic milliseconds of this process. */
export type ToolSpan = {
  readonly toolCallId: string;
  readonly startedMs: number;
  readonly completedMs: number | null;
};

export type EpisodeSoFar = {
  readonly parts: readonly BufferedPart[];
  /** Null: the model was not asked. Wall time, and monotonic milliseconds. */
  readonly modelInvoked: { readonly at: Date; readonly ms: number } | null;
  readonly tools: readonly ToolSpan[];
};

export const EPISODE_BYTES_MAX = 1024 * 1024;
export const COLLECTED_AFTER_MS = 15_000;
export const READER_STALLS_MS_MAX = 10_000;

/** Parts that follow each other, at least one. */
export type PartGroup = {
  readonly parts: readonly BufferedPart[];
  /** What its first reader made of it, for those who come after. */
  shared: unknown;
};

/** Follows one episode. Disposed, it hears nothing more. */
export interface PartReader extends Disposable {
  /** All parts so far the first time, then those since. Null: there are none. */
  take(): PartGroup | null;
  /** It left parts lying for READER_STALLS_MS_MAX, and gets no more. */
  readonly isDropped: boolean;
}

type Episode = {
  readonly id: EpisodeId;
  readonly parts: BufferedPart[];
  /** How many of them readers may have. */
  shown: number;
  readonly readers: Set<Reader>;
  /** What was taken last. */
  group: PartGroup | null;
  /** False: so far somebody only waits for it. */
  isBegun: boolean;
  bytes: number;
  closedMs: number | null;
  modelInvoked: { readonly at: Date; readonly ms: number } | null;
  readonly tools: Map<string, { readonly startedMs: number; completedMs: number | null }>;
};

/** Told of each new part: who keeps parts for successors, and says `kept()` when it has. */
export type PartListener = (id: EpisodeId, part: BufferedPart) => void;

export class PartBuffer {
  readonly #clock: Clock;
  readonly #onPart: PartListener | null;
  readonly #episodes = new Map<string, Episode>();
  /** Those that were closed, in that order. */
  readonly #closed = new Map<string, Episode>();

  /** With `onPart`, readers get what was kept: else a crash would take back what somebody has read. */
  constructor(clock: Clock, onPart: PartListener | null = null) {
    this.#clock = clock;
    this.#onPart = onPart;
  }

  /** Once for each id. */
  createEpisode(id: EpisodeId): Result<undefined, "exists"> {
    this.#collect();
    const known = this.#episodes.get(episodeKey(id));
    // Somebody waits for it already: then it is there, and not begun.
    if (known?.isBegun === true) return fail("exists");
    (known ?? this.#insert(id)).isBegun = true;
    return ok(undefined);
  }

  /** However often; one that was never begun is closed from the start. */
  closeEpisode(id: EpisodeId): void {
    const key = episodeKey(id);
    const episode = this.#episodes.get(key) ?? this.#insert(id);
    if (episode.closedMs !== null) return;
    episode.isBegun = true;
    episode.closedMs = this.#clock.monotonicMs();
    this.#closed.set(key, episode);
  }

  /** The part's number. */
  addPart(
    id: EpisodeId,
    role: MessageRole,
    part: MessagePart,
  ): Result<number, "unknown" | "closed" | "full"> {
    return this.addParts(id, [{ role, part }]);
  }

  /** Readers get them together. The number of the last part that there is. */
  addParts(
    id: EpisodeId,
    parts: readonly Pick<BufferedPart, "role" | "part">[],
  ): Result<number, "unknown" | "closed" | "full"> {
    const episode = this.#begun(id);
    if (episode === null) return fail("unknown");
    if (episode.closedMs !== null) return fail("closed");
    let isFull = false;
    for (const { role, part } of parts) {
      const bytes = Buffer.byteLength(JSON.stringify(part));
      isFull = episode.bytes + bytes > EPISODE_BYTES_MAX;
      if (isFull) break;
      episode.bytes += bytes;
      const added = { seq: episode.parts.length + 1, role, part };
      episode.parts.push(added);
      this.#onPart?.(id, added);
    }
    if (this.#onPart === null) this.#show(episode, episode.parts.length);
    return isFull ? fail("full") : ok(episode.parts.length);
  }

  /** A successor would find these parts: readers may have them. Behind a gap it would not. */
  kept(
    id: EpisodeId,
    { firstSeq, lastSeq }: { readonly firstSeq: number; readonly lastSeq: number },
  ): void {
    const episode = this.#begun(id);
    if (episode === null || firstSeq > episode.shown + 1) return;
    this.#show(episode, lastSeq);
  }

  #show(episode: Episode, lastSeq: number): void {
    if (lastSeq <= episode.shown) return;
    episode.shown = lastSeq;
    const nowMs = this.#clock.monotonicMs();
    for (const reader of episode.readers) reader.shown(nowMs);
  }

  /** Nothing where it is unknown. */
  read(id: EpisodeId): EpisodeSoFar {
    const episode = this.#episodes.get(episodeKey(id));
    return {
      parts: [...(episode?.parts ?? [])],
      modelInvoked: episode?.modelInvoked ?? null,
      tools: [...(episode?.tools ?? [])].map(([toolCallId, span]) => ({ toolCallId, ...span })),
    };
  }

  modelInvoked(id: EpisodeId): void {
    const episode = this.#begun(id);
    if (episode === null) return;
    episode.modelInvoked ??= { at: this.#clock.now(), ms: this.#clock.monotonicMs() };
  }

  toolStarted(id: EpisodeId, toolCallId: string): void {
    const startedMs = this.#clock.monotonicMs();
    this.#begun(id)?.tools.set(toolCallId, { startedMs, completedMs: null });
  }

  toolCompleted(id: EpisodeId, toolCallId: string): void {
    const span = this.#begun(id)?.tools.get(toolCallId);
    if (span !== undefined) span.completedMs ??= this.#clock.monotonicMs();
  }

  /**
   * `news` is called when there is something to take, and not again until it was taken. Of an unknown
   * episode nothing comes until it begins.
   */
  follow(id: EpisodeId, news: () => void): PartReader {
    const key = episodeKey(id);
    const episode = this.#episodes.get(key) ?? this.#insert(id);
    const reader = new Reader(episode, {
      news,
      left: () => {
        if (!episode.isBegun && episode.readers.size === 0) this.#episodes.delete(key);
      },
    });
    episode.readers.add(reader);
    if (episode.shown > 0) reader.shown(this.#clock.monotonicMs());
    return reader;
  }

  /** Episodes held, and their bytes. */
  get size(): { readonly episodes: number; readonly bytes: number } {
    let bytes = 0;
    for (const episode of this.#episodes.values()) bytes += episode.bytes;
    return { episodes: this.#episodes.size, bytes };
  }

  #begun(id: EpisodeId): Episode | null {
    const episode = this.#episodes.get(episodeKey(id));
    return episode?.isBegun === true ? episode : null;
  }

  #insert(id: EpisodeId): Episode {
    const key = episodeKey(id);
    assert(!this.#episodes.has(key), "an episode is inserted once");
    const episode: Episode = {
      id,
      parts: [],
      shown: 0,
      readers: new Set(),
      group: null,
      isBegun: false,
      bytes: 0,
      closedMs: null,
      modelInvoked: null,
      tools: new Map(),
    };
    this.#episodes.set(key, episode);
    return episode;
  }

  /** Looks at few, however many episodes there are: at those whose time is over. */
  #collect(): void {
    const before = this.#clock.monotonicMs() - COLLECTED_AFTER_MS;
    for (const [key, { closedMs, readers }] of this.#closed) {
      if (closedMs === null || closedMs > before) break;
      if (readers.size > 0) continue;
      this.#closed.delete(key);
      this.#episodes.delete(key);
    }
  }
}

class Reader implements PartReader {
  readonly #episode: Episode;
  readonly #on: { readonly news: () => void; readonly left: () => void };
  #taken = 0;
  /** Since when something lies there for it. Null: nothing does. */
  #behindSinceMs: number | null = null;
  #isDropped = false;

  constructor(episode: Episode, on: { readonly news: () => void; readonly left: () => void }) {
    this.#episode = episode;
    this.#on = on;
  }

  get isDropped(): boolean {
    return this.#isDropped;
  }

  shown(nowMs: number): void {
    if (this.#behindSinceMs === null) {
      this.#behindSinceMs = nowMs;
      this.#on.news();
    } else if (nowMs - this.#behindSinceMs > READER_STALLS_MS_MAX) {
      this.#isDropped = true;
      this.#episode.readers.delete(this);
    }
  }

  take(): PartGroup | null {
    const { shown, parts, group: last } = this.#episode;
    if (this.#isDropped || this.#taken >= shown) return null;
    const firstSeq = this.#taken + 1;
    this.#taken = shown;
    this.#behindSinceMs = null;
    if (last?.parts[0]?.seq === firstSeq && last.parts.at(-1)?.seq === shown) return last;
    const group = { parts: parts.slice(firstSeq - 1, shown), shared: null };
    this.#episode.group = group;
    return group;
  }

  [Symbol.dispose](): void {
    if (this.#episode.readers.delete(this)) this.#on.left();
  }
}

/**
 * Names the episode among all of a process. Asked for several times for each part, of the same few objects: a new
 * text would be hashed each time.
 */
export const episodeKey = madeOnce(
  (id: EpisodeId) => `${id.chatId}/${id.historyVersion}/${id.generationAttempt}`,
);
