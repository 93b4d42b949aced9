/**
 * Ends a stream that upstream cut, in the format's own words, so that the client sees an error and not
 * an answer that happens to be short. Spec: gateway-field-lessons AT-8.
 *
 * The client may already have half an event. Dropping it is impossible, and closing it as it is would
 * give the client JSON that does not parse, or half a command to run. So it is completed, with last
 * members that make it the error event: of members with one name, parsers take the last.
 */
import { completeObject } from "./json-completion.ts";
import type { StreamObserver, StreamPosition } from "./observe-response.ts";
import type { UnfinishedEvent } from "./sse-scanner.ts";
import type { WireFormat } from "./wire-format.ts";

/**
 * The bytes to send after the last one that was relayed. They fit any prefix of a stream, and are for
 * streams that were not terminated.
 */
export function cutStreamEnding(
  format: WireFormat,
  observer: StreamObserver,
  error: { readonly message: string },
): Uint8Array {
  observer.end();
  const position = observer.position();
  return new TextEncoder().encode(ENDINGS[format](position, error.message));
}

/**
 * What closes the event that a terminated stream stands in. Empty when nothing is missing.
 *
 * Some clients wait for line ends that some providers leave out. And a chat stream whose choices are
 * finished may be cut inside the chunk that counts its tokens, or inside `[DONE]`.
 */
export function closeLastEvent(format: WireFormat, observer: StreamObserver): Uint8Array {
  const { unfinished } = observer.position();
  const { line, data } = unfinished;
  if (line === "none" && data === null) return new Uint8Array(0);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const text = data === null ? "" : new TextDecoder().decode(data).trim();
  if (text !== "" && DONE.startsWith(text)) return encode(`${DONE.slice(text.length)}\n\n`);
  if (format !== "chat_completions") return encode("\n\n");
  const completed = completion(unfinished, EMPTY_CHUNK);
  if (completed !== null || text !== "") return encode(`${completed ?? ""}\n\n`);
  return encode(`${closeEvent(unfinished)}data: ${JSON.stringify(EMPTY_CHUNK)}\n\n`);
}

/** Of half a count of tokens, none is shown. */
const EMPTY_CHUNK = { choices: [], usage: null };
const DONE = "[DONE]";

const ENDINGS: Record<WireFormat, (position: StreamPosition, message: string) => string> = {
  chat_completions: ({ unfinished }, message) => {
    const error = { message, type: "server_error", param: null, code: "stream_interrupted" };
    // A cut choice would be half a tool call: the completed event has none.
    const members = { choices: [], error };
    const event = errorEvent(unfinished, { name: null, members, completing: members });
    return `${event}data: [DONE]\n\n`;
  },

  messages: ({ unfinished }, message) => {
    const members = { type: "error", error: { type: "api_error", message } };
    // A begun message_start has a `message`, which clients would take for the error's.
    return errorEvent(unfinished, { name: "error", members, completing: { ...members, message } });
  },

  responses: (position, message) => {
    const { unfinished, nextSequenceNumber: next } = position;
    const error = { code: "server_error", message };
    const words = { type: "error", error: null, ...error, param: null };
    const completed = completion(unfinished, { ...words, sequence_number: next });
    return completed === null
      ? closeEvent(unfinished) + responseFailed(position, next, error)
      : `${completed}\nevent: error\n\n${responseFailed(position, next + 1, error)}`;
  },
};

type Members = Readonly<Record<string, unknown>>;
type ErrorEvent = {
  readonly name: "error" | null;
  readonly members: Members;
  /** The members that come last in an event that upstream began. */
  readonly completing: Members;
};

/** The half event made an error, or closed and followed by one. */
function errorEvent(
  unfinished: UnfinishedEvent,
  { name, members, completing }: ErrorEvent,
): string {
  const nameLine = name === null ? "" : `event: ${name}\n`;
  const completed = completion(unfinished, completing);
  if (completed !== null) return `${completed}\n${nameLine}\n`;
  return `${closeEvent(unfinished)}${nameLine}data: ${JSON.stringify(members)}\n\n`;
}

/** What completes the event's data as an object with these members last; null when nothing can. */
function completion({ line, data }: UnfinishedEvent, members: Members): string | null {
  if (data === null || data.length === 0) return null;
  const rest = completeObject(data, JSON.stringify(members).slice(1, -1));
  if (rest === null) return null;
  switch (line) {
    case "data":
      return rest;
    case "other":
      return `\ndata: ${rest}`;
    case "none":
      return `data: ${rest}`;
  }
}

/**
 * Closes an event that has data. One that has only a name is left open: what follows gives it another
 * name and its data, because some clients choke on an event without data.
 */
function closeEvent({ line, data }: UnfinishedEvent): string {
  if (data !== null && data.length !== 0) return "\n\n";
  return line === "none" ? "" : "\n";
}

function responseFailed(
  { responseId, model }: StreamPosition,
  sequenceNumber: number,
  error: { readonly code: string; readonly message: string },
): string {
  const response = {
    id: responseId,
    object: "response",
    created_at: 0,
    status: "failed",
    error,
    incomplete_details: null,
    model,
    output: [],
    usage: null,
  };
  const event = { type: "response.failed", sequence_number: sequenceNumber, response };
  return `event: response.failed\ndata: ${JSON.stringify(event)}\n\n`;
}
