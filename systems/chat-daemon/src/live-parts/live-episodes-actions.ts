/**
 * The parts of running attempts, for those who write them and for those who go on from them: shown to
 * viewers of this server from memory, and found by another server in what was kept.
 */
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

export class EpisodeWriter {
  readonly #buffer: PartBuffer;
  readonly #id: EpisodeId;

  constructor(buffer: PartBuffer, id: EpisodeId) {
    this.#buffer = buffer;
    this.#id = id;
  }

  /** Never fails: what does not fit is not shown. */
  addPart(role: MessageRole, part: MessagePart): void {
    this.#buffer.addPart(this.#id, role, part);
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

export class BufferedEpisodes {
  readonly #buffer: PartBuffer;
  readonly #journal: PartJournal;
  readonly #log: Logger;

  constructor(deps: {
    readonly buffer: PartBuffer;
    readonly journal: PartJournal;
    readonly log: Logger;
  }) {
    this.#buffer = deps.buffer;
    this.#journal = deps.journal;
    this.#log = deps.log;
  }

  /** Once for each id; of a second one nothing is shown. */
  createEpisode(id: EpisodeId): EpisodeWriter {
    const created = this.#buffer.createEpisode(id);
    if (!created.ok) this.#log.warn({ ...id }, "an episode of a chat began twice");
    return new EpisodeWriter(this.#buffer, id);
  }

  /** Closes the episode on this server; parts that another server showed are found as well. */
  async closeAndRead(id: EpisodeId): Promise<EpisodeRemains> {
    this.#buffer.closeEpisode(id);
    const { parts, modelInvoked } = this.#buffer.read(id);
    const found = parts.length > 0 ? parts : await this.#journal.read(id);
    return {
      parts: found.map(({ role, part }) => ({ role, part })),
      modelInvokedAt: modelInvoked?.at ?? null,
    };
  }
}
