/**
 * Where a prompt of a Claude model is to be kept by its provider (spec agents 5.3): by marks in the prompt, or
 * by a word in the body for services that place the marks themselves. Other models are cached unasked.
 */
import type { JSONObject } from "@ai-sdk/provider";
import type { ModelClient } from "./model-client.ts";

export function cacheMarksOf({
  family,
  modelName,
}: Pick<ModelClient, "family" | "modelName">): "none" | "anthropic" | "bedrock" | "openrouter" {
  if (family === "anthropic" || family === "bedrock") return family;
  return family === "openrouter" && isClaude(modelName) ? "openrouter" : "none";
}

/** Of OpenRouter, where its client is not at hand: it places the marks itself. */
export function openRouterCaching(modelName: string): JSONObject {
  return isClaude(modelName) ? { cache_control: { type: "ephemeral" } } : {};
}

/** Of Vercel's gateway, among what it is told of itself: its Chat Completions take no marks. */
export function vercelCaching(modelName: string): JSONObject {
  return isClaude(modelName) ? { caching: "auto" } : {};
}

/** With whose name before it: `anthropic/claude-sonnet-4.5`. */
function isClaude(modelName: string): boolean {
  return /(?:^|[/.])claude/i.test(modelName);
}
