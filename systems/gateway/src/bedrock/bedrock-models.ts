/**
 * What Amazon Bedrock and its models take, as data (spec gateway 4.5.3). It ages with each model: a new
 * one is a line here.
 *
 * A model is meant by a part of its id: the id itself, an id with a region before it, and the ARN of an
 * inference profile all hold it.
 */

/** In the body's `anthropic_version`, where clients send a header. */
export const BEDROCK_ANTHROPIC_VERSION = "bedrock-2023-05-31";

/** The beta flags that are passed on, and for which models. All others are refused by Bedrock. */
export const BETA_FLAGS: Readonly<Record<string, "all models" | readonly string[]>> = {
  "computer-use-2025-01-24": "all models",
  "token-efficient-tools-2025-02-19": "all models",
  "interleaved-thinking-2025-05-14": "all models",
  "output-128k-2025-02-19": "all models",
  "dev-full-thinking-2025-05-14": "all models",
  "context-1m-2025-08-07": "all models",
  "context-management-2025-06-27": ["anthropic.claude-sonnet-4-5", "anthropic.claude-haiku-4-5"],
  "effort-2025-11-24": ["anthropic.claude-opus-4-5"],
  "tool-search-tool-2025-10-19": "all models",
  "tool-examples-2025-10-29": "all models",
};

/** Members of the body that Bedrock refuses. */
export const REFUSED_MEMBERS: readonly string[] = [
  "metadata",
  "service_tier",
  "container",
  "inference_geo",
];

/** Members of the body that Bedrock takes with a beta flag only. */
export const FLAGGED_MEMBERS = {
  output_config: "effort-2025-11-24",
  context_management: "context-management-2025-06-27",
} as const;

/** `both`: thinks adaptively, and within a budget. All models that are not listed: `budget`. */
export const THINKING_MODELS: Readonly<Record<string, "both" | "adaptive">> = {
  "anthropic.claude-opus-4-6": "both",
  "anthropic.claude-sonnet-4-6": "both",
  "anthropic.claude-opus-4-7": "adaptive",
  "anthropic.claude-opus-4-8": "adaptive",
  "anthropic.claude-sonnet-5": "adaptive",
};

/** The share of max_tokens that an adaptively thinking request is given as its budget, in percent. */
export const BUDGET_PERCENTS: ReadonlyMap<string, number> = new Map([
  ["low", 20],
  ["medium", 50],
  ["high", 80],
  ["max", 95],
]);
export const BUDGET_PERCENT_DEFAULT = 80;
/** A smaller budget is refused: such a request does not think. */
export const BUDGET_TOKENS_MIN = 1024;

export type Thinking = "budget" | "both" | "adaptive";

export function thinkingOf(model: string): Thinking {
  const known = Object.entries(THINKING_MODELS).find(([part]) => model.includes(part));
  return known?.[1] ?? "budget";
}

export function takesFlag(model: string, flag: string): boolean {
  const models = Object.hasOwn(BETA_FLAGS, flag) ? BETA_FLAGS[flag] : undefined;
  if (models === undefined) return false;
  return models === "all models" || models.some((part) => model.includes(part));
}
