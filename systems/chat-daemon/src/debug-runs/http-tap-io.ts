/**
 * Sees the HTTP of one model client go by. Answers are handed on chunk by chunk, as fast as they are read;
 * whatever goes wrong in looking is nobody's failure.
 */
import type { Clock } from "@atelier/base/clock";
import type { Secret } from "@atelier/base/secret";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import {
  redactHeaders,
  redactUrl,
  withoutCredentials,
  withoutHalfCredentials,
  withoutScheme,
} from "./credential-redaction.ts";
import { cutText } from "./bounded-json.ts";
import type { HttpTap } from "./debug-recorder.ts";
import type { SeenRequest } from "./seen-request.ts";

export const REQUEST_BODY_CHARACTERS_MAX = 128 * 1024;
/** Of the beginning of an answer, and again of its end. */
const ANSWER_PART_BYTES_MAX = 96 * 1024;

export class ClientTap implements HttpTap {
  readonly #clock: Clock;
  #seen: Watched[] = [];
  readonly #credentials = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get credentials(): ReadonlySet<string> {
    return this.#credentials;
  }

  recordHttp(fetch: ModelFetch, known: readonly Secret[]): ModelFetch {
    for (const secret of known) this.#credentials.add(withoutScheme(secret.reveal()));
    return async (input, init) => {
      const watched = this.#begin(input, init);
      try {
        const response = await fetch(input, init);
        return watched?.answered(response, (headers) => this.#redact(headers)) ?? response;
      } catch (error) {
        watched?.failed(error);
        throw error;
      }
    };
  }

  take(): readonly SeenRequest[] {
    const seen = this.#seen.map((each) => each.seen(this.#credentials));
    this.#seen = [];
    return seen;
  }

  #begin(input: string | URL | Request, init: RequestInit | undefined): Watched | null {
    try {
      const isRequest = input instanceof Request;
      const { url, credentials } = redactUrl(isRequest ? input.url : String(input));
      for (const each of credentials) this.#credentials.add(each);
      const headers = new Headers(init?.headers ?? (isRequest ? input.headers : undefined));
      const body = init?.body;
      const watched = new Watched(this.#clock, {
        ...{ url, method: init?.method ?? (isRequest ? input.method : "GET") },
        requestHeaders: this.#redact(headers),
        requestBody: typeof body === "string" ? this.#cut(body) : null,
      });
      this.#seen.push(watched);
      return watched;
    } catch {
      return null; // What cannot be described is not recorded.
    }
  }

  /** Those in its headers are known by now. */
  #cut(body: string): string {
    return cutText(withoutCredentials(body, this.#credentials), REQUEST_BODY_CHARACTERS_MAX);
  }

  #redact(headers: Headers): Readonly<Record<string, string>> {
    const { headers: shown, credentials } = redactHeaders(headers);
    for (const each of credentials) this.#credentials.add(each);
    return shown;
  }
}

type Asked = Pick<SeenRequest, "url" | "method" | "requestHeaders" | "requestBody">;

class Watched {
  readonly #clock: Clock;
  readonly #asked: Asked;
  readonly #startedAt: Date;
  readonly #startedMs: number;
  readonly #body = new BodyEnds();
  #answer: Omit<NonNullable<SeenRequest["answer"]>, "body"> | null = null;
  #durationMs: number | null = null;
  #error: string | null = null;

  constructor(clock: Clock, asked: Asked) {
    this.#clock = clock;
    this.#asked = asked;
    this.#startedAt = clock.now();
    this.#startedMs = clock.monotonicMs();
  }

  /** The same answer, whose body is seen while it is read. */
  answered(
    response: Response,
    redact: (headers: Headers) => Readonly<Record<string, string>>,
  ): Response {
    const { status, statusText, headers, body } = response;
    this.#answer = { status, headers: redact(headers), headersMs: this.#sinceMs() };
    if (body === null) {
      this.#end(null);
      return response;
    }
    return new Response(this.#watch(body), { status, statusText, headers });
  }

  failed(error: unknown): void {
    this.#end(error instanceof Error ? error.message : "It was not answered.");
  }

  seen(credentials: ReadonlySet<string>): SeenRequest {
    const body = this.#body.text(credentials);
    const answer = this.#answer === null ? null : { ...this.#answer, body };
    return {
      ...this.#asked,
      ...{ startedAt: this.#startedAt, answer },
      ...{ durationMs: this.#durationMs, error: this.#error },
    };
  }

  #watch(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = body.getReader();
    return new ReadableStream(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await reader.read();
            if (done) {
              this.#end(null);
              controller.close();
              return;
            }
            this.#body.add(value);
            controller.enqueue(value as Uint8Array<ArrayBuffer>); // Nobody shares it.
          } catch (error) {
            this.failed(error);
            controller.error(error);
          }
        },
        cancel: async (reason) => {
          this.#end("Nobody read it to the end.");
          await reader.cancel(reason);
        },
      },
      // Nothing is read ahead of whoever reads.
      { highWaterMark: 0 },
    );
  }

  #sinceMs(): number {
    return Math.round(this.#clock.monotonicMs() - this.#startedMs);
  }

  #end(error: string | null): void {
    this.#durationMs ??= this.#sinceMs();
    this.#error ??= error;
  }
}

/** The beginning and the end of a body of any length. */
class BodyEnds {
  readonly #first: Uint8Array[] = [];
  readonly #last: Uint8Array[] = [];
  #firstBytes = 0;
  #lastBytes = 0;
  #leftOutBytes = 0;

  add(chunk: Uint8Array): void {
    const room = ANSWER_PART_BYTES_MAX - this.#firstBytes;
    if (room > 0) this.#first.push(chunk.slice(0, room));
    this.#firstBytes += Math.min(room, chunk.length);
    if (chunk.length <= room) return;
    const rest = chunk.slice(Math.max(room, chunk.length - ANSWER_PART_BYTES_MAX));
    this.#leftOutBytes += chunk.length - Math.max(room, 0) - rest.length;
    this.#last.push(rest);
    this.#lastBytes += rest.length;
    for (let oldest = this.#last[0]; oldest !== undefined; oldest = this.#last[0]) {
      if (this.#lastBytes - oldest.length < ANSWER_PART_BYTES_MAX) break;
      this.#last.shift();
      this.#lastBytes -= oldest.length;
      this.#leftOutBytes += oldest.length;
    }
  }

  text(credentials: ReadonlySet<string>): string {
    if (this.#leftOutBytes === 0) return Buffer.concat([...this.#first, ...this.#last]).toString();
    const ends = {
      first: Buffer.concat(this.#first).toString("utf8"),
      last: Buffer.concat(this.#last).toString("utf8"),
    };
    const { first, last } = withoutHalfCredentials(ends, credentials);
    return `${first}\n[${this.#leftOutBytes} bytes left out]\n${last}`;
  }
}
