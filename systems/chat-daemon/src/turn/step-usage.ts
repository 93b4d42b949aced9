/** What a model's answer took, as it is stored. */
import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import type { StepUsage } from "../state/chat-row.ts";

/** Tokens as they are stored: the input without what the cache served. */
export function toStepUsage(usage: LanguageModelV4Usage, contextLimit: number | null): StepUsage {
  const { inputTokens: input, outputTokens: output } = usage;
  const cached = (input.cacheRead ?? 0) + (input.cacheWrite ?? 0);
  const fresh = input.noCache ?? (input.total === undefined ? undefined : input.total - cached);
  const hasTotal = input.total !== undefined || output.total !== undefined;
  return {
    inputTokens: fresh ?? null,
    outputTokens: output.total ?? null,
    totalTokens: hasTotal ? (input.total ?? 0) + (output.total ?? 0) : null,
    reasoningTokens: output.reasoning ?? null,
    cacheCreationTokens: input.cacheWrite ?? null,
    cacheReadTokens: input.cacheRead ?? null,
    contextLimit,
  };
}
