/** A model's turn as the answer of each wire format, blocking or as a stream of events. */
import type { ModelConversation, ModelToolCall, ModelTurn } from "./scripted-model-conduct.ts";

/** An event as its text, or as its name and data. */
export type StreamEvent = string | { readonly name?: string; readonly data: unknown };

type Turn = {
  readonly id: string;
  readonly model: string;
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly ModelToolCall[];
  readonly input: number;
  readonly output: number;
};

export function toBody(conversation: ModelConversation, turn: ModelTurn, id: string): unknown {
  return BODIES[conversation.format](complete(conversation, turn, id));
}

export function toEvents(
  conversation: ModelConversation,
  turn: ModelTurn,
  id: string,
): StreamEvent[] {
  const whole = complete(conversation, turn, id);
  switch (conversation.format) {
    case "chat_completions":
      return chatEvents(whole, conversation.includesUsage);
    case "responses":
      return responsesEvents(whole);
    case "messages":
      return messagesEvents(whole);
  }
}

export function eventText(event: StreamEvent): string {
  if (typeof event === "string") return event;
  const { name, data } = event;
  const nameLine = name === undefined ? "" : `event: ${name}\n`;
  return `${nameLine}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

const CREATED_AT_S = 1_790_000_000;
const CHARS_PER_TOKEN = 4;

function complete(conversation: ModelConversation, turn: ModelTurn, id: string): Turn {
  const calls = turn.toolCalls ?? [];
  const thinking = turn.thinking ?? "";
  const chars =
    turn.text.length + thinking.length + calls.map((call) => call.input).join("").length;
  return {
    id,
    model: conversation.model,
    text: turn.text,
    thinking,
    calls,
    input: turn.inputTokens ?? conversation.inputTokens,
    output: Math.max(1, Math.ceil(chars / CHARS_PER_TOKEN)),
  };
}

const BODIES: Record<ModelConversation["format"], (turn: Turn) => unknown> = {
  chat_completions: (turn) => ({
    ...chatHead(turn, "chat.completion"),
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: turn.text,
          refusal: null,
          ...(turn.thinking !== "" && { reasoning_content: turn.thinking }),
          ...(turn.calls.length !== 0 && { tool_calls: turn.calls.map(chatCall) }),
        },
        logprobs: null,
        finish_reason: turn.calls.length === 0 ? "stop" : "tool_calls",
      },
    ],
    usage: chatUsage(turn),
  }),
  responses: (turn) => responseObject(turn, "completed"),
  messages: (turn) => ({
    ...messageHead(turn),
    content: messageBlocks(turn),
    stop_reason: turn.calls.length === 0 ? "end_turn" : "tool_use",
    usage: messageUsage(turn, turn.output),
  }),
};

/** Words with the space before them, as models send them. */
function pieces(whole: string): string[] {
  return whole.match(/\s*\S+|\s+$/g) ?? [];
}

function halves(whole: string): string[] {
  const middle = Math.ceil(whole.length / 2);
  return [whole.slice(0, middle), whole.slice(middle)].filter((half) => half !== "");
}

// ── chat completions ──

function chatHead({ id, model }: Turn, object: string): object {
  return { id: `chatcmpl-${id}`, object, created: CREATED_AT_S, model };
}

function chatCall(call: ModelToolCall): object {
  return call.isFreeForm
    ? { id: call.id, type: "custom", custom: { name: call.name, input: call.input } }
    : { id: call.id, type: "function", function: { name: call.name, arguments: call.input } };
}

function chatUsage({ input, output }: Turn): object {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

function chatEvents(turn: Turn, includesUsage: boolean): StreamEvent[] {
  const chunk = (choices: readonly object[], usage: object | null = null): StreamEvent => ({
    data: {
      ...chatHead(turn, "chat.completion.chunk"),
      choices,
      ...(includesUsage && { usage }),
    },
  });
  const delta = (each: object): StreamEvent =>
    chunk([{ index: 0, delta: each, finish_reason: null }]);
  const calls = turn.calls.flatMap((call, index) => {
    const begun = chatCall({ ...call, input: "" });
    const more = halves(call.input).map((piece) => ({
      index,
      ...(call.isFreeForm ? { custom: { input: piece } } : { function: { arguments: piece } }),
    }));
    return [{ index, ...begun }, ...more].map((each) => delta({ tool_calls: [each] }));
  });
  return [
    delta({ role: "assistant", content: "", refusal: null }),
    ...pieces(turn.thinking).map((piece) => delta({ reasoning_content: piece })),
    ...pieces(turn.text).map((piece) => delta({ content: piece })),
    ...calls,
    chunk([{ index: 0, delta: {}, finish_reason: calls.length === 0 ? "stop" : "tool_calls" }]),
    ...(includesUsage ? [chunk([], chatUsage(turn))] : []),
    { data: "[DONE]" },
  ];
}

// ── responses ──

function responseObject(turn: Turn, status: "in_progress" | "completed"): object {
  const isDone = status === "completed";
  return {
    id: `resp_${turn.id}`,
    object: "response",
    created_at: CREATED_AT_S,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: turn.model,
    output: isDone ? responseItems(turn) : [],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: isDone ? responseUsage(turn) : null,
  };
}

/** Clients want the details even where they count nothing. */
function responseUsage({ input, output }: Turn): object {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

type Item = { readonly id: string; readonly type: string; readonly [name: string]: unknown };

function responseItems(turn: Turn): Item[] {
  const summary = { type: "summary_text", text: turn.thinking };
  const reasoning = { id: `rs_${turn.id}`, type: "reasoning", summary: [summary] };
  const content = [{ type: "output_text", text: turn.text, annotations: [], logprobs: [] }];
  const message = {
    id: `msg_${turn.id}`,
    type: "message",
    status: "completed",
    role: "assistant",
    content,
  };
  return [
    ...(turn.thinking === "" ? [] : [reasoning]),
    ...(turn.text === "" ? [] : [message]),
    ...turn.calls.map((call, i) => callItem(call, `${turn.id}_${i}`)),
  ];
}

function callItem({ id: call_id, name, input, isFreeForm }: ModelToolCall, id: string): Item {
  const status = "completed";
  return isFreeForm
    ? { id: `ctc_${id}`, type: "custom_tool_call", status, call_id, name, input }
    : { id: `fc_${id}`, type: "function_call", status, call_id, name, arguments: input };
}

function responsesEvents(turn: Turn): StreamEvent[] {
  const events = [
    { type: "response.created", response: responseObject(turn, "in_progress") },
    { type: "response.in_progress", response: responseObject(turn, "in_progress") },
    ...responseItems(turn).flatMap((item, i) => itemEvents(turn, item, i)),
    { type: "response.completed", response: responseObject(turn, "completed") },
  ];
  return events.map((event, sequence_number) => ({
    name: event.type,
    data: { ...event, sequence_number },
  }));
}

function itemEvents(turn: Turn, item: Item, output_index: number): { type: string }[] {
  const place = { item_id: item.id, output_index };
  const begun = { ...item, status: "in_progress", ...EMPTY_ITEMS[item.type] };
  return [
    { type: "response.output_item.added", output_index, item: begun },
    ...contentEvents(turn, item, place),
    { type: "response.output_item.done", output_index, item },
  ] as { type: string }[]; // Each has a type, and members of its own.
}

const EMPTY_ITEMS: Readonly<Record<string, object>> = {
  message: { content: [] },
  reasoning: { summary: [] },
  function_call: { arguments: "" },
  custom_tool_call: { input: "" },
};

function contentEvents(turn: Turn, item: Item, place: object): { type: string }[] {
  const deltas = (type: string, parts: readonly string[], more: object): { type: string }[] =>
    parts.map((delta) => ({ type, ...place, ...more, delta }));
  switch (item.type) {
    case "message": {
      const at = { ...place, content_index: 0 };
      const part = { type: "output_text", text: turn.text, annotations: [], logprobs: [] };
      const more = { content_index: 0, logprobs: [] };
      return [
        { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
        ...deltas("response.output_text.delta", pieces(turn.text), more),
        { type: "response.output_text.done", ...at, text: turn.text, logprobs: [] },
        { type: "response.content_part.done", ...at, part },
      ] as { type: string }[]; // Each has a type, and members of its own.
    }
    case "reasoning": {
      const type = "response.reasoning_summary_text.delta";
      return deltas(type, pieces(turn.thinking), { summary_index: 0 });
    }
    case "function_call":
      return [
        ...deltas("response.function_call_arguments.delta", halves(String(item["arguments"])), {}),
        { type: "response.function_call_arguments.done", ...place, arguments: item["arguments"] },
      ] as { type: string }[]; // Each has a type, and members of its own.
    default:
      return [
        ...deltas("response.custom_tool_call_input.delta", halves(String(item["input"])), {}),
        { type: "response.custom_tool_call_input.done", ...place, input: item["input"] },
      ] as { type: string }[]; // Each has a type, and members of its own.
  }
}

// ── messages ──

function messageHead({ id, model }: Turn): object {
  return {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function messageUsage({ input }: Turn, output: number): object {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
    service_tier: "standard",
  };
}

function messageBlocks({ thinking, text, calls }: Turn): object[] {
  return [
    ...(thinking === "" ? [] : [{ type: "thinking", thinking, signature: "c2NyaXB0ZWQ=" }]),
    ...(text === "" ? [] : [{ type: "text", text }]),
    ...calls.map(({ id, name, input }) => ({
      type: "tool_use",
      id,
      name,
      input: JSON.parse(input) as unknown,
    })),
  ];
}

function messagesEvents(turn: Turn): StreamEvent[] {
  const message = { ...messageHead(turn), usage: messageUsage(turn, 1) };
  const thinking = [
    ...pieces(turn.thinking).map((piece) => ({ type: "thinking_delta", thinking: piece })),
    { type: "signature_delta", signature: "c2NyaXB0ZWQ=" },
  ];
  const text = pieces(turn.text).map((piece) => ({ type: "text_delta", text: piece }));
  const blocks = [
    ...(turn.thinking === ""
      ? []
      : [{ start: { type: "thinking", thinking: "", signature: "" }, deltas: thinking }]),
    ...(turn.text === "" ? [] : [{ start: { type: "text", text: "" }, deltas: text }]),
    ...turn.calls.map(({ id, name, input }) => ({
      start: { type: "tool_use", id, name, input: {} },
      deltas: ["", ...halves(input)].map((piece) => ({
        type: "input_json_delta",
        partial_json: piece,
      })),
    })),
  ];
  const stop_reason = turn.calls.length === 0 ? "end_turn" : "tool_use";
  const events = [
    { type: "message_start", message },
    { type: "ping" },
    ...blocks.flatMap(({ start, deltas }, index) => [
      { type: "content_block_start", index, content_block: start },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: turn.output },
    },
    { type: "message_stop" },
  ];
  return events.map((data) => ({ name: data.type, data }));
}
