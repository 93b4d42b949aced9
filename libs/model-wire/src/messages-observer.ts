/**
 * Observes answers of the messages format. Spec: gateway 4.4.5-4.4.7, with one record of tokens for
 * each answer: the counts of `message_delta` are totals and replace those of `message_start`.
 */
import {
  countIn,
  type LooseObject,
  objectIn,
  objectsIn,
  parseLooseJson,
  textIn,
} from "./loose-json.ts";
import {
  appendText,
  cutText,
  errorIn,
  type EventReader,
  type Observation,
  OBSERVED_ITEMS_MAX,
  type ObservedError,
  type ObservedThought,
  type ObservedTokens,
  type ObservedToolCall,
  withoutZeros,
} from "./observation.ts";

export class MessagesReader implements EventReader {
  #responseId = "";
  #model: string | null = null;
  #counts: Counts | null = null;
  #error: ObservedError | null = null;
  #isStopped = false;
  readonly #blocks: Block[] = [];
  /** By index: the blocks whose deltas are worth parsing. */
  readonly #open = new Map<number, Block>();

  readEvent(name: string, data: Uint8Array, isOversized: boolean): void {
    if (isOversized || this.#isToBeSkipped(name)) return;
    const event = objectIn(parseLooseJson(data));
    if (event === null) return;
    switch (name === "" ? event["type"] : name) {
      case "message_start":
        this.#readStart(objectIn(event["message"]) ?? {});
        break;
      case "content_block_start":
        this.#openBlock(countIn(event["index"]), objectIn(event["content_block"]) ?? {});
        break;
      case "content_block_delta":
        this.#readDelta(countIn(event["index"]), objectIn(event["delta"]) ?? {});
        break;
      case "content_block_stop":
        this.#closeBlock(countIn(event["index"]));
        break;
      case "message_delta":
        this.#counts = laterCounts(this.#counts, countsIn(event["usage"]));
        break;
      case "message_stop":
        this.#isStopped = true;
        break;
      case "error":
        this.#error ??= errorIn(event["error"]) ?? { type: "error", message: "" };
        break;
      default:
        break;
    }
  }

  interesting(): null {
    return null;
  }

  negligible(): RegExp | null {
    return this.#open.size === 0 ? OF_UNREAD_BLOCKS : null;
  }

  passedOver(): void {}

  isTerminated(): boolean {
    return this.#isStopped || this.#error !== null;
  }

  observation(): Observation {
    return {
      responseId: this.#responseId,
      model: this.#model,
      tokens: this.#counts === null ? null : toTokens(this.#counts),
      toolCalls: this.#blocks.flatMap((block) =>
        // Nobody can have run a call whose input was cut.
        block.kind === "tool_use" && (block.isClosed || this.#isStopped) ? [toToolCall(block)] : [],
      ),
      thoughts: this.#blocks.flatMap((block) =>
        block.kind === "thinking" && block.text !== "" ? [toThought(block.text)] : [],
      ),
      error: this.#error,
    };
  }

  nextSequenceNumber(): number {
    return 0;
  }

  /** Most events carry pieces of text, which nobody records. */
  #isToBeSkipped(name: string): boolean {
    const isInBlock = name === "content_block_delta" || name === "content_block_stop";
    return name === "ping" || (isInBlock && this.#open.size === 0);
  }

  #readStart(message: LooseObject): void {
    if (this.#responseId === "") this.#responseId = textIn(message["id"]) ?? "";
    this.#model ??= textIn(message["model"]);
    this.#counts = laterCounts(this.#counts, countsIn(message["usage"]));
  }

  #openBlock(index: number, content: LooseObject): void {
    const block = blockIn(content);
    if (block === null || this.#blocks.length === OBSERVED_ITEMS_MAX) return;
    this.#blocks.push(block);
    this.#open.set(index, block);
  }

  #readDelta(index: number, delta: LooseObject): void {
    const block = this.#open.get(index);
    if (block === undefined) return;
    const piece = block.kind === "thinking" ? delta["thinking"] : delta["partial_json"];
    block.text = appendText(block.text, textIn(piece) ?? "");
  }

  #closeBlock(index: number): void {
    const block = this.#open.get(index);
    if (block === undefined) return;
    block.isClosed = true;
    this.#open.delete(index);
  }
}

/** Those of #isToBeSkipped, as providers write them. */
const OF_UNREAD_BLOCKS =
  /(?:event: ?(?:content_block_delta|content_block_stop|ping)\ndata:[^\n]*\n\n)*/y;

