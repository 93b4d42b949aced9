/**
 * What the gateway needs to know of a request, read from its bytes. The bytes themselves go upstream.
 *
 * Only the last message or input item is looked into: it is the one that this request adds.
 * Spec: gateway 4.2.1, 4.2.3-4, 4.3.1, 4.3.3-4, 4.4.1, 4.4.3-4.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  isTrue,
  type JsonMember,
  type JsonMistake,
  listElements,
  readMembers,
  readText,
  scanDocument,
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
  body: Uint8Array,
): Result<ModelRequest, RequestMistake> {
  const scanned = scanDocument(body, REQUEST_MEMBERS);
  if (!scanned.ok) return fail(scanned.failure);
  const members = scanned.value;
  const metadata = members.get("metadata");
  const isMessages = format === "messages";
  return ok({
    model: readText(body, members.get("model")),
    stream: isTrue(body, members.get("stream")),
    ...LAST_TURN_READERS[format](body, members),
    metadataUserId: isMessages && metadata ? member(body, metadata, "user_id") : null,
    background: format === "responses" && isTrue(body, members.get("background")),
  });
}

const REQUEST_MEMBERS = ["model", "stream", "messages", "input", "metadata", "background"];
const TURN_MEMBERS = ["role", "type", "content", "tool_call_id", "call_id"];

type LastTurn = Pick<ModelRequest, "prompt" | "correlatingToolCallId">;
type LastTurnReader = (body: Uint8Array, members: ReadonlyMap<string, JsonMember>) => LastTurn;

const LAST_TURN_READERS: Record<WireFormat, LastTurnReader> = {
  chat_completions: readLastChatMessage,
  responses: readLastInputItem,
  messages: readLastMessage,
};
const NO_TURN: LastTurn = { prompt: null, correlatingToolCallId: null };

function readLastChatMessage(body: Uint8Array, members: ReadonlyMap<string, JsonMember>): LastTurn {
  const last = members.get("messages")?.lastElement;
  if (!last) return NO_TURN;
  const message = readMembers(body, last, TURN_MEMBERS);
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

function readLastInputItem(body: Uint8Array, members: ReadonlyMap<string, JsonMember>): LastTurn {
  const input = members.get("input");
  if (input === undefined) return NO_TURN;
  const text = readText(body, input);
  if (text !== null) return { ...NO_TURN, prompt: text };
  if (input.lastElement === null) return NO_TURN;
  const item = readMembers(body, input.lastElement, TURN_MEMBERS);
  // Results of functions, of free-form tools, and of the client's own shell and patch tools.
  if (readText(body, item.get("type"))?.endsWith("_call_output") === true) {
    const callId = readText(body, item.get("call_id"));
    return { prompt: null, correlatingToolCallId: callId === "" ? null : callId };
  }
  const content = item.get("content");
  if (readText(body, item.get("role")) !== "user" || content === undefined) return NO_TURN;
  return { ...NO_TURN, prompt: readText(body, content) ?? joinInputTexts(body, content) };
}

function readLastMessage(body: Uint8Array, members: ReadonlyMap<string, JsonMember>): LastTurn {
  const last = members.get("messages")?.lastElement;
  if (!last) return NO_TURN;
  const message = readMembers(body, last, TURN_MEMBERS);
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

function member(body: Uint8Array, object: Slice, name: string): string | null {
  return readText(body, readMembers(body, object, [name]).get(name));
}
