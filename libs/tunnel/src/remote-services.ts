/**
 * The asking end of a link: the ports of a workspace agent, each call on a stream of its own. While
 * no link is there, and when one breaks in the middle, calls answer `disconnected`.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  WorkspaceFailureSchema,
  type CallOptions,
  type Operation,
  type Operations,
  type WorkspaceFailure,
} from "@atelier/contract/rpc/workspace/operation";
import {
  WORKSPACE_SERVICES,
  type WorkspaceServices,
} from "@atelier/contract/rpc/workspace/services";
import { constants, type ClientHttp2Stream } from "node:http2";
import { encodeMessage, PieceReader } from "./framing.ts";
import { pathOf } from "./operation-path.ts";
import { channelOf, chunksOf, pipeTo, writeTo } from "./stream-bytes.ts";

/** Opens a stream to the agent. Null: there is no link now. */
export type OpenStream = (path: string) => ClientHttp2Stream | null;

const DISCONNECTED: WorkspaceFailure = {
  code: "disconnected",
  message: "The workspace is not connected.",
};
const BROKEN: WorkspaceFailure = {
  code: "disconnected",
  message: "The connection to the workspace broke before it answered.",
};

export function remoteServices(openStream: OpenStream): WorkspaceServices {
  const services = Object.entries(WORKSPACE_SERVICES).map(([service, table]) => [
    service,
    Object.fromEntries(
      Object.entries(table as Operations).map(([name, operation]) => [
        name,
        remoteMethod(openStream, pathOf(service, name), operation),
      ]),
    ),
  ]);
  return Object.fromEntries(services) as WorkspaceServices;
}

type Outcome = Promise<Result<unknown, WorkspaceFailure>>;

function remoteMethod(
  openStream: OpenStream,
  path: string,
  operation: Operation,
): (...args: readonly unknown[]) => Outcome {
  return async (input, ...rest) => {
    const [bytes, options] = (operation.kind === "upload" ? rest : [null, rest[0]]) as [
      AsyncIterable<Uint8Array> | null,
      CallOptions | undefined,
    ];
    const signal = options?.signal;
    signal?.throwIfAborted();
    const stream = openStream(path);
    if (stream === null) return fail(DISCONNECTED);
    return new Exchange(stream, operation, signal).run(input, bytes);
  };
}

/** One operation on one stream. */
class Exchange {
  readonly #stream: ClientHttp2Stream;
  readonly #operation: Operation;
  readonly #signal: AbortSignal | undefined;
  readonly #reader: PieceReader;

  constructor(stream: ClientHttp2Stream, operation: Operation, signal: AbortSignal | undefined) {
    this.#stream = stream;
    this.#operation = operation;
    this.#signal = signal;
    this.#reader = new PieceReader(chunksOf(stream));
    stream.on("error", () => {}); // Its reader throws too.
    const cancel = (): void => this.#cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    stream.once("close", () => signal?.removeEventListener("abort", cancel));
  }

  async run(input: unknown, bytes: AsyncIterable<Uint8Array> | null): Outcome {
    const { kind } = this.#operation;
    const message = encodeMessage(input);
    let sent: Promise<unknown> = Promise.resolve();
    if (bytes !== null) sent = this.#upload(message, bytes);
    else if (kind === "channel") this.#stream.write(message);
    else this.#stream.end(message);
    const answer = await this.#readAnswer();
    if (kind === "upload") {
      // An agent may answer before it took all bytes, as it does to a call that it knows: the rest is
      // then of no use to anybody, and it would wait for a reader for ever.
      if (!this.#stream.writableFinished) this.#cancel();
      const failure = await sent;
      if (failure instanceof SourceError) throw failure.cause;
    }
    return answer.ok ? this.#complete(answer.value) : answer;
  }

  async #upload(message: Uint8Array, bytes: AsyncIterable<Uint8Array>): Promise<unknown> {
    try {
      await writeTo(this.#stream, message);
      await pipeTo(this.#stream, markErrors(bytes));
      return null;
    } catch (error) {
      // The source failed: what came is not the whole, and the agent must not take it for that.
      if (error instanceof SourceError) this.#cancel();
      return error;
    }
  }

  #complete(value: unknown): Result<unknown, WorkspaceFailure> {
    switch (this.#operation.kind) {
      case "call":
      case "upload":
        return ok(value);
      case "events":
        return ok(this.#events());
      case "download":
        return ok({ value, bytes: this.#bytes() });
      case "channel":
        return ok({
          value,
          channel: channelOf(this.#stream, this.#bytes(), () => this.#cancel()),
        });
    }
  }

  async #readAnswer(): Promise<Result<unknown, WorkspaceFailure>> {
    let message: unknown;
    try {
      message = await this.#reader.readMessage();
    } catch {
      message = undefined;
    }
    this.#signal?.throwIfAborted();
    if (typeof message !== "object" || message === null || !("ok" in message)) return fail(BROKEN);
    if (message.ok === true) return this.#parse("value" in message ? message.value : null);
    const failure = WorkspaceFailureSchema.safeParse("failure" in message ? message.failure : null);
    // A newer agent may fail in ways that this server has no word for.
    if (failure.success) return fail(failure.data);
    return fail({ code: "failed", message: "The workspace answered with an unknown failure." });
  }

  #parse(value: unknown): Result<unknown, WorkspaceFailure> {
    if (this.#operation.kind === "events") return ok(null);
    const parsed = this.#operation.output.safeParse(value);
    if (parsed.success) return ok(parsed.data);
    this.#cancel();
    return fail({
      code: "unsupported",
      message: "The workspace agent's answer is not understood.",
    });
  }

  async *#events(): AsyncGenerator<unknown> {
    try {
      for (;;) {
        const message = await this.#reader.readMessage();
        if (message === undefined) return;
        yield this.#operation.output.parse(message);
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error;
    } finally {
      this.#cancel();
    }
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#reader.rest();
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error;
    } finally {
      // A reader that stops early wants nothing more; a channel's other half may go on.
      if (this.#operation.kind === "download" && !this.#stream.readableEnded) this.#cancel();
    }
  }

  #cancel(): void {
    if (this.#stream.destroyed) return;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // At once: a write that is under way could hold its end back for ever.
    this.#stream.destroy();
  }
}

/** Tells a failing source from a failing stream. */
class SourceError extends Error {
  override readonly name = "SourceError";
}

async function* markErrors(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw new SourceError("the source of an upload failed", { cause: error });
  }
}
