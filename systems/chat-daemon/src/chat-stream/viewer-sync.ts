/**
 * What a viewer of a chat has to be told, from what it was told so far and what the database holds now:
 * the server's half of spec agents 4.4, as one pure function.
 *
 * A viewer that applies all events holds the visible history, the queue, the status and the parts of
 * the episode that is being written. Hints that come late, twice or never change nothing about that:
 * only what was read counts.
 */
import type { ChatError, ChatRetry, ChatStatus } from "@atelier/contract/chat/chat-words";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { ChatMessage, ChatQueuedMessage } from "@atelier/contract/http/chats";
import type { BufferedPart, EpisodeId } from "../live-parts/part-buffer.ts";
import { isVisible } from "../messages/history-message.ts";
import type { ChatUpdate } from "../state/chat-machine.ts";
import type { ChatRow, StoredMessage } from "../state/chat-row.ts";
import { toWireMessage } from "../state/wire-message.ts";

/** What a viewer holds. */
export type ViewerState = {
  readonly snapshotVersion: number;
  readonly historyVersion: number;
  readonly queueVersion: number;
  readonly retryStateVersion: number;
  readonly generationAttempt: number;
  readonly status: ChatStatus;
  /** History versions whose error, and whose wait for the client's tools, it was told of. */
  readonly errorToldAt: number;
  readonly actionToldAt: number;
  /** Of the last part of the episode. */
  readonly seq: number;
};

/** The chat at one moment, as far as the viewer does not hold it. */
export type ChatView = {
  readonly chatId: string;
  readonly snapshotVersion: number;
  readonly historyVersion: number;
  readonly queueVersion: number;
  readonly retryStateVersion: number;
  readonly generationAttempt: number;
  readonly status: ChatStatus;
  readonly workerId: string | null;
  readonly lastError: ChatError | null;
  readonly retryState: ChatRetry | null;
  /** Calls that wait for the client; empty unless the status says so. */
  readonly awaitedCalls: readonly {
    readonly tool_call_id: string;
    readonly tool_name: string;
    readonly args: unknown;
  }[];
  /** Something that the viewer may hold was deleted: `messages` are then all there are. */
  readonly isHistoryCut: boolean;
  /** Those that changed since the viewer's history version, oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Null: as the viewer has it. */
  readonly queue: readonly ChatQueuedMessage[] | null;
};

/** Parts that a viewer holds from before it came back. */
export type PartCursor = {
  readonly historyVersion: number;
  readonly generationAttempt: number;
  readonly seq: number;
};

/** Who writes parts at the moment, and which. Null: nobody. */
export type PartTarget = { readonly workerId: string; readonly episode: EpisodeId } | null;

export type Synced = {
  readonly state: ViewerState;
  readonly events: readonly ChatStreamEvent[];
  readonly target: PartTarget;
};

/** The first time. `cursor`: parts that the viewer kept; they count if their episode is still the one. */
export function firstSync(view: ChatView, cursor: PartCursor | null): Synced {
  const isSameEpisode =
    cursor !== null &&
    cursor.historyVersion === view.historyVersion &&
    cursor.generationAttempt === view.generationAttempt;
  return syncFrom(null, view, isSameEpisode ? cursor.seq : null);
}

/** Null: the viewer holds this already, or something newer. */
export function sync(state: ViewerState, view: ChatView): Synced | null {
  if (view.snapshotVersion <= state.snapshotVersion) return null;
  return syncFrom(state, view, null);
}

/**
 * The chat as a notification says it is, where that is all: another attempt, or another worker. Null: the
 * database has to be read, because something changed that the notification only names.
 */
export function viewOfUpdate(state: ViewerState, update: ChatUpdate): ChatView | null {
  const isNamedOnly =
    update.history_version !== state.historyVersion ||
    update.queue_version !== state.queueVersion ||
    update.retry_state_version !== state.retryStateVersion ||
    update.status !== state.status;
  if (isNamedOnly) return null;
  return {
    chatId: update.chat_id,
    snapshotVersion: update.snapshot_version,
    historyVersion: update.history_version,
    queueVersion: update.queue_version,
    retryStateVersion: update.retry_state_version,
    generationAttempt: update.generation_attempt,
    status: update.status,
    workerId: update.worker_id,
    ...{ lastError: null, retryState: null, awaitedCalls: [] },
    ...{ isHistoryCut: false, messages: [], queue: null },
  };
}

/**
 * The chat behind one change of this server, where its row and the messages that were added are all that a viewer
 * can lack. Null: the database has to be read.
 */
