/**
 * Observes answers of the chat completions format. Spec: gateway 4.2.6-4.2.7, with all tool calls, the
 * last usage that counts anything, and the reasoning texts of compatible providers.
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
  type ObservedTokens,
  type ObservedToolCall,
  withoutZeros,
} from "./observation.ts";

export class ChatCompletionsReader implements EventReader {
  #responseId = "";
  #model: string | null = null;
  #tokens: ObservedTokens | null = null;
  #error: ObservedError | null = null;
  readonly #choices = new Map<number, Choice>();
  #choicesFinished = 0;
  #isDone = false;

  readEvent(_name: string, data: Uint8Array, isOversized: boolean): void {
    if (isOversized) return;
    const text = UTF8.decode(data);
    if (isDone(text)) {
      this.#isDone = true;
      return;
    }
    if (!this.#mayMatter(text)) return;
    const chunk = objectIn(parseLooseJson(text));
    if (chunk === null) return;
    if (this.#responseId === "") this.#responseId = textIn(chunk["id"]) ?? "";
    this.#model ??= textIn(chunk["model"]);
    this.#error ??= errorIn(chunk["error"]);
    this.#tokens = laterTokens(this.#tokens, tokensIn(chunk["usage"]));
    for (const choice of objectsIn(chunk["choices"])) this.#readChoice(choice);
  }

  interesting(): RegExp | null {
    return this.#responseId === "" || this.#isFinished() ? null : INTERESTING;
  }

  negligible(): null {
    return null;
  }

  passedOver(): void {}

  /**
   * Some compatible providers leave `[DONE]` out, so finished choices end the stream, too. A choice
   * that only then begins to speak opens it again.
   */
  isTerminated(): boolean {
    return this.#isDone || this.#error !== null || this.#isFinished();
  }

  observation(): Observation {
    const choices = [...this.#choices.values()];
    const calls = choices.flatMap((choice) => [...choice.calls.values()]);
    const isWhole = this.#isDone || this.#isFinished();
    return {
      responseId: this.#responseId,
      model: this.#model,
      tokens: this.#tokens,
      // Nobody can have run a call whose input was cut.
      toolCalls: calls
        .filter((call) => isWhole || isWholeJson(call))
        .map(({ toolCallId, tool, input }) => ({ toolCallId, tool, input })),
      thoughts: choices
        .filter((choice) => choice.reasoning !== "")
        .map((choice) => ({ source: "reasoning", content: choice.reasoning })),
      error: this.#error,
    };
  }

  nextSequenceNumber(): number {
    return 0;
  }

  /** Most events only carry a piece of text. Those are not worth parsing. */
  #mayMatter(text: string): boolean {
    return this.#responseId === "" || this.#isFinished() || MATTERS.test(text);
  }

  #isFinished(): boolean {
    return this.#choices.size !== 0 && this.#choicesFinished === this.#choices.size;
  }

  #readChoice(choice: LooseObject): void {
    const state = this.#choiceAt(countIn(choice["index"]));
    if (state === null) return;
    if (textIn(choice["finish_reason"]) !== null && !state.isFinished) {
      state.isFinished = true;
      this.#choicesFinished += 1;
    }
    const delta = objectIn(choice["delta"]);
    if (delta === null) return;
    state.reasoning = appendText(state.reasoning, reasoningIn(delta));
    for (const call of objectsIn(delta["tool_calls"])) readCallDelta(state.calls, call);
  }

  #choiceAt(index: number): Choice | null {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    if (this.#choices.size === OBSERVED_ITEMS_MAX) return null;
    const choice = { isFinished: false, reasoning: "", calls: new Map<number, Call>() };
    this.#choices.set(index, choice);
    return choice;
  }
}

/** What a blocking answer shows. */
export function observeChatCompletion(body: LooseObject): Observation {
  const messages = objectsIn(body["choices"]).map((choice) => objectIn(choice["message"]) ?? {});
  return {
    responseId: textIn(body["id"]) ?? "",
    model: textIn(body["model"]),
    tokens: tokensIn(body["usage"]),
    toolCalls: messages
      .flatMap((message) => objectsIn(message["tool_calls"]).map(wholeCall))
      .slice(0, OBSERVED_ITEMS_MAX),
    thoughts: messages
      .map((message) => cutText(reasoningIn(message)))
      .filter((content) => content !== "")
      .slice(0, OBSERVED_ITEMS_MAX)
      .map((content) => ({ source: "reasoning", content })),
    error: errorIn(body["error"]),
  };
}

