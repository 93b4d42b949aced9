/**
 * The machine of a chat's execution state, as everything else sees it: what can be asked of it, and
 * what it answers. Nothing else writes execution state.
 *
 * Every change is one transaction under the lock of the chat's row, raises the snapshot version once,
 * and is announced when it has committed. A transition that the chat's state does not allow is refused
 * and changes nothing. Source: spec agents 2.
 */
import type { Result } from "@atelier/base/result";
import type { ChatError, ChatRetry, ChatStatus } from "@atelier/contract/chat/chat-words";
import type { ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import type { TextValue } from "@atelier/database/text-statement";
import type { ChatRow, NewMessage, QueuedMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import type { ExecutionState, TransitionName } from "./execution-state.ts";

export type BusyBehavior = "queue" | "interrupt";

/** The transition is not in the table for this state. */
export type Refused = {
  readonly kind: "refused";
  readonly from: ExecutionState;
  readonly transition: TransitionName;
};

export type TransitionFailure =
  | Refused
  | { readonly kind: "chat_not_found" }
  | { readonly kind: "message_not_found" }
  /** Only what a user wrote can be edited. */
  | { readonly kind: "message_not_editable" }
  | { readonly kind: "queue_full"; readonly max: number }
  /** A compaction or clearing that would change nothing. */
  | { readonly kind: "nothing_to_do" }
  /** Results that do not fit the calls that wait for one. */
  | { readonly kind: "results_mismatch"; readonly detail: string }
  /** The chat answers another message than the one whose turn was meant. */
  | { readonly kind: "other_turn" }
  | { readonly kind: "files_refused"; readonly detail: string }
  | { readonly kind: "parent_archived" }
  | { readonly kind: "family_busy" };

export type NewChat = Pick<
  ChatRow,
  | "id"
  | "organizationId"
  | "ownerId"
  | "workspaceId"
  | "agentId"
  | "parentChatId"
  | "rootChatId"
  | "title"
  | "titleSource"
  | "lastModelConfigId"
  | "lastReasoningEffort"
  | "mode"
  | "planMode"
  | "mcpServerIds"
  | "dynamicTools"
  | "labels"
  | "clientType"
> & {
  /** System rows, then at least one user message. */
  readonly messages: readonly NewMessage[];
};

export type Sent =
  | { readonly kind: "inserted"; readonly messages: readonly StoredMessage[] }
  | { readonly kind: "queued"; readonly queued: QueuedMessage };

export type ToolOutcome = {
  readonly toolCallId: string;
  readonly output: unknown;
  readonly isError: boolean;
};

/**
 * One chat inside a transaction that holds its lock. Several transitions may follow each other; each
 * starts from where the last one led.
 */
export interface LockedChat {
  /** As it is after the transitions so far. */
  readonly row: ChatRow;
  readonly state: ExecutionState;

  // Of people.
  sendMessage(message: UserMessage, busy: BusyBehavior): Promise<Result<Sent, TransitionFailure>>;
  editMessage(
    messageId: number,
    /** Null model and effort: as the original had. */
    replacement: UserMessage,
  ): Promise<
    Result<
      { readonly message: StoredMessage; readonly deletedMessageIds: readonly number[] },
      TransitionFailure
    >
  >;
  deleteQueuedMessage(queuedId: number): Promise<Result<undefined, TransitionFailure>>;
  /** Metadata of the queue: no transition, yet announced. */
  updateQueuedMessage(
    queuedId: number,
    change: { readonly content?: UserMessage["content"]; readonly index?: number },
  ): Promise<Result<QueuedMessage, TransitionFailure>>;
  /** Null: it is first in the queue, and enters the history when the work has stopped. */
  promoteQueuedMessage(queuedId: number): Promise<Result<StoredMessage | null, TransitionFailure>>;
  /** `turn`: the id of the message whose turn is meant; without it, whichever is under way. */
  interrupt(reason: string, turn?: number): Promise<Result<undefined, TransitionFailure>>;
  completeRequiresAction(
    results: readonly ToolOutcome[],
  ): Promise<Result<undefined, TransitionFailure>>;
  setArchived(archived: boolean): Promise<Result<undefined, TransitionFailure>>;
  requestCompaction(): Promise<Result<undefined, TransitionFailure>>;
  clearContext(messages: readonly NewMessage[]): Promise<Result<undefined, TransitionFailure>>;
  reconcileInvalidState(): Promise<Result<undefined, TransitionFailure>>;

  // Of workers.
  commitStep(
    messages: readonly NewMessage[],
  ): Promise<Result<readonly StoredMessage[], TransitionFailure>>;
  enterRequiresAction(): Promise<Result<{ readonly deadlineAt: Date }, TransitionFailure>>;
  finishInterruption(
    partial: readonly NewMessage[] | null,
  ): Promise<Result<undefined, TransitionFailure>>;
  recordGenerationAttempt(): Promise<Result<{ readonly attempt: number }, TransitionFailure>>;
  recordRetryState(retry: ChatRetry): Promise<Result<undefined, TransitionFailure>>;
  finishTurn(): Promise<Result<undefined, TransitionFailure>>;
  finishError(error: ChatError): Promise<Result<undefined, TransitionFailure>>;
  cancelRequiresAction(reason: string): Promise<Result<undefined, TransitionFailure>>;
  abandon(): Promise<Result<undefined, TransitionFailure>>;
}

/** What a task of a runner believes. If it is not so any more, the task has nothing to do there. */
export type ChatFence = {
  readonly runnerId: string;
  readonly historyVersion: number;
  readonly status: ChatStatus;
};

/** Who drives a chat from now on. */
export type ChatOwner = { readonly workerId: string; readonly runnerId: string };

/** What whoever drives a chat has to know of its change. */
export type ChatMoved = Pick<
  ChatRow,
  | "workerId"
  | "runnerId"
  | "snapshotVersion"
  | "historyVersion"
  | "generationAttempt"
  | "archived"
  | "status"
>;

/**
 * The chat and all that its model may be sent, of one moment. `attempt`: begun with the reading, before which
 * the chat was so; null: none yet.
 */
export type ReadChat = {
  readonly chat: ChatRow;
  readonly messages: readonly StoredMessage[];
  readonly attempt: number | null;
  readonly beside: unknown;
};

/** What a chat will most likely be read as. `entered`: so many of its last messages are still to be written. */
export type ForeseenChat = ReadChat & { readonly entered: number };

/**
 * The next call of a model, made ready while the messages before it were on the way to the disk, from what the
 * chat would most likely be read as. Nothing of it leaves the server before it is confirmed.
 */
export interface HeadStart {
  /** The messages are on the disk, and the chat was read as foreseen. Resolves when what it held back has left, or soon. */
  confirm(): Promise<void>;
  /** Ends what nobody went on with. */
  drop(): void;
}

/** As it was when it was taken. */
export type TakenChat = ReadChat & { readonly headStart: HeadStart | null };

/** The worker of the same process: it need not wait for what all servers are told. */
export interface OwnWorker {
  /**
   * Runs `send` with the owner that the chat is to have, or null where this server takes none, and drives
   * the chat that it returns with it. `read`: as it was taken, for its first step. `foreseen`: what it will
   * most likely be; null: nobody knows.
   */
  taking<Sent extends { readonly chat: ChatRow; readonly read: ReadChat | null }>(
    chatId: string,
    send: (owner: ChatOwner | null) => Promise<Sent | null>,
    foreseen: ForeseenChat | null,
  ): Promise<Sent | null>;
  /** Of one that has moved: its runner, if it is here, hears of it now. */
  hear(chat: ChatMoved): void;
  /**
   * Runs `commit`, a step of this runner, which then goes on from what it read, and does not begin
   * behind it on its announcement alone, which may be quicker. `foreseen`: as for `taking`.
   */
  stepping<Stepped extends { readonly chat: ChatRow; readonly read: ReadChat }>(
    runnerId: string,
    commit: () => Promise<Stepped | null>,
    foreseen: ForeseenChat | null,
  ): Promise<Stepped | null>;
}

/** Those who watch chats on the same server: what it has just written they need not read. */
export interface OwnViewers {
  /**
   * Runs `write`, a change of this chat that says with `tell` what it made of it. What is announced meanwhile
   * can be just that, and quicker: it waits, though not for long.
   */
  during<Value>(chatId: string, write: () => Promise<Value>): Promise<Value>;
  /** The chat behind one change, which did nothing to its history but add these messages. */
  tell(chat: ChatRow, added: readonly StoredMessage[]): void;
}

/** Somebody else runs the chat, or it has moved on, or it is gone. */
export type Stale = { readonly kind: "stale" };

/**
 * One JSON value that is read in the same statement as a chat: an SQL expression that names the chat's row
 * `chats`. The same name always has the same text.
 */
export type ReadBeside = {
  readonly name: string;
  readonly text: string;
  /**
   * An SQL expression over no row. While it gives the same text, so does `text` for a chat, unless that has
   * another model.
   */
  readonly version: string;
};

/**
 * Rows of the request that asked for a change, written in the same statement: an SQL statement over the
 * message, with its own values from the number `first` on. The same name always has the same text.
 */
export type WriteBeside = {
  readonly name: string;
  readonly text: (first: number, entered: string) => string;
  readonly values: readonly TextValue[];
};

export type SendBeside = {
  /** Without all of which nothing is done. */
  readonly conditions: readonly ServiceCondition[];
  readonly writes: readonly WriteBeside[];
};

export interface ChatMachine {
  create(
    chat: NewChat,
    /** In the same transaction: rows of the request that brought it. */
    also?: (db: Sql) => Promise<void>,
  ): Promise<
    Result<
      { readonly chat: ChatRow; readonly messages: readonly StoredMessage[] },
      TransitionFailure
    >
  >;

  /**
   * A failure of `work` undoes everything, and it may be repeated: beside this chat it writes only rows
   * of the request that asked for it, with the transaction that it is given.
   */
  change<T, F>(
    chatId: string,
    work: (chat: LockedChat, db: Sql) => Promise<Result<T, F>>,
  ): Promise<Result<T, F | TransitionFailure>>;

  /** As `change`, if the fence holds. */
  changeFenced<T, F>(
    chatId: string,
    fence: ChatFence,
    work: (chat: LockedChat) => Promise<Result<T, F>>,
  ): Promise<Result<T, F | TransitionFailure | Stale>>;

  /**
   * The chat and all that its model may be sent, of one moment, if the fence holds. Changes nothing.
   * All messages since the newest boundary, or since the person's newest where that is older, and what
   * the system says; also those that only people see. One round trip.
   */
  readFenced(
    chatId: string,
    fence: ChatFence,
  ): Promise<
    Result<{ readonly chat: ChatRow; readonly messages: readonly StoredMessage[] }, Stale>
  >;

  /**
   * As `readFenced`, and where nobody has begun an attempt yet `recordGenerationAttempt` with it, in one
   * round trip. The chat is as it was before. Null: `recordAttemptFenced` has to begin it.
   */
  beginFenced(
    chatId: string,
    fence: ChatFence,
    beside: ReadBeside | null,
  ): Promise<Result<ReadChat, Stale>>;

  /**
   * `sendMessage` to a chat that rests, and Acquire by this server where it takes chats and nobody else
   * drives this one, with `recordGenerationAttempt`; in one round trip. Null: nothing was done, and `change` has to say why or do it.
   */
  sendAtRest(
    chatId: string,
    message: UserMessage,
    beside: SendBeside,
  ): Promise<StoredMessage | null>;

  /** `recordGenerationAttempt` alone, in one round trip. Stale: also where the chat does not run. */
  recordAttemptFenced(
    chatId: string,
    fence: ChatFence,
  ): Promise<Result<{ readonly attempt: number }, Stale>>;

  /** `abandon`, in one round trip. */
  abandonFenced(chatId: string, fence: ChatFence): Promise<Result<undefined, Stale>>;

  /**
   * `commitStep` alone, in one round trip. Stale: also where the chat does not run. `next`: what its runner
   * does behind it is read and begun with it, as by `beginFenced`, and the worker of this process is given it.
   */
  commitStepFenced(
    chatId: string,
    fence: ChatFence,
    messages: readonly NewMessage[],
    next?: { readonly beside: ReadBeside | null },
  ): Promise<Result<undefined, TransitionFailure | Stale>>;

  /**
   * The root and all its descendants, or none of them. With `idleSince` only where nothing was done with
   * any of them since, and none is at work: else there is nothing to do. `record` is called last, in the
   * same transaction.
   */
  setFamilyArchived(
    rootChatId: string,
    archived: boolean,
    only?: { readonly idleSince: Date; record(db: Sql, root: ChatRow): Promise<void> },
  ): Promise<Result<undefined, TransitionFailure>>;

  /**
   * Takes a chat that wants a worker and has none that lives. Null: another was quicker, or it wants
   * none any more.
   */
  acquire(
    chatId: string,
    owner: { readonly workerId: string; readonly runnerId: string },
  ): Promise<ChatRow | null>;
}

/** Sent when a change has committed; may be lost, doubled or late: hints, never the truth. */
export type ChatUpdate = {
  readonly chat_id: string;
  readonly snapshot_version: number;
  readonly worker_id: string | null;
  readonly runner_id: string | null;
  readonly history_version: number;
  readonly queue_version: number;
  readonly retry_state_version: number;
  readonly generation_attempt: number;
  readonly status: ChatStatus;
  readonly archived: boolean;
};

/** To all servers: a chat wants a worker and has none that lives. */
export const CHAT_OWNERSHIP_CHANNEL = "chat_ownership";

/** To whoever watches one chat, or drives it: `ChatUpdate` as JSON. */
export function chatUpdateChannel(chatId: string): string {
  return `chat_update_${chatId.replaceAll("-", "")}`;
}

/** To whoever watches the chats of one person: JSON `{kind: ChatNewsKind, chat_id}`. */
export function chatWatchChannel(ownerId: string): string {
  return `chat_watch_${ownerId.replaceAll("-", "")}`;
}