export function viewOfChange(
  state: ViewerState,
  chat: ChatRow,
  added: readonly StoredMessage[],
): ChatView | null {
  const isNext = chat.snapshotVersion === state.snapshotVersion + 1;
  // Neither says what waits in the queue, or for which calls the client is asked.
  const isTold = chat.queueVersion === state.queueVersion && chat.status !== "requires_action";
  if (!isNext || !isTold) return null;
  const { id: chatId, snapshotVersion, historyVersion, queueVersion, retryStateVersion } = chat;
  const { generationAttempt, status, workerId, lastError, retryState } = chat;
  return {
    ...{ chatId, snapshotVersion, historyVersion, queueVersion, retryStateVersion },
    ...{ generationAttempt, status, workerId, lastError, retryState },
    ...{ awaitedCalls: [], isHistoryCut: false, queue: null },
    messages: added.filter(isVisible).map(toWireMessage),
  };
}

function syncFrom(state: ViewerState | null, view: ChatView, keptSeq: number | null): Synced {
  const about = { chat_id: view.chatId };
  const events: ChatStreamEvent[] = [];
  const { historyVersion, status } = view;

  if (state === null || historyVersion > state.historyVersion) {
    if (view.isHistoryCut) events.push({ type: "history_reset", ...about });
    for (const message of view.messages) events.push({ type: "message", ...about, message });
  }
  if (view.queue !== null && (state === null || view.queueVersion > state.queueVersion)) {
    events.push({ type: "queue_update", ...about, queued_messages: [...view.queue] });
  }
  if (state?.status !== status) events.push({ type: "status", ...about, status: { status } });

  let errorToldAt = state?.errorToldAt ?? -1;
  if (status === "error" && view.lastError !== null && historyVersion > errorToldAt) {
    errorToldAt = historyVersion;
    events.push({ type: "error", ...about, error: view.lastError });
  }
  let actionToldAt = state?.actionToldAt ?? -1;
  if (status === "requires_action" && historyVersion > actionToldAt) {
    actionToldAt = historyVersion;
    const tool_calls = [...view.awaitedCalls];
    events.push({ type: "action_required", ...about, action_required: { tool_calls } });
  }
  const isRetryNews = state === null || view.retryStateVersion > state.retryStateVersion;
  if (isRetryNews && view.retryState !== null) {
    events.push({ type: "retry", ...about, retry: view.retryState });
  }
  const isOtherEpisode =
    historyVersion !== state?.historyVersion ||
    (view.generationAttempt !== state.generationAttempt && view.generationAttempt !== 0);
  if (isOtherEpisode && keptSeq === null) events.push({ type: "preview_reset", ...about });

  return {
    events,
    target: targetOf(view),
    state: {
      snapshotVersion: view.snapshotVersion,
      historyVersion,
      queueVersion: view.queueVersion,
      retryStateVersion: view.retryStateVersion,
      generationAttempt: view.generationAttempt,
      status,
      errorToldAt,
      actionToldAt,
      seq: isOtherEpisode ? (keptSeq ?? 0) : (state?.seq ?? 0),
    },
  };
}

function targetOf({ chatId, workerId, historyVersion, generationAttempt }: ChatView): PartTarget {
  if (workerId === null || generationAttempt === 0) return null;
  return { workerId, episode: { chatId, historyVersion, generationAttempt } };
}

/** Once it was told all these parts. Null: it holds some of them, or they are none that it is to be told. */
export function stateAfterAll(
  state: ViewerState,
  { historyVersion, generationAttempt }: EpisodeId,
  parts: readonly BufferedPart[],
): ViewerState | null {
  const follow =
    historyVersion === state.historyVersion &&
    generationAttempt === state.generationAttempt &&
    parts[0]?.seq === state.seq + 1;
  return follow ? { ...state, seq: state.seq + parts.length } : null;
}

/** Parts that follow what the viewer holds. Those that it holds already are left out. */
export function partEvents(
  state: ViewerState,
  episode: EpisodeId,
  parts: readonly BufferedPart[],
): { readonly state: ViewerState; readonly events: readonly ChatStreamEvent[] } {
  const { historyVersion, generationAttempt } = state;
  const isCurrent =
    episode.historyVersion === historyVersion && episode.generationAttempt === generationAttempt;
  if (!isCurrent) return { state, events: [] };
  let { seq } = state;
  const events: ChatStreamEvent[] = [];
  for (const part of parts) {
    const next = part.seq;
    if (next <= seq) continue;
    if (next !== seq + 1) throw new PartGap(seq, next);
    seq = next;
    events.push(toPartEvent(episode, part));
  }
  return { state: { ...state, seq }, events };
}

export function toPartEvent(
  { chatId, historyVersion, generationAttempt }: EpisodeId,
  { seq, role, part }: BufferedPart,
): ChatStreamEvent {
  return {
    type: "message_part",
    chat_id: chatId,
    message_part: {
      role,
      part,
      history_version: historyVersion,
      generation_attempt: generationAttempt,
      seq,
    },
  };
}

/** A part is missing: the viewer must begin anew. */
export class PartGap extends Error {
  override readonly name = "PartGap";

  constructor(held: number, next: number) {
    super(`part ${next} follows ${held}`);
  }
}
