/**
 * What the gateway needs to know of a request, read from its bytes. The bytes themselves go upstream.
 *
 * Only the last message or input item is looked into: it is the one that this request adds.
 * Spec: gateway 4.2.1, 4.2.3-4, 4.3.1, 4.3.3-4, 4.4.1, 4.4.3-4.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { BytePieces } from "./byte-pieces.ts";
import { scanPieces } from "./json-piece-scanner.ts";
import {
  isTrue,
  type JsonMistake,
  listElements,
  readMembers,
  readText,
  type Slice,
} from "./json-scanner.ts";
import type { WireFormat } from "./wire-format.ts";

export type ModelRequest = {
  readonly model: string | null;
  /** JSON true; whatever else a client sends means a blocking answer. */
  readonly stream: boolean;
  /** What the person typed last. Empty when they sent an empty text; null when this is no prompt. */
  readonly prompt: string | null;
  /** The tool call whose result this request brings: it links the request to an earlier answer. */
  readonly correlatingToolCallId: string | null;
  /** Messages only: metadata.user_id when it is a string. */
  readonly metadataUserId: string | null;
  /** Responses only. */
  readonly background: boolean;
};

export type RequestMistake = JsonMistake;

export function readModelRequest(
  format: WireFormat,
  body: Uint8Array | BytePieces,
): Result<ModelRequest, RequestMistake> {
  const pieces = body instanceof BytePieces ? body : new BytePieces([body]);
  const scanned = scanPieces(pieces, REQUEST_MEMBERS);
  if (!scanned.ok) return fail(scanned.failure);
  const members: Members = {
    value: (name) => bytesAt(pieces, scanned.value.get(name)),
    lastElement: (name) => bytesAt(pieces, scanned.value.get(name)?.lastElement),
  };
  const metadata = format === "messages" ? members.value("metadata") : null;
  return ok({
    model: textOf(members.value("model")),
    stream: isTrueIn(members.value("stream")),
    ...LAST_TURN_READERS[format](members),
    metadataUserId: metadata === null ? null : member(metadata, "user_id"),
    background: format === "responses" && isTrueIn(members.value("background")),
  });
}

const REQUEST_MEMBERS = ["model", "stream", "messages", "input", "metadata", "background"];
const TURN_MEMBERS = ["role", "type", "content", "tool_call_id", "call_id"];

type LastTurn = Pick<ModelRequest, "prompt" | "correlatingToolCallId">;
type LastTurnReader = (members: Members) => LastTurn;
/** The bytes of the request's members, each by itself. Null: absent. */
type Members = {
  value(name: string): Uint8Array | null;
  lastElement(name: string): Uint8Array | null;
};

const LAST_TURN_READERS: Record<WireFormat, LastTurnReader> = {
  chat_completions: readLastChatMessage,
  responses: readLastInputItem,
  messages: readLastMessage,
};
const NO_TURN: LastTurn = { prompt: null, correlatingToolCallId: null };

function readLastChatMessage(members: Members): LastTurn {
  const body = members.lastElement("messages");
  if (body === null) return NO_TURN;
  const message = readMembers(body, all(body), TURN_MEMBERS);
  const role = readText(body, message.get("role"));
  if (role === "tool") {
    const callId = readText(body, message.get("tool_call_id"));
    return { prompt: null, correlatingToolCallId: callId === "" ? null : callId };
  }
  const content = message.get("content");
  if (role !== "user" || content === undefined) return NO_TURN;
  const text = readText(body, content);
  if (text !== null) return { ...NO_TURN, prompt: text === "" ? null : text };
  return { ...NO_TURN, prompt: lastTextPart(body, content) };
}

function readLastInputItem(members: Members): LastTurn {
  const body = members.lastElement("input");
  if (body === null) return { ...NO_TURN, prompt: textOf(members.value("input")) };
  const item = readMembers(body, all(body), TURN_MEMBERS);
  // Results of functions, of free-form tools, and of the client's own shell and patch tools.
  if (readText(body, item.get("type"))?.endsWith("_call_output") === true) {
    const callId = readText(body, item.get("call_id"));
    return { prompt: null, correlatingToolCallId: callId === "" ? null : callId };
  }
  const content = item.get("content");
  if (readText(body, item.get("role")) !== "user" || content === undefined) return NO_TURN;
  return { ...NO_TURN, prompt: readText(body, content) ?? joinInputTexts(body, content) };
}

function readLastMessage(members: Members): LastTurn {
  const body = members.lastElement("messages");
  if (body === null) return NO_TURN;
  const message = readMembers(body, all(body), TURN_MEMBERS);
  const content = message.get("content");
  if (content === undefined) return NO_TURN;
  const isUser = readText(body, message.get("role")) === "user";
  const prompt = isUser ? (readText(body, content) ?? lastTextPart(body, content)) : null;
  return { prompt, correlatingToolCallId: lastToolResult(body, content) };
}

/** Clients put context before what the person typed, so the last text is the prompt. */
function lastTextPart(body: Uint8Array, content: Slice): string | null {
  for (const part of listElements(body, content).toReversed()) {
    const members = readMembers(body, part, ["type", "text"]);
    if (readText(body, members.get("type")) !== "text") continue;
    const text = readText(body, members.get("text"));
    if (text !== null) return text;
  }
  return null;
}

function joinInputTexts(body: Uint8Array, content: Slice): string | null {
  const texts = listElements(body, content).flatMap((part) => {
    const members = readMembers(body, part, ["type", "text"]);
    if (readText(body, members.get("type")) !== "input_text") return [];
    const text = readText(body, members.get("text"));
    return text === null ? [] : [text];
  });
  return texts.length === 0 ? null : texts.join("\n");
}

function lastToolResult(body: Uint8Array, content: Slice): string | null {
  for (const block of listElements(body, content).toReversed()) {
    const members = readMembers(body, block, ["type", "tool_use_id"]);
    if (readText(body, members.get("type")) !== "tool_result") continue;
    const callId = readText(body, members.get("tool_use_id"));
    if (callId !== null && callId !== "") return callId;
  }
  return null;
}

function member(object: Uint8Array, name: string): string | null {
  return readText(object, readMembers(object, all(object), [name]).get(name));
}

function bytesAt(pieces: BytePieces, slice: Slice | null | undefined): Uint8Array | null {
  return slice ? pieces.slice(slice.start, slice.end) : null;
}

function all(bytes: Uint8Array): Slice {
  return { start: 0, end: bytes.length };
}

function textOf(value: Uint8Array | null): string | null {
  return value === null ? null : readText(value, all(value));
}

function isTrueIn(value: Uint8Array | null): boolean {
  return value !== null && isTrue(value, all(value));
}
