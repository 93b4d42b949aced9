/**
 * One answer of a model while it streams: what viewers are shown of it, and the parts that are stored
 * when it is whole. Signatures and ids that the provider attaches stay with their part.
 *
 * Arguments that are no JSON are never repaired. Where the answer was cut, the call is not stored; else it
 * is stored with the text as it was, for the model to be told.
 */
import type {
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { toValidJson } from "../messages/valid-text.ts";
import type { EpisodePart } from "./live-episode.ts";

export type StepEnd = {
  readonly usage: LanguageModelV4Usage;
  readonly reason: LanguageModelV4FinishReason["unified"];
  /** In the provider's own words. Undefined: it gave none. */
  readonly raw: string | undefined;
};

type Block = {
  readonly type: "text" | "reasoning";
  text: string;
  readonly createdAt: string;
  completedAt: string | null;
  metadata: SharedV4ProviderMetadata | undefined;
};

export class StepParts {
  /** Blocks that grow, and parts that came whole, in the order in which they began. */
  readonly #items: (Block | MessagePart)[] = [];
  readonly #blocks = new Map<string, Block>();
  readonly #inputs = new Map<string, string>();
  #end: StepEnd | null = null;
  #responseId: string | null = null;
  readonly #broken = new Set<MessagePart>();

  /** What viewers are shown of it; `at` is now, in ISO 8601. */
  add(part: LanguageModelV4StreamPart, at: string): readonly EpisodePart[] {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        return this.#begin(part.type === "text-start" ? "text" : "reasoning", part, at);
      case "text-delta":
      case "reasoning-delta":
        return this.#grow(part, at);
      case "text-end":
      case "reasoning-end":
        return this.#finish(part, at);
      case "tool-input-start":
        this.#inputs.set(part.id, part.toolName);
        return [];
      case "tool-input-delta":
        return this.#inputDelta(part.id, part.delta);
      case "tool-call":
        return this.#call(part, at);
      case "tool-result":
        return part.preliminary === true ? [] : this.#whole(toResult(part, at));
      case "source":
        return part.sourceType === "url" ? this.#whole(toSource(part)) : [];
      case "file":
        return part.data.type === "data" ? this.#whole(toFile(part.mediaType, part.data.data)) : [];
      case "response-metadata":
        this.#responseId = part.id ?? this.#responseId;
        return [];
      case "finish":
        this.#end = {
          ...{ usage: part.usage, reason: part.finishReason.unified },
          raw: part.finishReason.raw,
        };
        return [];
      case "tool-input-end":
      case "tool-approval-request":
      case "custom":
      case "reasoning-file":
      case "stream-start":
      case "ping":
      case "raw":
      case "error":
        return [];
    }
  }

  /** Null: the stream has not come to its end. */
  get end(): StepEnd | null {
    return this.#end;
  }

  get responseId(): string | null {
    return this.#responseId;
  }

  /** What is stored. Blank blocks stay out, unless the provider attached something to them. */
  parts(): readonly MessagePart[] {
    return this.#items
      .filter(
        (item) => this.#end?.reason === "tool-calls" || !this.#broken.has(item as MessagePart),
      )
      .map((item) => ("completedAt" in item ? toPart(item) : item))
      .filter(
        (part) =>
          !(part.type === "text" || part.type === "reasoning") ||
          part.text.trim() !== "" ||
          (part.type === "reasoning" && part.provider_metadata !== undefined),
      );
  }

  #begin(
    type: Block["type"],
    { id, providerMetadata }: { id: string; providerMetadata?: SharedV4ProviderMetadata },
    at: string,
  ): readonly EpisodePart[] {
    const block: Block = {
      ...{ type, text: "", createdAt: at, completedAt: null },
      metadata: providerMetadata,
    };
    this.#blocks.set(`${type} ${id}`, block);
    this.#items.push(block);
    return [];
  }

  #grow(
    part: Extract<LanguageModelV4StreamPart, { type: "text-delta" | "reasoning-delta" }>,
    at: string,
  ): readonly EpisodePart[] {
    const type = part.type === "text-delta" ? "text" : "reasoning";
    // Some providers leave the start out.
    if (!this.#blocks.has(`${type} ${part.id}`)) this.#begin(type, { id: part.id }, at);
    const block = this.#blocks.get(`${type} ${part.id}`);
    if (block === undefined) return [];
    block.text += part.delta;
    block.metadata = merged(block.metadata, part.providerMetadata);
    if (part.delta === "") return [];
    return type === "text"
      ? shown({ type, text: part.delta })
      : shown({ type, text: part.delta, created_at: block.createdAt });
  }

  /** Shown once more, without text: whoever rebuilds the answer from what was shown needs the signature. */
  #finish(
    part: Extract<LanguageModelV4StreamPart, { type: "text-end" | "reasoning-end" }>,
    at: string,
  ): readonly EpisodePart[] {
    const type = part.type === "text-end" ? "text" : "reasoning";
    const block = this.#blocks.get(`${type} ${part.id}`);
    if (block === undefined) return [];
    this.#blocks.delete(`${type} ${part.id}`);
    block.metadata = merged(block.metadata, part.providerMetadata);
    block.completedAt = at;
    if (type === "text" && block.metadata === undefined) return [];
    return shown({ ...toPart(block), text: "" } as MessagePart); // A text or a reasoning part.
  }

  #inputDelta(id: string, delta: string): readonly EpisodePart[] {
    const tool_name = this.#inputs.get(id) ?? "";
    if (delta === "") return [];
    return shown({ type: "tool-call", tool_call_id: id, tool_name, args: null, args_delta: delta });
  }

  #call(
    call: Extract<LanguageModelV4StreamPart, { type: "tool-call" }>,
    at: string,
  ): readonly EpisodePart[] {
    const args = parseInput(call.input);
    const part: MessagePart = toValidJson({
      ...{ type: "tool-call", tool_call_id: call.toolCallId, tool_name: call.toolName },
      args: args ?? call.input,
      ...(call.providerExecuted === true && { provider_executed: true }),
      created_at: at,
      ...metadataOf(call.providerMetadata),
    });
    if (args === undefined) this.#broken.add(part);
    return this.#whole(part);
  }

  #whole(part: MessagePart): readonly EpisodePart[] {
    const valid = toValidJson(part);
    this.#items.push(valid);
    return shown(valid);
  }
}

