/**
 * The parts of running attempts, for those who write them and for those who go on from them: shown to
 * viewers of this server from memory, and found by another server in what was kept.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { MessagePart, MessageRole } from "@atelier/contract/chat/message-part";
import type { EpisodeId, PartBuffer } from "./part-buffer.ts";
import type { PartJournal } from "./part-journal-actions.ts";

export type EpisodePart = { readonly role: MessageRole; readonly part: MessagePart };

export type EpisodeRemains = {
  /** In the order in which they were shown. Without what did not fit into the buffer. */
  readonly parts: readonly EpisodePart[];
  /** Null: the model was not asked, or that is not known any more. */
  readonly modelInvokedAt: Date | null;
};

/** A database that is slow or away holds no answer up. */
const BEGINNING_MS_MAX = 50;
/** Made once: with each comes a trace of the stack. */
const SHOWN = new Error("viewers have it");

export class EpisodeWriter {
  readonly #buffer: PartBuffer;
  readonly #clock: Clock;
  readonly #id: EpisodeId;

  constructor({ buffer, clock }: Pick<EpisodesDeps, "buffer" | "clock">, id: EpisodeId) {
    this.#buffer = buffer;
    this.#clock = clock;
    this.#id = id;
  }

  /** Never fails: what does not fit is not shown. */
  addPart(role: MessageRole, part: MessagePart): void {
    this.#buffer.addPart(this.#id, role, part);
  }

  /** Resolves when viewers may have something of it, or soon. */
  beginningShown(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const shown = new AbortController();
    const reader = this.#buffer.follow(this.#id, resolve);
    this.#clock.sleep(BEGINNING_MS_MAX, shown.signal).then(resolve, resolve);
    return promise.finally(() => {
      reader[Symbol.dispose]();
      shown.abort(SHOWN);
    });
  }

  modelInvoked(): void {
    this.#buffer.modelInvoked(this.#id);
  }

  toolStarted(toolCallId: string): void {
    this.#buffer.toolStarted(this.#id, toolCallId);
  }

  toolCompleted(toolCallId: string): void {
    this.#buffer.toolCompleted(this.#id, toolCallId);
  }

  close(): void {
    this.#buffer.closeEpisode(this.#id);
  }
}

type EpisodesDeps = {
  readonly buffer: PartBuffer;
  readonly journal: Pick<PartJournal, "read">;
  readonly clock: Clock;
  readonly log: Logger;
};

export class BufferedEpisodes {
  readonly #deps: EpisodesDeps;

  constructor(deps: EpisodesDeps) {
    this.#deps = deps;
  }

  /** Once for each id; of a second one nothing is shown. */
  createEpisode(id: EpisodeId): EpisodeWriter {
    const { buffer, log } = this.#deps;
    const created = buffer.createEpisode(id);
    if (!created.ok) log.warn({ ...id }, "an episode of a chat began twice");
    return new EpisodeWriter(this.#deps, id);
  }

  /** Closes the episode on this server; parts that another server showed are found as well. */
  async closeAndRead(id: EpisodeId): Promise<EpisodeRemains> {
    const { buffer, journal } = this.#deps;
    buffer.closeEpisode(id);
    const { parts, modelInvoked } = buffer.read(id);
    const found = parts.length > 0 ? parts : await journal.read(id);
    return {
      parts: found.map(({ role, part }) => ({ role, part })),
      modelInvokedAt: modelInvoked?.at ?? null,
    };
  }
}
