/**
 * The answering end of a link: runs the services of a workspace agent for whoever opens streams. A
 * stream that breaks aborts its operation; nothing that one caller does disturbs another.
 */
import { assert } from "@atelier/base/assert";
import type { Logger } from "@atelier/base/logger";
import type { Result } from "@atelier/base/result";
import type { ByteChannel, WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { constants, type Http2Session, type ServerHttp2Stream } from "node:http2";
import { encodeMessage, FramingError, PieceReader } from "./framing.ts";
import { parseOperationPath, type OperationName } from "./operation-path.ts";
import { channelOf, chunksOf, endPieces, pipeTo, writeTo } from "./stream-bytes.ts";

type Method = (...args: readonly unknown[]) => Promise<Result<unknown, WorkspaceFailure>>;

/** What the kinds of operations answer with, besides plain values. */
type WithBytes = { readonly value: unknown; readonly bytes: AsyncIterable<Uint8Array> };
type WithChannel = { readonly value: unknown; readonly channel: ByteChannel };

/** Serves each stream that the other side opens. */
export function serveServices(
  session: Http2Session,
  services: WorkspaceServices,
  log: Logger,
): void {
  session.on("stream", (stream: ServerHttp2Stream, headers) => {
    const path = headers[":path"] ?? "";
    stream.on("error", () => {}); // `close` follows, and aborts the operation.
    const name = parseOperationPath(path);
    if (name === null) {
      refuse(stream, {
        code: "unsupported",
        message: `This workspace agent does not know ${path}.`,
      });
      return;
    }
    serveStream(stream, name, services).catch((error: unknown) => {
      if (!stream.destroyed && !(error instanceof FramingError)) {
        log.error({ error, path }, "an operation crashed");
      }
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
  });
}

function refuse(stream: ServerHttp2Stream, failure: WorkspaceFailure): void {
  stream.respond({ ":status": 200 });
  stream.end(encodeMessage({ ok: false, failure }));
}

async function serveStream(
  stream: ServerHttp2Stream,
  { service, operation, definition }: OperationName,
  services: WorkspaceServices,
): Promise<void> {
  const gone = new AbortController();
  stream.once("close", () => gone.abort(new Error("the caller went away")));
  const reader = new PieceReader(chunksOf(stream));
  const input = await reader.readMessage();
  const method = methodOf(services, service, operation);
  const options = { signal: gone.signal };
  const outcome = await (definition.kind === "upload"
    ? method(input, reader.rest(), options)
    : method(input, options));
  if (stream.destroyed) return discard(outcome);
  stream.respond({ ":status": 200 });
  if (!outcome.ok) return endWith(stream, outcome);
  switch (definition.kind) {
    case "call":
    case "upload":
      return endWith(stream, outcome);
    case "events":
      return sendEvents(stream, outcome.value as AsyncIterable<unknown>);
    case "download": {
      const { value, bytes } = outcome.value as WithBytes;
      await writeTo(stream, encodeMessage({ ok: true, value }));
      return pipeTo(stream, bytes);
    }
    case "channel": {
      const { value, channel } = outcome.value as WithChannel;
      await writeTo(stream, encodeMessage({ ok: true, value }));
      return joinChannel(stream, reader, channel);
    }
  }
}

function methodOf(
  services: WorkspaceServices,
  service: keyof WorkspaceServices,
  operation: string,
): Method {
  const method = (services[service] as unknown as Record<string, Method | undefined>)[operation];
  assert(method !== undefined, `${service}/${operation} is implemented`);
  return method;
}

/** What nobody waits for any more must not stay open. */
function discard(outcome: Result<unknown, WorkspaceFailure>): void {
  if (!outcome.ok || typeof outcome.value !== "object" || outcome.value === null) return;
  if ("channel" in outcome.value) (outcome.value as WithChannel).channel.destroy();
}

async function endWith(
  stream: ServerHttp2Stream,
  outcome: Result<unknown, WorkspaceFailure>,
): Promise<void> {
  await writeTo(stream, encodeMessage(outcome));
  await endPieces(stream);
}

async function sendEvents(
  stream: ServerHttp2Stream,
  events: AsyncIterable<unknown>,
): Promise<void> {
  await writeTo(stream, encodeMessage({ ok: true, value: null }));
  // A source that waits for its next event ends by its signal when the caller leaves.
  for await (const event of events) {
    if (stream.destroyed) return;
    await writeTo(stream, encodeMessage(event));
  }
  await endPieces(stream);
}

/** Until both halves have ended, or either side broke. */
async function joinChannel(
  stream: ServerHttp2Stream,
  reader: PieceReader,
  channel: ByteChannel,
): Promise<void> {
  const local = channelOf(stream, reader.rest(), () => stream.close(constants.NGHTTP2_CANCEL));
  stream.once("close", () => channel.destroy());
  await Promise.all([copyChannel(channel, local), copyChannel(local, channel)]);
}

async function copyChannel(from: ByteChannel, to: ByteChannel): Promise<void> {
  try {
    for await (const bytes of from.incoming) await to.write(bytes);
    await to.end();
  } catch {
    // One side broke: the other learns it by its own end.
    to.destroy();
    from.destroy();
  }
}
