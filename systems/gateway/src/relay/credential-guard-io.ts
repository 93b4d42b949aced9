/**
 * Stands between a provider's answer and everything that sees it, and takes out the credential that
 * the request was sent with. Some providers and proxies repeat it when they refuse it, and neither the
 * caller nor a record may learn it.
 *
 * Looked at are the headers of every answer, the bodies of errors, and event streams, whose errors
 * come inside them. Other bodies go by untouched. An error's body that is compressed is decompressed
 * for it; one that cannot be is replaced by our own words.
 */
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { toAnswer } from "../failures/gateway-failure.ts";
import { answerKindOf } from "../headers/answer-headers.ts";
import type { HeadFields } from "../upstream/head-fields.ts";
import type { UpstreamFailure, UpstreamListener } from "../upstream/upstream-client.ts";
import { decodeBody } from "./request-decoding-io.ts";
import { SecretScrubber } from "./secret-scrubber.ts";

/** Shorter ones are placeholders for servers that check nothing, and could be ordinary words. */
const SECRET_LENGTH_MIN = 8;
/** In a stream, ordinary words are what a model says: real keys are longer than this. */
const STREAMED_SECRET_LENGTH_MIN = 16;
/** Of a compressed error, before and after. Explanations are far shorter. */
const COMPRESSED_BYTES_MAX = 1024 * 1024;
const DECOMPRESSED_BYTES_MAX = 8 * 1024 * 1024;
/** Of the body as the provider sent it: not true of another. */
const BODY_HEADERS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "content-md5",
  "etag",
]);

type Compressed = {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly encoding: string;
  readonly chunks: Uint8Array[];
  bytes: number;
};

export class CredentialGuard implements UpstreamListener {
  readonly #listener: UpstreamListener;
  readonly #format: WireFormat;
  readonly #secretLength: number;
  readonly #scrubber: SecretScrubber;
  #isScrubbing = false;
  #compressed: Compressed | null = null;

  /** `secret`: as it stands in the header, without the word Bearer. */
  constructor(listener: UpstreamListener, secret: string, format: WireFormat) {
    this.#listener = listener;
    this.#format = format;
    this.#secretLength = secret.length;
    this.#scrubber = new SecretScrubber(secret);
  }

  head(status: number, rawHeaders: readonly string[], fields?: HeadFields): void {
    if (this.#secretLength < SECRET_LENGTH_MIN) {
      return this.#listener.head(status, rawHeaders, fields);
    }
    const isClean = fields !== undefined && !this.#scrubber.isIn(fields.text);
    const headers = isClean
      ? rawHeaders
      : rawHeaders.map((part, i) => (i % 2 === 0 ? part : this.#scrubber.scrubText(part)));
    const { isEventStream, contentEncoding: encoding } = answerKindOf(rawHeaders);
    if (status >= 400 && encoding !== "") {
      this.#compressed = { status, rawHeaders: headers, encoding, chunks: [], bytes: 0 };
      return;
    }
    const isLongEnough = this.#secretLength >= STREAMED_SECRET_LENGTH_MIN;
    this.#isScrubbing = status >= 400 || (isEventStream && isLongEnough && encoding === "");
    this.#listener.head(status, headers, isClean ? fields : undefined);
  }

  data(chunk: Uint8Array): boolean {
    if (this.#compressed !== null) {
      this.#compressed.bytes += chunk.byteLength;
      if (this.#compressed.bytes <= COMPRESSED_BYTES_MAX) this.#compressed.chunks.push(chunk);
      return true;
    }
    if (!this.#isScrubbing) return this.#listener.data(chunk);
    const scrubbed = this.#scrubber.push(chunk);
    return scrubbed === null || this.#listener.data(scrubbed);
  }

  end(): void {
    if (this.#compressed === null) {
      this.#flush();
      this.#listener.end();
      return;
    }
    const compressed = this.#compressed;
    this.#tellPlain(compressed).catch((error: unknown) => {
      // Our bug: the client gets an ending all the same, and its bytes stay here.
      const detail = error instanceof Error ? error.message : String(error);
      this.#listener.failed({ kind: "cut", cause: "unreadable_error", detail });
    });
  }

  failed(failure: UpstreamFailure): void {
    if (this.#compressed === null) this.#flush();
    this.#listener.failed(failure);
  }

  #flush(): void {
    const held = this.#isScrubbing ? this.#scrubber.flush() : null;
    if (held !== null) this.#listener.data(held);
  }

  async #tellPlain(compressed: Compressed): Promise<void> {
    const { status, rawHeaders, encoding, chunks, bytes } = compressed;
    const decoded =
      bytes > COMPRESSED_BYTES_MAX
        ? null
        : await decodeBody(
            Buffer.concat(chunks),
            bytes === 0 ? "" : encoding,
            DECOMPRESSED_BYTES_MAX,
          );
    const plainHeaders = rawHeaders.filter(
      (_, i) => !BODY_HEADERS.has((rawHeaders[i - (i % 2)] ?? "").toLowerCase()),
    );
    if (decoded?.ok === true) {
      this.#isScrubbing = true;
      this.#listener.head(status, plainHeaders);
      const scrubbed = this.#scrubber.push(decoded.value);
      if (scrubbed !== null) this.#listener.data(scrubbed);
    } else {
      const message = `the model provider answered ${status} with an explanation that cannot be read`;
      const { headers, body } = toAnswer(this.#format, { status, message });
      this.#listener.head(status, Object.entries(headers).flat());
      this.#listener.data(body);
    }
    this.#flush();
    this.#listener.end();
  }
}
