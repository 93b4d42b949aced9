/**
 * Reasoning that a model has signed or sealed, and that its client sends back with the conversation:
 * `thinking` blocks of messages, `reasoning` items of responses. Whoever did not make it can refuse it; this
 * recognises such a refusal, and takes the reasoning out of a request. All other values keep their bytes.
 *
 * What people and models said is never taken out, and neither are tool calls and their results.
 */
import {
  findMember,
  listElements,
  readMembers,
  readText,
  replaceSlice,
  type Slice,
} from "./json-scanner.ts";
import type { WireFormat } from "./wire-format.ts";

/** Whether an answer 400 says that the reasoning in its request is not the provider's own. */
export function refusesSignedReasoning(format: WireFormat, body: Uint8Array): boolean {
  const text = UTF8.decode(body);
  switch (format) {
    case "messages":
      // Of a conversation that its client has changed it is said too: that is the client's to mend.
      return REFUSED_THINKING.test(text) && !text.includes("bound to a different conversation");
    case "responses":
      return text.includes('"invalid_encrypted_content"');
    case "chat_completions":
      return false;
  }
}

/** Null: there is none in it, or it cannot be read. */
export function withoutSignedReasoning(format: WireFormat, body: Uint8Array): Uint8Array | null {
  switch (format) {
    case "messages":
      return withoutThinking(body);
    case "responses":
      return withoutSealedItems(body);
    case "chat_completions":
      return null;
  }
}

function withoutSealedItems(body: Uint8Array): Uint8Array | null {
  const input = findMember(body, ["input"]);
  if (input === null) return null;
  const items = listElements(body, input);
  const kept = items.filter((item) => !isSealedReasoning(body, item));
  return kept.length === items.length ? null : replaceSlice(body, input, list(body, kept));
}

function withoutThinking(body: Uint8Array): Uint8Array | null {
  const messages = findMember(body, ["messages"]);
  if (messages === null) return null;
  const all = listElements(body, messages);
  let hasChanged = false;
  const parts: Uint8Array[] = [];
  for (const message of all) {
    const bytes = body.subarray(message.start, message.end);
    const content = findMember(bytes, ["content"]);
    const blocks = content === null ? [] : listElements(bytes, content);
    const kept = blocks.filter((block) => !THINKING.has(typeOf(bytes, block)));
    if (content === null || kept.length === blocks.length) parts.push(bytes);
    else {
      hasChanged = true;
      // A message of nothing but reasoning would be empty, which is refused.
      if (kept.length > 0) parts.push(replaceSlice(bytes, content, list(bytes, kept)));
    }
  }
  if (!hasChanged) return null;
  const changed = replaceSlice(body, messages, joined(parts));
  return isInToolLoop(body, all.at(-1)) ? withThinkingOff(changed) : changed;
}

/** While a model waits for its tools, it may think on only if its last turn begins with thinking. */
function isInToolLoop(body: Uint8Array, last: Slice | undefined): boolean {
  const content = last && readMembers(body, last, ["content"]).get("content");
  if (content === undefined) return false;
  return listElements(body, content).some((block) => typeOf(body, block) === "tool_result");
}

function withThinkingOff(body: Uint8Array): Uint8Array {
  const thinking = findMember(body, ["thinking"]);
  if (thinking === null) return body;
  const off = replaceSlice(body, thinking, encode(`{"type":"disabled"}`));
  // Forgetting old thinking is refused where there is none.
  const edits = findMember(off, ["context_management", "edits"]);
  if (edits === null) return off;
  const all = listElements(off, edits);
  const kept = all.filter((edit) => !(typeOf(off, edit) ?? "").startsWith("clear_thinking"));
  return kept.length === all.length ? off : replaceSlice(off, edits, list(off, kept));
}

/** Of items without sealed content a provider finds its own copy, or says that there is none. */
function isSealedReasoning(body: Uint8Array, item: Slice): boolean {
  const members = readMembers(body, item, ["type", "encrypted_content"]);
  const isReasoning = readText(body, members.get("type")) === "reasoning";
  return isReasoning && readText(body, members.get("encrypted_content")) !== null;
}

function typeOf(body: Uint8Array, object: Slice): string | null {
  return readText(body, readMembers(body, object, ["type"]).get("type"));
}

function list(body: Uint8Array, elements: readonly Slice[]): Uint8Array {
  return joined(elements.map(({ start, end }) => body.subarray(start, end)));
}

/** A JSON array of these values. */
function joined(values: readonly Uint8Array[]): Uint8Array {
  const separators = Math.max(0, values.length - 1);
  let bytes = 2 + separators;
  for (const value of values) bytes += value.byteLength;
  const array = new Uint8Array(bytes);
  array[0] = OPEN_BRACKET;
  let at = 1;
  for (const [index, value] of values.entries()) {
    if (index > 0) {
      array[at] = COMMA;
      at += 1;
    }
    array.set(value, at);
    at += value.byteLength;
  }
  array[at] = CLOSE_BRACKET;
  return array;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const REFUSED_THINKING = /invalid `?signature`? in `?(?:redacted_)?thinking`? block/i;
const THINKING: ReadonlySet<string | null> = new Set(["thinking", "redacted_thinking"]);
const UTF8 = new TextDecoder();
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
