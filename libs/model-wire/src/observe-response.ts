/**
 * Watches what a model provider answers while its bytes are relayed, and says afterwards what there is
 * to record. An observer sees copies of views and changes nothing.
 */
import { ChatCompletionsReader, observeChatCompletion } from "./chat-completions-observer.ts";
import { type LooseObject, objectIn, parseLooseJson } from "./loose-json.ts";
import { MessagesReader, observeMessage } from "./messages-observer.ts";
import type { EventReader, Observation } from "./observation.ts";
import { observeResponse, ResponsesReader } from "./responses-observer.ts";
import { SseScanner, type UnfinishedEvent } from "./sse-scanner.ts";
import type { WireFormat } from "./wire-format.ts";

export type ObservedResponse = Observation & {
  /** `incomplete_stream`: the stream ended without its format's terminal event. */
  readonly outcome: "completed" | "failed" | "incomplete_stream";
};

/** Where a stream stands: what is needed to end it properly in upstream's place. */
export type StreamPosition = {
  readonly unfinished: UnfinishedEvent;
  /** Responses only. An event that was cut has not used its number. */
  readonly nextSequenceNumber: number;
  readonly responseId: string;
  readonly model: string | null;
};

export interface StreamObserver {
  /** Never throws, and keeps nothing of the chunk's memory. */
  push(chunk: Uint8Array): void;
  /** The format's terminal event, or its error event, was seen complete. */
  readonly terminated: boolean;
  /** Upstream's body ended, cleanly or not. Further calls answer the same. */
  end(): ObservedResponse;
  /** Where the stream stands, or stood when it ended. */
  position(): StreamPosition;
}

/** A text with one character for each byte: those of ASCII as themselves, the others as any other. */
type ToCharacters = (bytes: Uint8Array) => string;

/** `toCharacters` null: the host has no quick way to it. */
export function observeStream(
  format: WireFormat,
  toCharacters: ToCharacters | null = null,
): StreamObserver {
  return new ScannedStream(new READERS[format](), toCharacters);
}

/** A blocking answer: any JSON, or no JSON at all. Never throws. */
export function observeBody(format: WireFormat, body: Uint8Array): ObservedResponse {
  const answer = objectIn(parseLooseJson(body));
  if (answer === null) return NOT_AN_ANSWER;
  const observation = BODY_OBSERVERS[format](answer);
  return { ...observation, outcome: observation.error === null ? "completed" : "failed" };
}

const READERS: Record<WireFormat, new () => EventReader> = {
  chat_completions: ChatCompletionsReader,
  responses: ResponsesReader,
  messages: MessagesReader,
};

const BODY_OBSERVERS: Record<WireFormat, (body: LooseObject) => Observation> = {
  chat_completions: observeChatCompletion,
  responses: observeResponse,
  messages: observeMessage,
};

const NOT_AN_ANSWER: ObservedResponse = {
  responseId: "",
  model: null,
  tokens: null,
  toolCalls: [],
  thoughts: [],
  error: { type: "malformed_response", message: "The provider's answer is not a JSON object." },
  outcome: "failed",
};

const EVENT_END = "\n\n";

class ScannedStream implements StreamObserver {
  readonly #reader: EventReader;
  readonly #scanner: SseScanner;
  readonly #toCharacters: ToCharacters | null;
  #observed: ObservedResponse | null = null;
  #numberAtEnd: number | null = null;

  constructor(reader: EventReader, toCharacters: ToCharacters | null) {
    this.#reader = reader;
    this.#toCharacters = toCharacters;
    this.#scanner = new SseScanner((name, data, isOversized) => {
      reader.readEvent(name, data, isOversized);
    });
  }

  push(chunk: Uint8Array): void {
    const text = this.#toCharacters?.(chunk) ?? null;
    // Other line ends are rare, and the scanner knows them.
    if (text === null || text.includes("\r")) this.#scanner.push(chunk);
    else this.#pushText(chunk, text);
  }

  /** Most events carry a piece of text that nobody records: they are passed over by a search of the text. */
  #pushText(chunk: Uint8Array, text: string): void {
    for (let at = 0; at < text.length;) {
      const next = this.#scanner.isBetweenEvents ? this.#nextInteresting(text, at) : at;
      if (next === text.length) return;
      const end = text.indexOf(EVENT_END, next);
      const to = end === -1 ? text.length : end + EVENT_END.length;
      this.#scanner.push(chunk.subarray(next, to));
      at = to;
    }
  }

  /** An event begins at `from`. Answers where one begins that is not to be passed over, or is not whole. */
  #nextInteresting(text: string, from: number): number {
    const negligible = this.#reader.negligible();
    if (negligible !== null) return this.#afterNegligible(negligible, text, from);
    const interesting = this.#reader.interesting();
    if (interesting === null) return from;
    interesting.lastIndex = from;
    const found = interesting.test(text) ? interesting.lastIndex : text.length;
    // What was found may itself end an event: look before its last character.
    const before = text.lastIndexOf(EVENT_END, found - 1);
    return before < from ? from : before + EVENT_END.length;
  }

  #afterNegligible(negligible: RegExp, text: string, from: number): number {
    negligible.lastIndex = from;
    const next = negligible.test(text) ? negligible.lastIndex : from;
    if (from < next) this.#reader.passedOver(text, from, next);
    return next;
  }

  get terminated(): boolean {
    return this.#reader.isTerminated();
  }

  end(): ObservedResponse {
    if (this.#observed !== null) return this.#observed;
    const numberBefore = this.#reader.nextSequenceNumber();
    this.#scanner.end();
    const { data } = this.#scanner.unfinished();
    const isWholeEvent = data !== null && parseLooseJson(data) !== undefined;
    this.#numberAtEnd = isWholeEvent ? this.#reader.nextSequenceNumber() : numberBefore;
    this.#observed = this.#observe();
    return this.#observed;
  }

  position(): StreamPosition {
    const { responseId, model } = this.#reader.observation();
    const nextSequenceNumber = this.#numberAtEnd ?? this.#reader.nextSequenceNumber();
    return { unfinished: this.#scanner.unfinished(), nextSequenceNumber, responseId, model };
  }

  #observe(): ObservedResponse {
    const observation = this.#reader.observation();
    const endedWell = this.#reader.isTerminated() ? "completed" : "incomplete_stream";
    return { ...observation, outcome: observation.error === null ? endedWell : "failed" };
  }
}
