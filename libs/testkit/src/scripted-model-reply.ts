/** What a scripted model can be told to answer, well or badly, and how it is put on the socket. */
import type { ServerResponse } from "node:http";
import type { Clock } from "@atelier/base/clock";
import { errorBody } from "@atelier/model-wire/error-body";
import {
  decideTurn,
  type ModelConversation,
  type ModelToolCall,
  type ModelTurn,
} from "./scripted-model-conduct.ts";
import { eventText, type StreamEvent, toBody, toEvents } from "./scripted-model-wire.ts";

export type Pacing = {
  /** Written in pieces of this size; by default each event is a piece. */
  readonly chunkBytes?: number;
  /** Before each piece but the first. */
  readonly delayMs?: number;
  /** The connection breaks after so many bytes. */
  readonly cutAfterBytes?: number;
  /** With `cutAfterBytes`: the answer ends as if that were all. */
  readonly cutsCleanly?: boolean;
  /** Waits here for a promise, so that a test can look at what is under way. */
  readonly pause?: { readonly afterBytes: number; readonly until: Promise<unknown> };
  /** After the last byte the answer stays open. */
  readonly thenHang?: boolean;
};

type HeaderValues = Readonly<Record<string, string | readonly string[]>>;

export type ScriptedReply =
  /** A model's turn, in the format and mode that the request asks for. */
  | ({ readonly kind: "turn"; readonly turn: ModelTurn } & Pacing)
  | ({
      readonly kind: "sse";
      readonly events: readonly StreamEvent[];
      readonly headers?: HeaderValues;
    } & Pacing)
  | ({
      readonly kind: "bytes";
      readonly status: number;
      readonly headers: HeaderValues;
      readonly body: Uint8Array;
    } & Pacing)
  /** An error in the format's own shape. */
  | {
      readonly kind: "problem";
      readonly status: number;
      readonly message: string;
      readonly headers?: HeaderValues;
    }
  /** Bytes on the socket in place of an HTTP answer; then the connection ends. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array }
  /** No answer, ever. */
  | { readonly kind: "hang" }
  /** The connection is reset before an answer. */
  | { readonly kind: "reset" };

export function says(text: string, options: Pacing & { thinking?: string } = {}): ScriptedReply {
  const { thinking, ...pacing } = options;
  return { kind: "turn", turn: { text, ...(thinking !== undefined && { thinking }) }, ...pacing };
}

/** `id` becomes the tool call's id. */
export function calls(name: string, input: unknown, id: string): ScriptedReply {
  const call: ModelToolCall = { id, name, input: JSON.stringify(input), isFreeForm: false };
  return { kind: "turn", turn: { text: "", toolCalls: [call] } };
}

export function throttles(retryAfterS: number): ScriptedReply {
  const headers = { "retry-after": String(retryAfterS) };
  return { kind: "problem", status: 429, message: "Too many requests.", headers };
}

export function json(status: number, body: unknown, headers: HeaderValues = {}): ScriptedReply {
  return {
    kind: "bytes",
    status,
    headers: { "content-type": "application/json", ...headers },
    body: UTF8.encode(JSON.stringify(body)),
  };
}

export function sse(events: readonly StreamEvent[], pacing: Pacing = {}): ScriptedReply {
  return { kind: "sse", events, ...pacing };
}

export function html(status: number): ScriptedReply {
  const body = UTF8.encode("<html><body>A proxy's page</body></html>");
  return { kind: "bytes", status, headers: { "content-type": "text/html" }, body };
}

/** A stream that ends inside a character. */
export function halfUtf8(): ScriptedReply {
  const whole = UTF8.encode('data: {"choices":[{"index":0,"delta":{"content":"€');
  const headers = { "content-type": "text/event-stream" };
  return { kind: "bytes", status: 200, headers, body: whole.subarray(0, -1) };
}

export function raw(bytes: Uint8Array | string): ScriptedReply {
  return { kind: "raw", bytes: typeof bytes === "string" ? UTF8.encode(bytes) : bytes };
}

export function hang(): ScriptedReply {
  return { kind: "hang" };
}

