/**
 * Looks at an answer while its bytes go by, and says at the end what was in it. The bytes themselves
 * are never held up or changed by it.
 */
import {
  observeBody,
  observeStream,
  type ObservedResponse,
  type StreamObserver,
} from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { Transform } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { toCharacters } from "./characters.ts";

export interface Observation {
  push(chunk: Uint8Array): void;
  /** For ending a cut stream in its own words. Null: its bytes cannot be continued. */
  readonly stream: StreamObserver | null;
  /** Once, after the last push. */
  finish(): ObservedResponse | Promise<ObservedResponse>;
}

/** Answers larger than this are relayed, and recorded without what they hold. */
const OBSERVED_BYTES_MAX = 32 * 1024 * 1024;

const UNSEEN: ObservedResponse = {
  responseId: "",
  model: null,
  tokens: null,
  toolCalls: [],
  thoughts: [],
  error: null,
  outcome: "completed",
};

export function observeAnswer(
  format: WireFormat,
  answer: { readonly isEventStream: boolean; readonly contentEncoding: string },
): Observation {
  const plain = answer.isEventStream ? new StreamObservation(format) : new BodyObservation(format);
  if (answer.contentEncoding === "") return plain;
  const decoder = openDecoder(answer.contentEncoding);
  return decoder === null ? new NoObservation() : new DecodingObservation(plain, decoder);
}

class StreamObservation implements Observation {
  readonly stream: StreamObserver;

  constructor(format: WireFormat) {
    this.stream = observeStream(format, toCharacters);
  }

  push(chunk: Uint8Array): void {
    this.stream.push(chunk);
  }

  finish(): ObservedResponse {
    return this.stream.end();
  }
}

class BodyObservation implements Observation {
  readonly stream = null;
  readonly #format: WireFormat;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(format: WireFormat) {
    this.#format = format;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes <= OBSERVED_BYTES_MAX) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  finish(): ObservedResponse {
    if (this.#bytes > OBSERVED_BYTES_MAX) return UNSEEN;
    const [only] = this.#chunks;
    const body =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    return observeBody(this.#format, body);
  }
}

/** An encoding that we cannot undo: the client asked for it some way of its own. */
class NoObservation implements Observation {
  readonly stream = null;

  push(): void {}

  finish(): ObservedResponse {
    return UNSEEN;
  }
}

class DecodingObservation implements Observation {
  /** Compressed bytes cannot be continued with plain ones. */
  readonly stream = null;
  readonly #inner: Observation;
  readonly #decoder: Transform;
  readonly #decoded: Promise<void>;

  constructor(inner: Observation, decoder: Transform) {
    this.#inner = inner;
    this.#decoder = decoder;
    this.#decoded = new Promise((resolve) => {
      decoder.on("data", (chunk: Uint8Array) => inner.push(chunk));
      decoder.on("error", () => resolve()); // What could be read is recorded.
      decoder.on("close", () => resolve());
    });
  }

  push(chunk: Uint8Array): void {
    if (!this.#decoder.destroyed) this.#decoder.write(chunk);
  }

  async finish(): Promise<ObservedResponse> {
    if (!this.#decoder.destroyed) this.#decoder.end();
    await this.#decoded;
    return this.#inner.finish();
  }
}

function openDecoder(encoding: string): Transform | null {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      return null;
  }
}
