/** What a chat has used: how full its context is, and what it cost. */
import type { ChatMessage, ChatUsage } from "@atelier/contract/http/chats";
import { CLEAR_TOOL, SUMMARY_TOOL } from "../transcript/transcript-rows.ts";

export type ContextFill = {
  readonly tokens: number;
  readonly limit: number;
  readonly percent: number;
};

/** Of the last answer. Null: nothing is known, as after the history was summed up. */
export function contextFill(messages: readonly ChatMessage[]): ContextFill | null {
  for (const message of messages.toReversed()) {
    const isBoundary = message.content.some(
      (part) =>
        part.type === "tool-call" &&
        (part.tool_name === SUMMARY_TOOL || part.tool_name === CLEAR_TOOL),
    );
    if (isBoundary) return null;
    const { usage } = message;
    const tokens = usage === undefined ? null : contextTokens(usage);
    const limit = usage?.context_limit;
    if (message.role !== "assistant" || tokens === null || limit === undefined) continue;
    return { tokens, limit, percent: Math.min(100, Math.round((tokens / limit) * 100)) };
  }
  return null;
}

/** All that the model was sent, and what it answered: the next call sends both. */
export function contextTokens(usage: ChatUsage): number | null {
  const { input_tokens: input, output_tokens: output } = usage;
  if (input === undefined) return null;
  const cached = (usage.cache_read_tokens ?? 0) + (usage.cache_creation_tokens ?? 0);
  return input + cached + (output ?? 0);
}

/** `12.3k in (80% cached) · 240 out` */
export function usageText(usage: ChatUsage): string {
  const { input_tokens: fresh, output_tokens: output, reasoning_tokens: reasoning } = usage;
  const cached = usage.cache_read_tokens ?? 0;
  const input = (fresh ?? 0) + cached + (usage.cache_creation_tokens ?? 0);
  const share = input === 0 ? 0 : Math.round((cached / input) * 100);
  return [
    ...(fresh === undefined
      ? []
      : [`${tokenText(input)} in${share === 0 ? "" : ` (${share}% cached)`}`]),
    ...(output === undefined ? [] : [`${tokenText(output)} out`]),
    ...(reasoning === undefined || reasoning === 0 ? [] : [`${tokenText(reasoning)} of thought`]),
  ].join(" · ");
}

export function tokenText(tokens: number): string {
  if (tokens < 1_000) return String(tokens);
  if (tokens < 100_000) return `${(tokens / 1_000).toFixed(1)}k`;
  return tokens < 1_000_000
    ? `${Math.round(tokens / 1_000)}k`
    : `${(tokens / 1_000_000).toFixed(1)}M`;
}

/** Of all messages that are here. */
export function totalTokens(messages: readonly ChatMessage[]): number {
  let total = 0;
  for (const { usage } of messages) total += usage === undefined ? 0 : (contextTokens(usage) ?? 0);
  return total;
}

export type Cost = {
  /** Null: no price is known. */
  readonly total_cost_micros: number | null;
  readonly request_count: number;
  readonly unpriced_request_count: number;
};

/** Money where there is a price, else tokens. Empty: nothing was asked yet. */
export function chatCostText(cost: Cost, tokens: number): string {
  if (cost.request_count === 0) return "";
  return moneyOf(cost) ?? `${tokenText(tokens)} tokens`;
}

/** Null: no price is known. */
export function moneyOf(cost: Cost): string | null {
  const {
    total_cost_micros: micros,
    request_count: count,
    unpriced_request_count: unpriced,
  } = cost;
  if (micros === null || unpriced === count) return null;
  const dollars = micros / 1_000_000;
  const money = `$${dollars < 0.1 ? dollars.toFixed(3) : dollars.toFixed(2)}`;
  return unpriced === 0 ? money : `${money} and ${unpriced} without a price`;
}