export function reset(): ScriptedReply {
  return { kind: "reset" };
}

const UTF8 = new TextEncoder();

export type SendDeps = {
  readonly clock: Clock;
  /** Aborted when the client or the scripted model goes away. */
  readonly signal: AbortSignal;
  readonly newId: () => string;
};

/** Resolves when the answer is complete or was given up. */
export async function sendReply(
  response: ServerResponse,
  reply: ScriptedReply,
  conversation: ModelConversation,
  deps: SendDeps,
): Promise<void> {
  switch (reply.kind) {
    case "turn": {
      const { turn, kind: _, ...pacing } = reply;
      const id = deps.newId();
      if (conversation.stream) {
        const events = toEvents(conversation, turn, id);
        await sendReply(response, sse(events, pacing), conversation, deps);
      } else {
        const blocking = json(200, toBody(conversation, turn, id));
        await sendReply(response, { ...blocking, ...pacing }, conversation, deps);
      }
      break;
    }
    case "sse":
      response.writeHead(200, { ...SSE_HEADERS, ...toHeaders(reply.headers) });
      await sendPieces(
        response,
        reply.events.map((event) => UTF8.encode(eventText(event))),
        reply,
        deps,
      );
      break;
    case "bytes":
      response.writeHead(reply.status, toHeaders(reply.headers));
      await sendPieces(response, [reply.body], reply, deps);
      break;
    case "problem": {
      const { status, message } = reply;
      const body = errorBody(conversation.format, { status, message });
      const headers = { "content-type": "application/json", ...toHeaders(reply.headers) };
      response.writeHead(status, headers).end(body);
      break;
    }
    case "raw":
      response.socket?.end(reply.bytes);
      break;
    case "hang":
      break;
    case "reset":
      response.socket?.resetAndDestroy();
      break;
  }
}

/** What is answered when nothing was prepared. */
export function defaultReply(
  conversation: ModelConversation,
  newId: () => string,
  pacing: Pacing,
): ScriptedReply {
  return { kind: "turn", turn: decideTurn(conversation, newId), ...pacing };
}

const SSE_HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

function toHeaders(headers: HeaderValues = {}): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? value : [...value],
    ]),
  );
}

async function sendPieces(
  response: ServerResponse,
  parts: readonly Uint8Array[],
  pacing: Pacing,
  { clock, signal }: SendDeps,
): Promise<void> {
  response.flushHeaders();
  let sent = 0;
  for (const piece of cutPieces(parts, pacing)) {
    if (sent !== 0 && pacing.delayMs !== undefined) await waitFor(clock, pacing.delayMs, signal);
    if (pacing.pause?.afterBytes === sent) await pacing.pause.until;
    if (signal.aborted) return;
    await write(response, piece, signal);
    sent += piece.length;
  }
  if (pacing.thenHang === true) return;
  if (pacing.cutAfterBytes === undefined || pacing.cutsCleanly === true) response.end();
  else response.socket?.resetAndDestroy();
}

/** Pieces end where the pacing wants something to happen. */
function cutPieces(parts: readonly Uint8Array[], pacing: Pacing): Uint8Array[] {
  const whole = Buffer.concat(parts).subarray(0, pacing.cutAfterBytes);
  const ends = new Set([whole.length, pacing.pause?.afterBytes ?? whole.length]);
  if (pacing.chunkBytes === undefined) {
    let end = 0;
    for (const part of parts) ends.add((end += part.length));
  } else {
    for (let end = pacing.chunkBytes; end < whole.length; end += pacing.chunkBytes) ends.add(end);
  }
  const positions = [...ends].filter((end) => 0 < end && end <= whole.length);
  const sorted = positions.toSorted((one, other) => one - other);
  return sorted.map((end, i) => whole.subarray(sorted[i - 1] ?? 0, end));
}

async function waitFor(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  // Aborted: whoever waits looks at the signal.
  await clock.sleep(delayMs, signal).catch(() => {});
}

async function write(
  response: ServerResponse,
  piece: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (response.write(piece)) return;
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
