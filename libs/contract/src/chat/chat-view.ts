/**
 * What a viewer of a chat holds, from the events that it was told: the client's half of the stream, as
 * one pure function, for the CLI, the dashboard and whoever else watches.
 *
 * A viewer that lost its connection asks again with `cursorOf` and applies what comes to what it holds:
 * no part counts twice, and none is missing.
 */
import type { ChatMessage, ChatQueuedMessage } from "../http/chats.ts";
import type { ChatError, ChatRetry, ChatStatus } from "./chat-words.ts";
import type { MessagePart } from "./message-part.ts";
import type { ChatStreamEvent, LivePart } from "./stream-event.ts";

type AwaitedCall = Extract<
  ChatStreamEvent,
  { type: "action_required" }
>["action_required"]["tool_calls"][number];

/** The answer that is being written. */
export type ChatPreview = {
  readonly historyVersion: number;
  readonly generationAttempt: number;
  /** Of the last part. */
  readonly seq: number;
  /**
   * Pieces put together: a text with all its pieces, a call with what there is of its arguments (in
   * `args_delta` until they are whole), a result with what there is of its output (in `result_delta`).
   */
  readonly parts: readonly MessagePart[];
};

export type ChatView = {
  /** By id. */
  readonly messages: readonly ChatMessage[];
  readonly preview: ChatPreview | null;
  /** Null: not told yet. */
  readonly status: ChatStatus | null;
  readonly queue: readonly ChatQueuedMessage[];
  /** Why the last turn ended; only with the status `error`. */
  readonly error: ChatError | null;
  /** The wait before the next attempt, until something happens. */
  readonly retry: ChatRetry | null;
  /** What the client is to run; null unless it is asked to. */
  readonly awaited: readonly AwaitedCall[] | null;
};

export const EMPTY_CHAT_VIEW: ChatView = {
  messages: [],
  preview: null,
  status: null,
  queue: [],
  error: null,
  retry: null,
  awaited: null,
};

/** The view after these events. The one given stays as it is. */
export function withEvents(view: ChatView, events: readonly ChatStreamEvent[]): ChatView {
  return events.reduce(withEvent, view);
}

export function withEvent(view: ChatView, event: ChatStreamEvent): ChatView {
  switch (event.type) {
    case "message":
      return { ...view, messages: withMessage(view.messages, event.message), retry: null };
    case "message_part": {
      const preview = withPart(view.preview, event.message_part);
      return preview === view.preview ? view : { ...view, preview, retry: null };
    }
    case "status": {
      const { status } = event.status;
      return { ...view, status, error: null, awaited: null, retry: null };
    }
    case "error":
      return { ...view, error: event.error, retry: null };
    case "queue_update":
      return { ...view, queue: event.queued_messages };
    case "retry":
      return { ...view, retry: event.retry };
    case "action_required":
      return { ...view, awaited: event.action_required.tool_calls };
    case "preview_reset":
      return { ...view, preview: null };
    case "history_reset":
      return { ...view, messages: [] };
  }
}

/** What to ask the stream for, so that it goes on behind what the view holds. */
export function cursorOf(view: ChatView): {
  readonly after_id: number;
  readonly after_part: string | undefined;
} {
  const { messages, preview } = view;
  return {
    after_id: messages.at(-1)?.id ?? 0,
    after_part:
      preview === null
        ? undefined
        : `${preview.historyVersion}.${preview.generationAttempt}.${preview.seq}`,
  };
}

/** What the turn is known by: the message that it answers. Undefined: none of a person's was told yet. */
export function turnMessageId({ messages }: ChatView): number | undefined {
  return messages.findLast(({ role }) => role === "user")?.id;
}

/** The chat works, or is about to. */
export function isBusy(status: ChatStatus): boolean {
  return status === "running" || status === "interrupting";
}

/** How the turn ended, once all about its end is told. Null: it goes on, or nothing is known yet. */
export function turnEnd(view: ChatView): "done" | "error" | "requires_action" | null {
  switch (view.status) {
    case "waiting":
      return "done";
    case "error":
      return view.error === null ? null : "error";
    case "requires_action":
      return view.awaited === null ? null : "requires_action";
    case "running":
    case "interrupting":
    case null:
      return null;
  }
}

function withMessage(messages: readonly ChatMessage[], message: ChatMessage): ChatMessage[] {
  const place = messages.findLastIndex(({ id }) => id <= message.id);
  const isKnown = messages[place]?.id === message.id;
  return messages.toSpliced(isKnown ? place : place + 1, isKnown ? 1 : 0, message);
}

function withPart(preview: ChatPreview | null, live: LivePart): ChatPreview {
  const { history_version: historyVersion, generation_attempt: generationAttempt, seq } = live;
  const isSame =
    preview?.historyVersion === historyVersion && preview.generationAttempt === generationAttempt;
  if (isSame && seq <= preview.seq) return preview;
  const parts = isSame ? preview.parts : [];
  return { historyVersion, generationAttempt, seq, parts: withPiece(parts, live.part) };
}

/** A piece joins what it belongs to, or stands behind the others. */
function withPiece(parts: readonly MessagePart[], piece: MessagePart): readonly MessagePart[] {
  const last = parts.at(-1);
  if (piece.type === "text" || piece.type === "reasoning") {
    if (last?.type === piece.type && !isFinished(last)) {
      return parts.with(-1, { ...last, ...piece, text: last.text + piece.text });
    }
    // The end of a block, shown for what the provider attached to it.
    return piece.text === "" ? finishReasoning(parts, piece) : [...parts, piece];
  }
  if (piece.type !== "tool-call" && piece.type !== "tool-result") return [...parts, piece];
  const place = parts.findLastIndex(
    (part) => part.type === piece.type && part.tool_call_id === piece.tool_call_id,
  );
  const known = parts[place];
  if (known?.type === "tool-call" && piece.type === "tool-call") {
    if (piece.args_delta === undefined) return parts.with(place, piece);
    const args_delta = (known.args_delta ?? "") + piece.args_delta;
    return parts.with(place, { ...known, args_delta });
  }
  if (known?.type === "tool-result" && piece.type === "tool-result") {
    if (piece.result_delta === undefined && piece.result_reset !== true) {
      return parts.with(place, piece);
    }
    const before = piece.result_reset === true ? "" : (known.result_delta ?? "");
    return parts.with(place, { ...known, result_delta: before + (piece.result_delta ?? "") });
  }
  return [...parts, piece];
}

function isFinished(part: MessagePart): boolean {
  return part.type === "reasoning" && part.completed_at !== undefined;
}

/** Something else may have begun before the block's end came. */
function finishReasoning(
  parts: readonly MessagePart[],
  piece: MessagePart,
): readonly MessagePart[] {
  if (piece.type !== "reasoning" || piece.completed_at === undefined) return parts;
  const place = parts.findLastIndex((part) => part.type === "reasoning" && !isFinished(part));
  const begun = parts[place];
  if (begun?.type !== "reasoning") return parts;
  return parts.with(place, { ...begun, completed_at: piece.completed_at });
}
