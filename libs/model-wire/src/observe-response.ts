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

export function observeStream(format: WireFormat): StreamObserver {
  return new ScannedStream(new READERS[format]());
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

class ScannedStream implements StreamObserver {
  readonly #reader: EventReader;
  readonly #scanner: SseScanner;
  #observed: ObservedResponse | null = null;
  #numberAtEnd: number | null = null;

  constructor(reader: EventReader) {
    this.#reader = reader;
    this.#scanner = new SseScanner((name, data, isOversized) => {
      reader.readEvent(name, data, isOversized);
    });
  }

  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk);
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
