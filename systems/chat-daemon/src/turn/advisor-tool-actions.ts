/**
 * The advisor: one call of a model without tools, about the conversation that the turn belongs to (spec
 * agents 7.4). How often it was asked in a turn is read from the history, so a crash forgets nothing.
 */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Result } from "@atelier/base/result";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import { z } from "zod";
import { ADVISOR_PROMPT } from "../prompt/built-in-prompt.ts";
import type { HistoryRow } from "../prompt/history-row.ts";
import { toModelPrompt } from "../prompt/model-prompt.ts";
import type { SystemLayer } from "../prompt/system-layers.ts";
import {
  defineTool,
  toolValue,
  type ChatTool,
  type ToolContext,
  type ToolOutcome,
} from "../tools/tool.ts";
import type { DebugRecorder } from "../debug-runs/debug-recorder.ts";
import { rowsOfTurn } from "./decision.ts";
import { classifyModelError } from "./model-error.ts";
import { readModelStream } from "./model-stream-actions.ts";
import {
  recordTurnCall,
  streamedAnswer,
  type RecordedChat,
  type TurnCall,
} from "./recorded-turn-actions.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { TurnModel } from "./turn-deps.ts";

export const ADVISOR_OUTPUT_TOKENS = 16_384;

const QUESTION_CHARACTERS_MAX = 2_000;
const RECENT_MESSAGES_MAX = 20;
const RECENT_BYTES_MAX = 12_000;
const ATTEMPTS_MAX = 3;
const ADVISOR_TOOL = "advisor";

export type AdvisorTurn = {
  readonly rows: readonly HistoryRow[];
  /** Of the turn's prompt. */
  readonly layers: () => readonly SystemLayer[];
  readonly model: () => Promise<Result<TurnModel, ChatError>>;
  /** 0: as often as it likes. */
  readonly usesMax: number;
  readonly outputTokensMax: number;
  readonly recorder: DebugRecorder;
  readonly recorded: RecordedChat;
};

export function advisorTool(turn: AdvisorTurn): ChatTool {
  return defineTool({
    name: ADVISOR_TOOL,
    description:
      "Asks an experienced colleague who sees the recent conversation for strategic advice. Call it alone.",
    input: z.object({ question: z.string().trim().min(1) }),
    isExclusive: true,
    run: async ({ question }, context) => {
      const left = turn.usesMax === 0 ? null : turn.usesMax - usesOf(turn.rows);
      if (left !== null && left <= 0)
        return toolValue({ type: "limit_reached", remaining_uses: 0 });
      const model = await turn.model();
      if (!model.ok) return failed(model.failure.message, left);
      const advice = await ask(turn, model.value, question, context);
      if (!advice.ok) return failed(advice.failure, left);
      return toolValue({
        ...{ type: "advice", advice: advice.value, advisor_model: model.value.model.modelId },
        remaining_uses: left === null ? null : left - 1,
      });
    },
  });
}

/** Only what gave advice counts. */
function usesOf(rows: readonly HistoryRow[]): number {
  return rowsOfTurn(rows)
    .flatMap(({ content }) => content)
    .filter((part) => part.type === "tool-result" && part.tool_name === ADVISOR_TOOL)
    .filter((part) => JSON.stringify(part).includes('"type":"advice"')).length;
}

function failed(error: string, left: number | null): ToolOutcome {
  return toolValue({ type: "error", error, remaining_uses: left });
}

async function ask(
  turn: AdvisorTurn,
  model: TurnModel,
  question: string,
  context: ToolContext,
): Promise<Result<string, string>> {
  const { clock, signal } = context;
  const prompt = advisorPrompt(turn, model, question);
  const maxOutputTokens = turn.outputTokensMax;
  const options = { ...withoutChain(model.callSettings), ...{ prompt, maxOutputTokens } };
  const { toolCallId } = context;
  const call: TurnCall = {
    ...{ model, options, signal, toolCallId },
    ...{ operation: "stream", purpose: "advice" },
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const step = await recordTurnCall(turn.recorder, turn.recorded, call, {
        run: () =>
          readModelStream(model.model, options, {
            ...{ clock, signal, invoked: () => {} },
            show: ({ part }) => {
              if (part.type === "text") context.publish(live(context, { result_delta: part.text }));
            },
          }),
        answerOf: streamedAnswer,
      });
      const said = step.parts().map((part) => (part.type === "text" ? part.text : ""));
      const advice = said.join("").trim();
      if (advice !== "") return { ok: true, value: advice };
      return { ok: false, failure: "The advisor had nothing to say." };
    } catch (error) {
      signal.throwIfAborted();
      const { error: chatError, retryAfterMs } = classifyModelError(error, model.provider);
      if (!chatError.retryable || attempt === ATTEMPTS_MAX) {
        return { ok: false, failure: chatError.message };
      }
      context.publish(live(context, { result_reset: true }));
      await clock.sleep(retryDelayMs(attempt, retryAfterMs), signal);
    }
  }
}

function live(
  { toolCallId }: ToolContext,
  more: { readonly result_delta?: string; readonly result_reset?: boolean },
) {
  const about = { type: "tool-result" as const, tool_call_id: toolCallId };
  return { ...about, tool_name: ADVISOR_TOOL, result: null, ...more };
}

/** Nothing is kept by the provider, and no conversation of its own continued. */
function withoutChain(settings: TurnModel["callSettings"]): TurnModel["callSettings"] {
  const openai = settings.providerOptions?.["openai"];
  if (openai === undefined) return settings;
  const { previousResponseId: _id, ...rest } = openai;
  return {
    ...settings,
    providerOptions: { ...settings.providerOptions, openai: { ...rest, store: false } },
  };
}

function advisorPrompt(
  { rows, layers }: AdvisorTurn,
  model: TurnModel,
  question: string,
): LanguageModelV4Prompt {
  const inherited = layers().filter(({ name }) => name !== "advisor");
  const system = [...inherited, { name: "advising", text: ADVISOR_PROMPT }];
  const { configId: modelConfigId, takesFile } = model;
  const prompt = toModelPrompt(rows, system, { modelConfigId, takesFile, files: new Map() });
  const asked = [...question].slice(0, QUESTION_CHARACTERS_MAX).join("");
  return [
    ...prompt.filter(({ role }) => role === "system"),
    ...recent(prompt.filter(({ role }) => role !== "system")),
    { role: "user", content: [{ type: "text", text: asked }] },
  ];
}

/** The newest that fit; neither a call without its result nor a result without its call. */
function recent(messages: readonly LanguageModelV4Message[]): readonly LanguageModelV4Message[] {
  const kept: LanguageModelV4Message[] = [];
  let bytes = 0;
  // The call of the advisor itself has no result yet: the question stands for it.
  const before = messages.slice(
    0,
    messages.findLastIndex(({ role }) => role === "assistant"),
  );
  for (const message of before.toReversed().slice(0, RECENT_MESSAGES_MAX)) {
    bytes += Buffer.byteLength(JSON.stringify(message));
    if (bytes > RECENT_BYTES_MAX) break;
    kept.unshift(message);
  }
  const start = kept.findIndex(({ role }) => role !== "tool");
  return start < 0 ? [] : kept.slice(start);
}