/**
 * Results that the provider reports are shown as such, and stored within its own answer. Not repaired:
 * the halves of a character may come in two pieces.
 */
function shown(part: MessagePart): readonly EpisodePart[] {
  return [{ role: part.type === "tool-result" ? "tool" : "assistant", part }];
}

function toPart(block: Block): MessagePart {
  const metadata = metadataOf(block.metadata);
  if (block.type === "text") return toValidJson({ type: "text", text: block.text, ...metadata });
  const times = {
    created_at: block.createdAt,
    ...(block.completedAt !== null && { completed_at: block.completedAt }),
  };
  return toValidJson({ type: "reasoning", text: block.text, ...times, ...metadata });
}

function toResult(
  part: Extract<LanguageModelV4StreamPart, { type: "tool-result" }>,
  at: string,
): MessagePart {
  return {
    ...{ type: "tool-result", tool_call_id: part.toolCallId, tool_name: part.toolName },
    ...{ result: part.result, provider_executed: true, created_at: at },
    ...(part.isError === true && { is_error: true }),
    ...metadataOf(part.providerMetadata),
  };
}

function toSource(
  part: Extract<LanguageModelV4StreamPart, { type: "source"; sourceType: "url" }>,
): MessagePart {
  return {
    ...{ type: "source", url: part.url, source_id: part.id },
    ...(part.title !== undefined && { title: part.title }),
    ...metadataOf(part.providerMetadata),
  };
}

function toFile(mediaType: string, data: string | Uint8Array): MessagePart {
  const base64 = typeof data === "string" ? data : Buffer.from(data).toString("base64");
  return { type: "file", media_type: mediaType, data: base64 };
}

/** An empty text stands for no arguments. Undefined: it is no JSON. */
function parseInput(input: string): unknown {
  if (input.trim() === "") return {};
  try {
    return JSON.parse(input);
  } catch {
    // The answer was cut in the middle of the call, or the model wrote nonsense.
    return undefined;
  }
}

function metadataOf(metadata: SharedV4ProviderMetadata | undefined): {
  readonly provider_metadata?: Record<string, unknown>;
} {
  return metadata === undefined ? {} : { provider_metadata: metadata };
}

/** What comes later wins, field by field: providers send a signature in pieces of the block. */
function merged(
  known: SharedV4ProviderMetadata | undefined,
  added: SharedV4ProviderMetadata | undefined,
): SharedV4ProviderMetadata | undefined {
  if (known === undefined || added === undefined) return added ?? known;
  const names = Object.keys({ ...known, ...added });
  return Object.fromEntries(names.map((name) => [name, { ...known[name], ...added[name] }]));
}