type Choice = { isFinished: boolean; reasoning: string; readonly calls: Map<number, Call> };
type Call = { toolCallId: string; tool: string; input: string; isCustom: boolean };

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
/**
 * Members that carry something to record, unless they are null. White space before a value counts as
 * a value: the event is then parsed to no use, which is only slower.
 */
const MATTERS = /"(?:tool_calls|reasoning(?:_content)?|error|usage|finish_reason)"(?!:null)/;

/** The same, or the beginning of `[DONE]`, in the text of whole events. */
const INTERESTING = new RegExp(`${MATTERS.source}|data: ?\\[`, "g");

/** An event that upstream cut inside `[DONE]` had only this to say, and everything before was said. */
function isDone(text: string): boolean {
  return text.startsWith("[") && "[DONE]".startsWith(text.trimEnd());
}

function readCallDelta(calls: Map<number, Call>, delta: LooseObject): void {
  const call = callOf(calls, delta);
  if (call === null) return;
  const custom = objectIn(delta["custom"]);
  const part = custom ?? objectIn(delta["function"]);
  if (call.toolCallId === "") call.toolCallId = textIn(delta["id"]) ?? "";
  if (part === null) return;
  if (call.tool === "") call.tool = textIn(part["name"]) ?? "";
  if (custom !== null) call.isCustom = true;
  call.input = appendText(call.input, inputIn(custom === null ? part["arguments"] : part["input"]));
}

/** Providers that give no index begin a call by giving an id. */
function callOf(calls: Map<number, Call>, delta: LooseObject): Call | null {
  const id = textIn(delta["id"]) ?? "";
  const last = Math.max(0, calls.size - 1);
  const isNext = id !== "" && calls.size !== 0 && calls.get(last)?.toolCallId !== id;
  const index = typeof delta["index"] === "number" ? delta["index"] : isNext ? last + 1 : last;
  const known = calls.get(index);
  if (known !== undefined) return known;
  if (calls.size === OBSERVED_ITEMS_MAX) return null;
  const call = { toolCallId: "", tool: "", input: "", isCustom: false };
  calls.set(index, call);
  return call;
}

function wholeCall(call: LooseObject): ObservedToolCall {
  const custom = objectIn(call["custom"]);
  const part = custom ?? objectIn(call["function"]) ?? {};
  return {
    toolCallId: textIn(call["id"]) ?? "",
    tool: textIn(part["name"]) ?? "",
    input: cutText(inputIn(custom === null ? part["arguments"] : part["input"])),
  };
}

/** Of a free-form input nobody can say whether it was cut. */
function isWholeJson(call: Call): boolean {
  return !call.isCustom && parseLooseJson(call.input) !== undefined;
}

function inputIn(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Two names for one thing. A provider that sends both means the same text. */
function reasoningIn(message: LooseObject): string {
  return textIn(message["reasoning_content"]) ?? textIn(message["reasoning"]) ?? "";
}

function tokensIn(value: unknown): ObservedTokens | null {
  const usage = objectIn(value);
  if (usage === null) return null;
  const prompt = objectIn(usage["prompt_tokens_details"]) ?? {};
  const completion = objectIn(usage["completion_tokens_details"]) ?? {};
  const cacheReadInput = countIn(prompt["cached_tokens"]);
  const cacheWriteInput = countIn(prompt["cache_write_tokens"]);
  return {
    // The prompt's count includes what came from the cache and what went into it.
    input: Math.max(0, countIn(usage["prompt_tokens"]) - cacheReadInput - cacheWriteInput),
    output: countIn(usage["completion_tokens"]),
    cacheReadInput,
    cacheWriteInput,
    extra: withoutZeros({
      prompt_audio: countIn(prompt["audio_tokens"]),
      completion_accepted_prediction: countIn(completion["accepted_prediction_tokens"]),
      completion_rejected_prediction: countIn(completion["rejected_prediction_tokens"]),
      completion_audio: countIn(completion["audio_tokens"]),
      completion_reasoning: countIn(completion["reasoning_tokens"]),
    }),
  };
}

/** Usage that comes several times is cumulative. Zeros are placeholders and replace nothing. */
function laterTokens(
  earlier: ObservedTokens | null,
  later: ObservedTokens | null,
): ObservedTokens | null {
  if (later === null) return earlier;
  const counts = later.input + later.output + later.cacheReadInput + later.cacheWriteInput;
  return earlier !== null && counts === 0 ? earlier : later;
}
