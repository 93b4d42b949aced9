/** One request over HTTP, as it went by: not yet rid of credentials, but for its headers and address. */

export type SeenRequest = {
  readonly startedAt: Date;
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: string | null;
  /** Null: no answer came. */
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    /** The beginning and the end, where it was long. */
    readonly body: string;
    readonly headersMs: number;
  } | null;
  /** Null: it goes on. */
  readonly durationMs: number | null;
  readonly error: string | null;
};
