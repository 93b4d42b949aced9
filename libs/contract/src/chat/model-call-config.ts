/**
 * What an administrator decides about the calls of one model: limits, sampling, effort, and what only
 * its provider knows. Unknown keys are refused: a misspelt one would change nothing in silence.
 *
 * Azure reads `openai`, Bedrock reads `anthropic`.
 */
import { z } from "zod";
import { REASONING_EFFORTS, ReasoningEffort } from "./chat-words.ts";

const Text = z.string().min(1).max(4_096);
const Tokens = z.int().min(1).max(100_000_000);
const Domains = z.array(z.string().min(1).max(253)).min(1).max(100);
const LogitBias = z.record(z.string().regex(/^\d+$/, "A token's number."), z.number());
const ExtraBody = z.record(z.string(), z.json());

/** R: only with the Responses API. C: only with Chat Completions. */
export const OpenAiModelOptions = z.strictObject({
  include: z
    .array(z.enum(["reasoning.encrypted_content", "file_search_call.results"]))
    .optional()
    .meta({ description: "R. What answers hold besides." }),
  instructions: Text.optional().meta({ description: "R." }),
  logit_bias: LogitBias.optional().meta({ description: "C." }),
  log_probs: z.boolean().optional(),
  top_log_probs: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .meta({ description: "Wins over `log_probs` with the Responses API." }),
  max_tool_calls: z.int().min(1).optional().meta({ description: "R." }),
  parallel_tool_calls: z.boolean().optional(),
  user: Text.optional(),
  reasoning_summary: z.enum(["auto", "concise", "detailed"]).optional().meta({ description: "R." }),
  max_completion_tokens: Tokens.optional().meta({ description: "C." }),
  text_verbosity: z.enum(["low", "medium", "high"]).optional(),
  prediction: ExtraBody.optional().meta({ description: "C." }),
  store: z.boolean().optional(),
  metadata: z.record(z.string().max(64), z.string().max(512)).optional(),
  prompt_cache_key: Text.optional(),
  safety_identifier: Text.optional(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority"]).optional(),
  structured_outputs: z.boolean().optional().meta({ description: "C." }),
  strict_json_schema: z.boolean().optional().meta({ description: "R." }),
  web_search_enabled: z.boolean().optional(),
  search_context_size: z.enum(["low", "medium", "high"]).optional(),
  allowed_domains: Domains.optional(),
});
export type OpenAiModelOptions = z.output<typeof OpenAiModelOptions>;

export const AnthropicModelOptions = z
  .strictObject({
    send_reasoning: z.boolean().optional(),
    thinking: z.strictObject({ budget_tokens: z.int().min(1_024) }).optional(),
    thinking_display: z.enum(["summarized", "omitted"]).optional(),
    effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
    disable_parallel_tool_use: z.boolean().optional(),
    web_search_enabled: z.boolean().optional(),
    allowed_domains: Domains.optional(),
    blocked_domains: Domains.optional(),
    context_1m_enabled: z.boolean().optional(),
  })
  .refine(
    ({ allowed_domains, blocked_domains }) =>
      allowed_domains === undefined || blocked_domains === undefined,
    "Either `allowed_domains` or `blocked_domains`.",
  );
export type AnthropicModelOptions = z.output<typeof AnthropicModelOptions>;

const HARM_THRESHOLDS = [
  "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
  "BLOCK_LOW_AND_ABOVE",
  "BLOCK_MEDIUM_AND_ABOVE",
  "BLOCK_ONLY_HIGH",
  "BLOCK_NONE",
  "OFF",
] as const;
const HARM_CATEGORIES = [
  "HARM_CATEGORY_UNSPECIFIED",
  "HARM_CATEGORY_HATE_SPEECH",
  "HARM_CATEGORY_DANGEROUS_CONTENT",
  "HARM_CATEGORY_HARASSMENT",
  "HARM_CATEGORY_SEXUALLY_EXPLICIT",
  "HARM_CATEGORY_CIVIC_INTEGRITY",
] as const;

export const GoogleModelOptions = z.strictObject({
  thinking_config: z
    .strictObject({
      thinking_budget: z.int().min(-1).optional(),
      thinking_level: z.enum(["minimal", "low", "medium", "high", "xhigh"]).optional(),
      include_thoughts: z.boolean().optional(),
    })
    .refine(
      ({ thinking_budget, thinking_level }) =>
        thinking_budget === undefined || thinking_level === undefined,
      "Either `thinking_budget` or `thinking_level`.",
    )
    .optional(),
  cached_content: Text.optional(),
  safety_settings: z
    .array(
      z.strictObject({ category: z.enum(HARM_CATEGORIES), threshold: z.enum(HARM_THRESHOLDS) }),
    )
    .max(20)
    .optional(),
  threshold: z.enum(HARM_THRESHOLDS).optional(),
  web_search_enabled: z.boolean().optional(),
});
export type GoogleModelOptions = z.output<typeof GoogleModelOptions>;

export const CompatibleModelOptions = z.strictObject({ user: Text.optional() });
export type CompatibleModelOptions = z.output<typeof CompatibleModelOptions>;

const Reasoning = z.strictObject({
  enabled: z.boolean().optional(),
  exclude: z.boolean().optional(),
  max_tokens: Tokens.optional(),
});

export const OpenRouterModelOptions = z.strictObject({
  reasoning: Reasoning.optional(),
  extra_body: ExtraBody.optional(),
  include_usage: z.boolean().optional(),
  logit_bias: LogitBias.optional(),
  log_probs: z.boolean().optional(),
  parallel_tool_calls: z.boolean().optional(),
  user: Text.optional(),
  provider: z
    .strictObject({
      order: z.array(Text).optional(),
      allow_fallbacks: z.boolean().optional(),
      require_parameters: z.boolean().optional(),
      data_collection: z.enum(["allow", "deny"]).optional(),
      only: z.array(Text).optional(),
      ignore: z.array(Text).optional(),
      quantizations: z.array(Text).optional(),
      sort: z.enum(["price", "throughput", "latency"]).optional(),
    })
    .optional(),
});
export type OpenRouterModelOptions = z.output<typeof OpenRouterModelOptions>;

export const VercelModelOptions = z.strictObject({
  reasoning: Reasoning.optional(),
  providerOptions: z
    .strictObject({ order: z.array(Text).optional(), models: z.array(Text).optional() })
    .optional(),
  user: Text.optional(),
  logit_bias: LogitBias.optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(20).optional(),
  parallel_tool_calls: z.boolean().optional(),
  extra_body: ExtraBody.optional(),
});
export type VercelModelOptions = z.output<typeof VercelModelOptions>;

export const ReasoningEffortRange = z
  .strictObject({
    /** Where a person chooses none. */
    default: ReasoningEffort,
    /** What a person may choose at most. */
    max: ReasoningEffort,
  })
  .refine(
    ({ default: usual, max }) => REASONING_EFFORTS.indexOf(usual) <= REASONING_EFFORTS.indexOf(max),
    "The default is not above the maximum.",
  );

export const ChatModelCallConfig = z.strictObject({
  max_output_tokens: Tokens.optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(1).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  reasoning_effort: ReasoningEffortRange.optional(),
  openai_config: z.strictObject({ use_responses_api: z.boolean().optional() }).optional(),
  provider_options: z
    .strictObject({
      openai: OpenAiModelOptions.optional(),
      anthropic: AnthropicModelOptions.optional(),
      google: GoogleModelOptions.optional(),
      openaicompat: CompatibleModelOptions.optional(),
      openrouter: OpenRouterModelOptions.optional(),
      vercel: VercelModelOptions.optional(),
    })
    .optional(),
});
export type ChatModelCallConfig = z.output<typeof ChatModelCallConfig>;