/** What a blocking answer shows. */
export function observeMessage(body: LooseObject): Observation {
  const blocks = objectsIn(body["content"])
    .flatMap((content) => blockIn(content) ?? [])
    .slice(0, OBSERVED_ITEMS_MAX);
  const counts = countsIn(body["usage"]);
  return {
    responseId: body["type"] === "error" ? "" : (textIn(body["id"]) ?? ""),
    model: textIn(body["model"]),
    tokens: counts === null ? null : toTokens(counts),
    toolCalls: blocks.flatMap((block) => (block.kind === "tool_use" ? [toToolCall(block)] : [])),
    thoughts: blocks.flatMap((block) =>
      block.kind === "thinking" && block.text !== "" ? [toThought(block.text)] : [],
    ),
    error: errorIn(body["error"]),
  };
}

/** `text` is the thought, or the pieces of a tool's input. */
type Block =
  | { readonly kind: "thinking"; text: string; isClosed: boolean }
  | {
      readonly kind: "tool_use";
      readonly toolCallId: string;
      readonly tool: string;
      /** What the block began with; pieces that follow replace it. */
      readonly input: unknown;
      text: string;
      isClosed: boolean;
    };

/** Thinking, and calls of the client's tools (`tool_use`) or the provider's (`…_tool_use`). */
function blockIn(content: LooseObject): Block | null {
  const type = textIn(content["type"]) ?? "";
  if (type === "thinking") {
    return { kind: type, text: cutText(textIn(content["thinking"]) ?? ""), isClosed: false };
  }
  if (type !== "tool_use" && !type.endsWith("_tool_use")) return null;
  return {
    kind: "tool_use",
    toolCallId: textIn(content["id"]) ?? "",
    tool: textIn(content["name"]) ?? "",
    input: content["input"] ?? {},
    text: "",
    isClosed: false,
  };
}

function toToolCall(block: Block & { kind: "tool_use" }): ObservedToolCall {
  const input = block.text === "" ? cutText(JSON.stringify(block.input)) : block.text;
  return { toolCallId: block.toolCallId, tool: block.tool, input };
}

function toThought(content: string): ObservedThought {
  return { source: "thinking", content };
}

type Counts = {
  readonly input: number;
  readonly output: number;
  readonly cacheReadInput: number;
  readonly cacheWriteInput: number;
  readonly webSearchRequests: number;
  readonly ephemeral1hInput: number;
  readonly ephemeral5mInput: number;
};

function countsIn(value: unknown): Counts | null {
  const usage = objectIn(value);
  if (usage === null) return null;
  const creation = objectIn(usage["cache_creation"]) ?? {};
  return {
    input: countIn(usage["input_tokens"]),
    output: countIn(usage["output_tokens"]),
    cacheReadInput: countIn(usage["cache_read_input_tokens"]),
    cacheWriteInput: countIn(usage["cache_creation_input_tokens"]),
    webSearchRequests: countIn(objectIn(usage["server_tool_use"])?.["web_search_requests"]),
    ephemeral1hInput: countIn(creation["ephemeral_1h_input_tokens"]),
    ephemeral5mInput: countIn(creation["ephemeral_5m_input_tokens"]),
  };
}

/** Later counts are totals. Zeros and absent ones are placeholders and replace nothing. */
function laterCounts(earlier: Counts | null, later: Counts | null): Counts | null {
  if (earlier === null || later === null) return later ?? earlier;
  return {
    input: later.input || earlier.input,
    output: later.output || earlier.output,
    cacheReadInput: later.cacheReadInput || earlier.cacheReadInput,
    cacheWriteInput: later.cacheWriteInput || earlier.cacheWriteInput,
    webSearchRequests: later.webSearchRequests || earlier.webSearchRequests,
    ephemeral1hInput: later.ephemeral1hInput || earlier.ephemeral1hInput,
    ephemeral5mInput: later.ephemeral5mInput || earlier.ephemeral5mInput,
  };
}

function toTokens(counts: Counts): ObservedTokens {
  const { webSearchRequests, ephemeral1hInput, ephemeral5mInput, ...tokens } = counts;
  return {
    ...tokens,
    extra: withoutZeros({
      web_search_requests: webSearchRequests,
      cache_ephemeral_1h_input: ephemeral1hInput,
      cache_ephemeral_5m_input: ephemeral5mInput,
    }),
  };
}
