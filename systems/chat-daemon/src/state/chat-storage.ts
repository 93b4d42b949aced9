/**
 * Where one locked chat is kept, as its transitions need it: read what they decide on, carry out what
 * they plan. Postgres in servers; memory where a million transitions are walked.
 */
import type { Result } from "@atelier/base/result";
import type { HistoryMessage } from "../messages/history-message.ts";
import type { TransitionFailure } from "./chat-machine.ts";
import type { ChatRow, QueuedMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import type { Plan } from "./transition-plan.ts";

export type CarriedOut = {
  readonly row: ChatRow;
  readonly messages: readonly StoredMessage[];
  readonly queued: QueuedMessage | null;
  readonly deletedMessageIds: readonly number[];
};

export interface ChatStorage {
  readonly now: Date;
  /** As the lock found it. */
  readonly row: ChatRow;
  carryOut(row: ChatRow, plan: Plan): Promise<CarriedOut>;
  /** What can hold open tool calls, with the parts of these alone. */
  callsAndResults(): Promise<readonly HistoryMessage[]>;
  /** The id of what a person wrote last: the message that is answered. 0: there is none. */
  newestOfPerson(): Promise<number>;
  /** Undefined: unknown, of another chat, or deleted. */
  findMessage(messageId: number): Promise<StoredMessage | undefined>;
  findQueued(queuedId: number): Promise<QueuedMessage | undefined>;
  firstQueued(): Promise<QueuedMessage | undefined>;
  updateQueued(
    queuedId: number,
    change: { readonly content?: UserMessage["content"]; readonly index?: number },
  ): Promise<QueuedMessage>;
  /** The wanted one if it can still be used, else the organization's default, else the wanted one. */
  usableModel(wanted: string): Promise<string>;
  /** Behind the newest boundary. */
  hasSinceBoundary(what: "assistant" | "anything"): Promise<boolean>;
  /** Makes them files of this chat; older ones make room. */
  linkFiles(fileIds: readonly string[]): Promise<Result<undefined, TransitionFailure>>;
  isParentArchived(): Promise<boolean>;
}
