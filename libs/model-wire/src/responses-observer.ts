/**
 * Observes answers of the responses format. Spec: gateway 4.3.5-4.3.9, with usage also from incomplete
 * and failed responses, and with the calls of tools that run at the provider.
 *
 * The final event repeats the request and the whole output, so it is scanned, not parsed: the items
 * were parsed when each was done.
 */
import { listElements, readMembers, readText, scanDocument, type Slice } from "./json-scanner.ts";
import {
  countIn,
  type LooseObject,
  objectIn,
  objectsIn,
  parseLooseJson,
  textIn,
} from "./loose-json.ts";
import {
  cutText,
  describeError,
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

export class ResponsesReader implements EventReader {
  #responseId = "";
  #model: string | null = null;
  #tokens: ObservedTokens | null = null;
  #error: ObservedError | null = null;
  #isTerminated = false;
  #nextSequenceNumber = 0;
  #itemsDone = 0;
  #toolCalls: ObservedToolCall[] = [];
  #thoughts: ObservedThought[] = [];

  readEvent(name: string, data: Uint8Array, isOversized: boolean): void {
    const expected = this.#nextSequenceNumber;
    this.#nextSequenceNumber += 1;
    if (isOversized) {
      this.#isTerminated ||= isTerminal(name);
    } else if (name === "" || this.#matters(name)) {
      this.#read(name, data, expected);
    }
  }

  interesting(): null {
    return null;
  }

  negligible(): RegExp {
    return DELTAS;
  }

  /** Each has its number. */
  passedOver(text: string, from: number, to: number): void {
    for (let at = from; at < to; at = text.indexOf(EVENT_END, at) + EVENT_END.length) {
      this.#nextSequenceNumber += 1;
    }
  }

  isTerminated(): boolean {
    return this.#isTerminated;
  }

  observation(): Observation {
    return {
      responseId: this.#responseId,
      model: this.#model,
      tokens: this.#tokens,
      toolCalls: this.#toolCalls.slice(0, OBSERVED_ITEMS_MAX),
      thoughts: this.#thoughts.slice(0, OBSERVED_ITEMS_MAX),
      error: this.#error,
    };
  }

  /** Events count up by one, so only events that are read anyway are asked for their number. */
  nextSequenceNumber(): number {
    return this.#nextSequenceNumber;
  }

  #matters(name: string): boolean {
    if (name === "response.output_item.done" || name === "error" || isTerminal(name)) return true;
    return this.#responseId === "" && !name.endsWith(".delta");
  }

  #read(givenName: string, data: Uint8Array, expectedSequenceNumber: number): void {
    const scanned = scanDocument(data, EVENT_MEMBERS);
    if (!scanned.ok) return;
    const members = scanned.value;
    const name = givenName === "" ? (readText(data, members.get("type")) ?? "") : givenName;
    const sequenceNumber = countIn(parseSlice(data, members.get("sequence_number")));
    this.#nextSequenceNumber = Math.max(expectedSequenceNumber, sequenceNumber) + 1;
    const item = members.get("item");
    if (name === "response.output_item.done" && item !== undefined) {
      this.#itemsDone += 1;
      this.#readItem(objectIn(parseSlice(data, item)));
    }
    const response = members.get("response");
    if (response !== undefined) this.#readResponse(name, data, response);
    if (name === "error" || (name === "" && members.has("error"))) this.#readError(data);
    this.#isTerminated ||= isTerminal(name) || this.#error !== null;
  }

  #readResponse(name: string, data: Uint8Array, slice: Slice): void {
    const response = readMembers(data, slice, RESPONSE_MEMBERS);
    if (this.#responseId === "") this.#responseId = readText(data, response.get("id")) ?? "";
    this.#model ??= readText(data, response.get("model"));
    if (!isTerminal(name)) return;
    this.#tokens = tokensIn(parseSlice(data, response.get("usage"))) ?? this.#tokens;
    this.#error ??= errorIn(parseSlice(data, response.get("error")));
    if (name === "response.failed") this.#error ??= UNEXPLAINED_FAILURE;
    const output = response.get("output");
    // An item whose own event was lost or damaged is still in the final output.
    if (output === undefined || listElements(data, output).length <= this.#itemsDone) return;
    this.#toolCalls = [];
    this.#thoughts = [];
    for (const item of objectsIn(parseSlice(data, output))) this.#readItem(item);
  }

  /** The error is the event itself or, from some providers, its `error` member. */
  #readError(data: Uint8Array): void {
    const event = objectIn(parseLooseJson(data));
    if (event === null) return;
    this.#error ??= errorIn(event["error"]) ?? describeError(event);
  }

  #readItem(item: LooseObject | null): void {
    if (item === null || OBSERVED_ITEMS_MAX < this.#itemsDone) return;
    this.#toolCalls.push(...toolCallsIn(item));
    this.#thoughts.push(...thoughtsIn(item));
  }
}

