/**
 * What one answer of a model provider shows of itself, in the words that all formats share.
 *
 * Everything taken from an answer is limited, because an answer is as long as its provider likes.
 */
import { type LooseObject, objectIn, textIn } from "./loose-json.ts";

export type ObservedTokens = {
  /** Without what was read from or written to a cache. */
  readonly input: number;
  readonly output: number;
  readonly cacheReadInput: number;
  readonly cacheWriteInput: number;
  /** Parts of the counts above by name, and other counts. Zeros are left out. */
  readonly extra: Readonly<Record<string, number>>;
};

export type ObservedToolCall = {
  /** Empty when the provider gave none. */
  readonly toolCallId: string;
  readonly tool: string;
  /** JSON text, or the raw text of a free-form tool. */
  readonly input: string;
};

export type ObservedThought = {
  readonly source: "thinking" | "reasoning_summary" | "reasoning" | "commentary";
  readonly content: string;
};

/** The provider's error inside an answer. `type` is the provider's own word. */
export type ObservedError = { readonly type: string; readonly message: string };

export type Observation = {
  /** Empty when the answer names none. */
  readonly responseId: string;
  /** The model that answered, which can differ from the one that was asked for. */
  readonly model: string | null;
  /** Null when the answer counts none. */
  readonly tokens: ObservedTokens | null;
  readonly toolCalls: readonly ObservedToolCall[];
  readonly thoughts: readonly ObservedThought[];
  readonly error: ObservedError | null;
};

/** Reads the events of one stream in one format. Never throws, whatever the events are. */
export interface EventReader {
  /** `data` is valid during the call only. */
  readEvent(name: string, data: Uint8Array, isOversized: boolean): void;
  /**
   * Finds, in the text of whole events, where the first one may be that says something as things stand; between
   * it and the first, readEvent would do nothing. Null: each event may. With the flag `g`.
   */
  interesting(): RegExp | null;
  /**
   * Matches the events from where it is told to look, as many as there are in a row, that say nothing as things stand;
   * also none of them. Null: `interesting` tells. With the flag `y`.
   */
  negligible(): RegExp | null;
  /** They were passed over: `text` from `from` to `to` holds nothing but whole events that are negligible. */
  passedOver(text: string, from: number, to: number): void;
  /** The format's terminal event, or its error event, was read. */
  isTerminated(): boolean;
  /** What was seen so far. */
  observation(): Observation;
  /** Responses only: what the next event's sequence_number would be. */
  nextSequenceNumber(): number;
}

/** Characters of one tool input, thought or error message; the rest is cut. A guess. */
export const OBSERVED_TEXT_CHARS_MAX = 1_048_576;
/** Tool calls, thoughts or choices of one answer; further ones are not kept. A guess. */
export const OBSERVED_ITEMS_MAX = 1_000;

export function cutText(text: string): string {
  return text.slice(0, OBSERVED_TEXT_CHARS_MAX);
}

export function appendText(text: string, more: string): string {
  return text.length < OBSERVED_TEXT_CHARS_MAX ? cutText(text + more) : text;
}

export function withoutZeros(counts: Readonly<Record<string, number>>): Record<string, number> {
  const kept: Record<string, number> = {};
  for (const name in counts) {
    const count = counts[name] ?? 0;
    if (count !== 0) kept[name] = count;
  }
  return kept;
}

/**
 * The error in an `error` member: an object with `type`, `code` and `message`, or only a text. Null
 * when there is none.
 */
export function errorIn(value: unknown): ObservedError | null {
  const text = textIn(value);
  if (text !== null) return { type: "error", message: cutText(text) };
  const error = objectIn(value);
  return error === null ? null : describeError(error);
}

export function describeError(error: LooseObject): ObservedError {
  const type = textIn(error["type"]);
  const code = textIn(error["code"]);
  // In an event of type `error` the type says nothing, and the code is what there is.
  const word = type === null || type === "" || type === "error" ? code : type;
  return { type: word ?? "error", message: cutText(textIn(error["message"]) ?? "") };
}
