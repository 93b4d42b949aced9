/**
 * What the scripted model does when no reply was prepared: it repeats what it was told, and calls tools
 * on command. A text with `[[call:<tool> {json}]]` makes it call that tool, if the request offers it;
 * when the result comes back, it answers with a final text. A free-form tool gets the text as it is.
 */
import type { WireFormat } from "@atelier/model-wire/wire-format";

/** One answer of a model, before it has a format. */
export type ModelTurn = {
  readonly text: string;
  readonly thinking?: string;
  readonly toolCalls?: readonly ModelToolCall[];
  /** As it is reported; by default what the length of the request makes. */
  readonly inputTokens?: number;
};

export type ModelToolCall = {
  readonly id: string;
  readonly name: string;
  /** JSON, or the raw text of a free-form tool. */
  readonly input: string;
  readonly isFreeForm: boolean;
};

/** What a reply needs to know of a request. Whatever is missing is empty. */
export type ModelConversation = {
  readonly format: WireFormat;
  readonly model: string;
  readonly stream: boolean;
  /** Chat completions: the client asked for the chunk that counts tokens. */
  readonly includesUsage: boolean;
  readonly tools: readonly { readonly name: string; readonly isFreeForm: boolean }[];
  /** The texts since the model spoke last. */
  readonly texts: readonly string[];
  /** The tool results since the model spoke last. */
  readonly results: readonly string[];
  readonly inputTokens: number;
};

export function readConversation(format: WireFormat, body: Uint8Array): ModelConversation {
  const request = parseObject(body);
  const turns = format === "responses" ? toItems(request["input"]) : objects(request["messages"]);
  const spoken = turns.findLastIndex(isFromModel);
  const latest = turns.slice(spoken + 1);
  const parts = latest.flatMap(toParts);
  return {
    format,
    model: text(request["model"]) || "scripted",
    stream: request["stream"] === true,
    includesUsage: object(request["stream_options"])["include_usage"] === true,
    tools: objects(request["tools"]).flatMap(toTools),
    texts: parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])),
    results: parts.flatMap((part) => (part.kind === "result" ? [part.text] : [])),
    inputTokens: Math.max(1, Math.ceil(body.length / BYTES_PER_TOKEN)),
  };
}

/** `newId` makes an id that no other call has. */
export function decideTurn(conversation: ModelConversation, newId: () => string): ModelTurn {
  const { texts, results, tools } = conversation;
  if (results.length !== 0) return { text: `The tool answered: ${cut(results.join("\n"))}` };
  const wanted = texts.flatMap(findDirectives);
  const toolCalls = wanted.flatMap(({ name, input }) => {
    const tool = tools.find((each) => each.name === name);
    return tool === undefined ? [] : [{ id: newId(), input, ...tool }];
  });
  if (toolCalls.length !== 0) return { text: "I call a tool.", toolCalls };
  if (wanted.length !== 0 && tools.length !== 0) {
    const offered = tools.map((tool) => tool.name).join(", ");
    return { text: `There is no such tool. These are offered: ${offered}.` };
  }
  return { text: `You said: ${cut(texts.at(-1) ?? "nothing")}` };
}

const BYTES_PER_TOKEN = 4;
const QUOTED_CHARS_MAX = 400;

type Loose = { readonly [name: string]: unknown };
type Part = { readonly kind: "text" | "result"; readonly text: string };

function cut(quoted: string): string {
  return quoted.length <= QUOTED_CHARS_MAX ? quoted : `${quoted.slice(0, QUOTED_CHARS_MAX)}…`;
}

/** JSON may contain `]]` itself, so the directive ends at the first one that leaves JSON before it. */
function findDirectives(said: string): { name: string; input: string }[] {
  return [...said.matchAll(/\[\[call:([\w.-]+)\s*/g)].flatMap((match) => {
    const rest = said.slice(match.index + match[0].length);
    const ends = [...rest.matchAll(/\]\]/g)].map((end) => end.index);
    const name = match[1] ?? "";
    if (ends[0] === undefined) return [];
    const end = ends.find((each) => isJson(rest.slice(0, each))) ?? ends[0];
    return [{ name, input: rest.slice(0, end) || "{}" }];
  });
}

function isFromModel(turn: Loose): boolean {
  if (turn["role"] === "assistant") return true;
  const type = text(turn["type"]);
  return type === "reasoning" || type.endsWith("_call");
}

/** The parts of a message or an input item. */
function toParts(turn: Loose): Part[] {
  if (turn["role"] === "tool") return [{ kind: "result", text: flatten(turn["content"]) }];
  if (text(turn["type"]).endsWith("_output")) {
    return [{ kind: "result", text: flatten(turn["output"]) }];
  }
  if (turn["role"] !== "user") return [];
  if (typeof turn["content"] === "string") return [{ kind: "text", text: turn["content"] }];
  return objects(turn["content"]).flatMap((block): Part[] => {
    if (block["type"] === "tool_result") {
      return [{ kind: "result", text: flatten(block["content"]) }];
    }
    return typeof block["text"] === "string" ? [{ kind: "text", text: block["text"] }] : [];
  });
}

/** Text, or parts with texts. */
function flatten(content: unknown): string {
  if (typeof content === "string") return content;
  return objects(content)
    .map((part) => text(part["text"]))
    .join("");
}

function toItems(input: unknown): Loose[] {
  return typeof input === "string" ? [{ role: "user", content: input }] : objects(input);
}

/** All formats' ways to declare a tool that the client runs; some group tools under a name. */
function toTools(tool: Loose): { name: string; isFreeForm: boolean }[] {
  const nested = objects(tool["tools"]);
  if (nested.length !== 0) return nested.flatMap(toTools);
  const declared = { ...tool, ...object(tool["function"]), ...object(tool["custom"]) };
  const name = text(declared["name"]);
  // The messages format calls its ordinary tools `custom`, and they have a schema.
  const isFreeForm = tool["type"] === "custom" && tool["input_schema"] === undefined;
  return name === "" ? [] : [{ name, isFreeForm }];
}

function parseObject(body: Uint8Array): Loose {
  try {
    return object(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return {};
  }
}

function isJson(candidate: string): boolean {
  try {
    JSON.parse(candidate);
    return true;
  } catch {
    return false;
  }
}

function object(value: unknown): Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Loose) // An object that is no array has members of any type.
    : {};
}

function objects(value: unknown): Loose[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
