/**
 * What a fetch resolves with whose answer came without a socket. It has a `Response` made of itself only where
 * somebody asks for more than status, headers and stream: one costs as much as reading a short answer, and
 * models' clients ask for nothing else of a stream.
 */

type Bytes = Uint8Array<ArrayBuffer>;

export type MemoryFetchHead = { readonly status: number; readonly headers: Headers };

export class MemoryFetchResponse implements Response {
  readonly type = "default";
  readonly url = "";
  readonly redirected = false;
  readonly statusText = "";
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Bytes>;
  #whole: Response | null = null;

  /** `status`: from 200 to 599. */
  constructor(body: ReadableStream<Bytes>, { status, headers }: MemoryFetchHead) {
    this.body = body;
    this.status = status;
    this.headers = headers;
  }

  get ok(): boolean {
    return this.status < 300;
  }

  get bodyUsed(): boolean {
    return this.#made().bodyUsed;
  }

  clone(): Response {
    return this.#made().clone();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#made().arrayBuffer();
  }

  blob(): Promise<Blob> {
    return this.#made().blob();
  }

  bytes(): ReturnType<Response["bytes"]> {
    return this.#made().bytes();
  }

  formData(): Promise<FormData> {
    return Promise.reject(new TypeError("no provider answers with a form"));
  }

  json(): Promise<unknown> {
    return this.#made().json();
  }

  text(): Promise<string> {
    return this.#made().text();
  }

  textStream(): ReadableStream<string> {
    return this.#made().textStream();
  }

  #made(): Response {
    const { body, status, headers } = this;
    this.#whole ??= new Response(body, { status, headers });
    return this.#whole;
  }
}
