/**
 * One request to a model provider, as a port. Implementations relay bytes and nothing else: no
 * retries of what a provider may have answered, no redirects, no decompression, no environment.
 */
import { BytePieces } from "@atelier/model-wire/byte-pieces";
import type { HeadFields } from "./head-fields.ts";

/** Pieces where it came in pieces: only a client that cannot send them joins them. */
export type UpstreamBody = Uint8Array | BytePieces;

export function wholeBody(body: UpstreamBody): Uint8Array {
  return body instanceof BytePieces ? body.whole() : body;
}

export type UpstreamCall = {
  readonly method: string;
  /** Path and query, ready to send. */
  readonly path: string;
  /** Raw pairs, without Host and Content-Length. */
  readonly headers: readonly string[];
  /** Null: the request has no body. */
  readonly body: UpstreamBody | null;
  /** Longest wait for the answer's head. Absent: the client's own limit. */
  readonly headMsMax?: number;
  /** All of the body is written, and the client reads it no more. Not every client says so, nor of every call. */
  readonly onBodyDone?: () => void;
  /** Twice does no harm, whatever the method says. Undefined: what the method says counts. */
  readonly isRepeatable?: boolean;
};

export type UpstreamFailure = {
  /** `unreachable`: no connection, or it broke before an answer. `cut`: broke later. `timeout`: silence. */
  readonly kind: "unreachable" | "cut" | "timeout";
  /** A code, for records that the caller may read. */
  readonly cause: string;
  /** For the log only: names hosts and ports. */
  readonly detail: string;
};

/** Told in this order: head, data*, then end or failed. After `cancel` nothing more is told. */
export interface UpstreamListener {
  /** `fields`: the same headers as they lay in the head's text, where the client knows. */
  head(status: number, rawHeaders: readonly string[], fields?: HeadFields): void;
  /** False: hold the rest until `resume`. */
  data(chunk: Uint8Array): boolean;
  end(): void;
  failed(failure: UpstreamFailure): void;
}

export interface UpstreamExchange {
  resume(): void;
  /** Closes the exchange: the provider notices at once. */
  cancel(): void;
}

export type UpstreamTimeouts = {
  /** Until there is a connection, TLS included. */
  readonly connectMsMax: number;
  /** From the request to the whole head of the answer, where a call does not say. */
  readonly headMsMax: number;
  /** Silence inside the body. Not counted while the listener holds it. */
  readonly silenceMsMax: number;
};

export interface UpstreamClient {
  send(call: UpstreamCall, listener: UpstreamListener): UpstreamExchange;
  /** Resolves when the exchanges under way have ended and all connections are closed. */
  close(): Promise<void>;
}

/** What a client that speaks for another service decides in the caller's place. */
export type Translation = {
  /** The model that serves a request which names this one. Null: none is configured. */
  modelFor(requested: string | null): string | null;
  /** Masked: of what it sends in the company's name. It needs no key from its caller. */
  readonly credentialHint: string;
};

/** Where a provider is reached. */
export type Upstream = {
  readonly client: UpstreamClient;
  /** The path of the base URL, without a slash at its end. */
  readonly basePath: string;
  /** Goes as the query's `api-version` where the client sent none. Null: nothing does. */
  readonly apiVersion: string | null;
  /** Set: the client translates. It takes bodies without a content encoding. */
  readonly translation: Translation | null;
};
