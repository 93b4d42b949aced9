/**
 * Where the parts of a running attempt go so that viewers see them at once, and from where a successor
 * or an interruption reads what had been shown (spec agents 2.12).
 */
import type { MessagePart, MessageRole } from "@atelier/contract/chat/message-part";
import type { EpisodeId } from "../live-parts/part-buffer.ts";

export type EpisodePart = { readonly role: MessageRole; readonly part: MessagePart };

export type EpisodeSoFar = {
  /** In the order in which they were shown. Without what did not fit into the buffer. */
  readonly parts: readonly EpisodePart[];
  /** Null: the model was not asked, or that is not known any more. */
  readonly modelInvokedAt: Date | null;
};

export interface LiveEpisode {
  /** Never fails: what does not fit is not shown. */
  addPart(role: MessageRole, part: MessagePart): void;
  /** Resolves when viewers may have something of it, or soon. */
  beginningShown(): Promise<void>;
  /** The provider's stream is asked for. */
  modelInvoked(): void;
  toolStarted(toolCallId: string): void;
  toolCompleted(toolCallId: string): void;
  /** However often. */
  close(): void;
}

export interface LiveEpisodes {
  /** Once for each id. */
  createEpisode(id: EpisodeId): LiveEpisode;
  /** Closes the episode on this server; parts that another server showed are found as well. */
  closeAndRead(id: EpisodeId): Promise<EpisodeSoFar>;
}
