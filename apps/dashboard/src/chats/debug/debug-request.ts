/** A recorded request or answer, as far as it can be read as a conversation: any JSON, also one that was cut. */
import { fieldIn, listIn, textIn } from "../transcript/json-fields.ts";
import { jsonText } from "../transcript/tool-words.ts";

export type DebugPart = { readonly label: string; readonly text: string };
export type DebugMessage = { readonly role: string; readonly parts: readonly DebugPart[] };

export type DebugRequest = {
  readonly messages: readonly DebugMessage[];
  readonly tools: readonly string[];
  /** All else that was set, by name. */
  readonly settings: readonly (readonly [name: string, value: string])[];
};

export function debugRequest(request: unknown): DebugRequest {
  const entries = typeof request === "object" && request !== null ? Object.entries(request) : [];
  return {
    messages: listIn(request, "prompt").map((message) => ({
      role: textIn(message, "role") ?? "left out",
      parts: partsOf(message),
    })),
    tools: listIn(request, "tools").map((tool) => textIn(tool, "name") ?? jsonText(tool)),
    settings: entries
      .filter(([name]) => name !== "prompt" && name !== "tools")
      .map(([name, value]) => [name, jsonText(value)] as const),
  };
}

/** What a model said and called. */
export function debugAnswer(response: unknown): readonly DebugPart[] {
  return listIn(response, "content").map(toPart);
}

/** A body as it is read best. */
export function bodyText(body: string): { readonly text: string; readonly language: string } {
  try {
    return { text: JSON.stringify(JSON.parse(body), null, 2), language: "json" };
  } catch {
    return { text: body, language: "" }; // Events of a stream, or cut.
  }
}

function partsOf(message: unknown): readonly DebugPart[] {
  const content = fieldIn(message, "content");
  if (Array.isArray(content)) return content.map(toPart);
  return [{ label: "text", text: jsonText(content ?? message) }];
}

function toPart(part: unknown): DebugPart {
  const text = textIn(part, "text");
  const type = textIn(part, "type") ?? "left out";
  if (text !== null) return { label: type, text };
  const tool = textIn(part, "toolName") ?? textIn(part, "tool_name");
  if (tool === null) return { label: type, text: jsonText(part) };
  const value =
    type === "tool-call"
      ? (fieldIn(part, "input") ?? fieldIn(part, "args"))
      : (fieldIn(part, "output") ?? fieldIn(part, "result"));
  return {
    label: `${type === "tool-call" ? "calls" : "result of"} ${tool}`,
    text: jsonText(value),
  };
}