/** What nobody reads of a response, as providers write it. */
const DELTAS = /(?:event: ?response\.[\w.]+\.delta\ndata:[^\n]*\n\n)*/y;
const EVENT_END = "\n\n";

/** What a blocking answer shows. */
export function observeResponse(body: LooseObject): Observation {
  const items = objectsIn(body["output"]).slice(0, OBSERVED_ITEMS_MAX);
  const error = errorIn(body["error"]);
  return {
    responseId: textIn(body["id"]) ?? "",
    model: textIn(body["model"]),
    tokens: tokensIn(body["usage"]),
    toolCalls: items.flatMap(toolCallsIn).slice(0, OBSERVED_ITEMS_MAX),
    thoughts: items.flatMap(thoughtsIn).slice(0, OBSERVED_ITEMS_MAX),
    error: error ?? (body["status"] === "failed" ? UNEXPLAINED_FAILURE : null),
  };
}

const EVENT_MEMBERS = ["type", "sequence_number", "response", "item", "error"];
const RESPONSE_MEMBERS = ["id", "model", "usage", "error", "output"];
const UNEXPLAINED_FAILURE: ObservedError = { type: "server_error", message: "" };

function isTerminal(name: string): boolean {
  switch (name) {
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
    case "response.cancelled":
    case "error":
      return true;
    default:
      return false;
  }
}

function parseSlice(data: Uint8Array, slice: Slice | undefined): unknown {
  return slice === undefined ? undefined : parseLooseJson(data.subarray(slice.start, slice.end));
}

function toolCallsIn(item: LooseObject): ObservedToolCall[] {
  const type = textIn(item["type"]) ?? "";
  if (!type.endsWith("_call")) return [];
  const toolCallId = textIn(item["call_id"]) ?? textIn(item["id"]) ?? "";
  switch (type) {
    case "function_call": {
      const input = cutText(inputText(item["arguments"]).trim());
      return [{ toolCallId, tool: textIn(item["name"]) ?? "", input }];
    }
    case "custom_tool_call": {
      const input = cutText(inputText(item["input"]));
      return [{ toolCallId, tool: textIn(item["name"]) ?? "", input }];
    }
    case "mcp_call": {
      const { server_label: server, name, arguments: input } = item;
      return [{ toolCallId, tool: type, input: cutText(inputText({ server, name, input })) }];
    }
    default:
      return [{ toolCallId, tool: type, input: cutText(serverToolInput(item)) }];
  }
}

/** Tools that run at the provider each have their own word for what was asked of them. */
function serverToolInput(item: LooseObject): string {
  const name = ["action", "arguments", "operation", "queries", "code", "input"].find(
    (each) => item[each] !== undefined && item[each] !== null,
  );
  return name === undefined ? "{}" : inputText(item[name]);
}

function inputText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function thoughtsIn(item: LooseObject): ObservedThought[] {
  switch (item["type"]) {
    case "reasoning":
      return [
        ...thoughts("reasoning_summary", item["summary"], "summary_text"),
        ...thoughts("reasoning", item["content"], "reasoning_text"),
      ];
    case "message":
      if (item["phase"] !== "commentary") return [];
      return thoughts("commentary", item["content"], "output_text");
    default:
      return [];
  }
}

function thoughts(
  source: ObservedThought["source"],
  parts: unknown,
  partType: string,
): ObservedThought[] {
  return objectsIn(parts)
    .filter((part) => part["type"] === partType)
    .map((part) => ({ source, content: cutText(textIn(part["text"]) ?? "") }))
    .filter((thought) => thought.content !== "");
}

function tokensIn(value: unknown): ObservedTokens | null {
  const usage = objectIn(value);
  if (usage === null) return null;
  const input = objectIn(usage["input_tokens_details"]) ?? {};
  const output = objectIn(usage["output_tokens_details"]) ?? {};
  const cacheReadInput = countIn(input["cached_tokens"]);
  const cacheWriteInput = countIn(input["cache_write_tokens"]);
  return {
    // The input's count includes what came from the cache and what went into it.
    input: Math.max(0, countIn(usage["input_tokens"]) - cacheReadInput - cacheWriteInput),
    output: countIn(usage["output_tokens"]),
    cacheReadInput,
    cacheWriteInput,
    extra: withoutZeros({
      output_reasoning: countIn(output["reasoning_tokens"]),
      total_tokens: countIn(usage["total_tokens"]),
    }),
  };
}
