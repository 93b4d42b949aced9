/**
 * A model's configuration → the options of one call, as the client of its family spells them (spec agents
 * 4.8, 5.12). What a family cannot do is left out.
 */
import type {
  JSONObject,
  JSONValue,
  LanguageModelV4CallOptions,
  LanguageModelV4ProviderTool,
} from "@ai-sdk/provider";
import { REASONING_EFFORTS, type ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type {
  AnthropicModelOptions,
  ChatModelCallConfig,
  GoogleModelOptions,
  OpenAiModelOptions,
  OpenRouterModelOptions,
  VercelModelOptions,
} from "@atelier/contract/chat/model-call-config";
import type { ModelClient, ModelFamily } from "./model-client.ts";
import { openRouterCaching, vercelCaching } from "./prompt-caching.ts";

export const MAX_OUTPUT_TOKENS_DEFAULT = 32_000;
const CONTEXT_1M_BETA = "context-1m-2025-08-07";

export type CallSettings = Pick<
  LanguageModelV4CallOptions,
  | "maxOutputTokens"
  | "temperature"
  | "topP"
  | "topK"
  | "presencePenalty"
  | "frequencyPenalty"
  | "reasoning"
  | "providerOptions"
>;

/** The chosen effort, or the usual one, but no more than is allowed. Null: the model has no efforts. */
export function effectiveEffort(
  range: ChatModelCallConfig["reasoning_effort"],
  chosen: ReasoningEffort | null,
): ReasoningEffort | null {
  if (range === undefined) return null;
  const rank = (effort: ReasoningEffort): number => REASONING_EFFORTS.indexOf(effort);
  const wanted = chosen ?? range.default;
  return rank(wanted) > rank(range.max) ? range.max : wanted;
}

/** What people may choose from, least first. */
export function allowedEfforts(
  range: ChatModelCallConfig["reasoning_effort"],
): readonly ReasoningEffort[] {
  return range === undefined
    ? []
    : REASONING_EFFORTS.slice(0, REASONING_EFFORTS.indexOf(range.max) + 1);
}

export function callSettings(
  config: ChatModelCallConfig,
  client: Pick<ModelClient, "family" | "providerType" | "modelName">,
  chosenEffort: ReasoningEffort | null,
): CallSettings {
  const effort = clampForModel(effectiveEffort(config.reasoning_effort, chosenEffort), client);
  const { family } = client;
  const isOwnEffort = family === "openrouter" || family === "vercel";
  const options = providerOptions(config, client, effort);
  return present({
    maxOutputTokens: config.max_output_tokens ?? MAX_OUTPUT_TOKENS_DEFAULT,
    temperature: config.temperature,
    topP: config.top_p,
    topK: config.top_k,
    presencePenalty: config.presence_penalty,
    frequencyPenalty: config.frequency_penalty,
    // The SDKs know which of a provider's models take an effort, and which a budget instead.
    reasoning: effort === null || isOwnEffort ? undefined : effort,
    providerOptions: options === null ? undefined : options,
  });
}

/** OpenAI's models for code refuse the least efforts. */
function clampForModel(
  effort: ReasoningEffort | null,
  { modelName, family }: Pick<ModelClient, "family" | "modelName">,
): ReasoningEffort | null {
  const isLeast = effort === "none" || effort === "minimal";
  return isLeast && family !== "anthropic" && /\bgpt-[\w.-]*codex/i.test(modelName)
    ? "low"
    : effort;
}

function providerOptions(
  config: ChatModelCallConfig,
  client: Pick<ModelClient, "family" | "providerType" | "modelName">,
  effort: ReasoningEffort | null,
): Record<string, JSONObject> | null {
  const { family } = client;
  const given = config.provider_options ?? {};
  const named = (name: string, options: JSONObject) =>
    Object.keys(options).length === 0 ? null : { [name]: options };
  switch (family) {
    case "openai-responses":
      return named("openai", responsesOptions(given.openai ?? {}, effort));
    case "openai-chat":
      return named("openai", chatOptions(given.openai ?? {}, effort));
    case "anthropic":
      return named("anthropic", anthropicOptions(given.anthropic ?? {}));
    case "bedrock":
      return named("bedrock", bedrockOptions(given.anthropic ?? {}));
    case "google":
      return named("google", googleOptions(given.google ?? {}));
    case "openrouter":
      return named("openrouter", openRouterBody(given.openrouter ?? {}, effort));
    case "vercel":
      return named("vercel", vercelBody(given.vercel ?? {}, effort, client.modelName));
    case "openai-compat":
      return named("openaicompat", compatibleBody(config, client));
  }
}

function sharedOpenAi(options: OpenAiModelOptions, effort: ReasoningEffort | null): JSONObject {
  return present({
    parallelToolCalls: options.parallel_tool_calls,
    user: options.user,
    textVerbosity: options.text_verbosity,
    store: options.store,
    metadata: options.metadata,
    promptCacheKey: options.prompt_cache_key,
    safetyIdentifier: options.safety_identifier,
    serviceTier: options.service_tier,
    // The SDK drops efforts of models whose names it does not know.
    forceReasoning: effort === null || effort === "none" ? undefined : true,
  });
}

function responsesOptions(options: OpenAiModelOptions, effort: ReasoningEffort | null): JSONObject {
  return {
    ...sharedOpenAi(options, effort),
    ...present({
      include: options.include,
      instructions: options.instructions,
      logprobs: options.top_log_probs ?? options.log_probs,
      maxToolCalls: options.max_tool_calls,
      reasoningSummary: options.reasoning_summary,
      strictJsonSchema: options.strict_json_schema,
    }),
  };
}

function chatOptions(options: OpenAiModelOptions, effort: ReasoningEffort | null): JSONObject {
  return {
    ...sharedOpenAi(options, effort),
    ...present({
      logitBias: options.logit_bias,
      logprobs: options.top_log_probs ?? options.log_probs,
      maxCompletionTokens: options.max_completion_tokens,
      prediction: options.prediction,
      strictJsonSchema: options.structured_outputs,
    }),
  };
}

function anthropicOptions(options: AnthropicModelOptions): JSONObject {
  return present({
    sendReasoning: options.send_reasoning,
    thinking: thinkingOf(options),
    effort: options.effort,
    disableParallelToolUse: options.disable_parallel_tool_use,
    anthropicBeta: options.context_1m_enabled === true ? [CONTEXT_1M_BETA] : undefined,
  });
}

/** A budget is for models that do not decide themselves; of those that do, the display can be chosen. */
function thinkingOf({
  thinking,
  thinking_display: display,
}: AnthropicModelOptions): JSONObject | undefined {
  if (thinking !== undefined) return { type: "enabled", budgetTokens: thinking.budget_tokens };
  return display === undefined ? undefined : { type: "adaptive", display };
}

function bedrockOptions(options: AnthropicModelOptions): JSONObject {
  const reasoning = present({
    type: options.thinking === undefined ? undefined : "enabled",
    budgetTokens: options.thinking?.budget_tokens,
    maxReasoningEffort: options.effort,
    display: options.thinking_display,
  });
  return present({
    reasoningConfig: Object.keys(reasoning).length === 0 ? undefined : reasoning,
    anthropicBeta: options.context_1m_enabled === true ? [CONTEXT_1M_BETA] : undefined,
  });
}

function googleOptions(options: GoogleModelOptions): JSONObject {
  const { thinking_config: thinking } = options;
  return present({
    thinkingConfig:
      thinking === undefined
        ? undefined
        : present({
            thinkingBudget: thinking.thinking_budget,
            thinkingLevel: thinking.thinking_level,
            includeThoughts: thinking.include_thoughts,
          }),
    cachedContent: options.cached_content,
    safetySettings: options.safety_settings,
    threshold: options.threshold,
  });
}

/** OpenRouter knows no effort above this. */
const OPENROUTER_EFFORT_MAX = "xhigh";

/** The body's own fields: the client adds them as they are. */
function openRouterBody(
  options: OpenRouterModelOptions,
  effort: ReasoningEffort | null,
): JSONObject {
  const level = effort === "max" ? OPENROUTER_EFFORT_MAX : effort;
  return {
    ...options.extra_body,
    ...present({
      usage: options.include_usage === undefined ? undefined : { include: options.include_usage },
      logit_bias: options.logit_bias,
      logprobs: options.log_probs,
      parallel_tool_calls: options.parallel_tool_calls,
      user: options.user,
      provider: options.provider,
      reasoning: reasoningBody(options.reasoning, level),
    }),
  };
}

function vercelBody(
  options: VercelModelOptions,
  effort: ReasoningEffort | null,
  modelName: string,
): JSONObject {
  const gateway = { ...vercelCaching(modelName), ...options.providerOptions };
  return {
    ...options.extra_body,
    ...present({
      logit_bias: options.logit_bias,
      logprobs: options.logprobs,
      top_logprobs: options.top_logprobs,
      parallel_tool_calls: options.parallel_tool_calls,
      user: options.user,
      providerOptions: Object.keys(gateway).length === 0 ? undefined : { gateway },
      reasoning: reasoningBody(options.reasoning, effort),
    }),
  };
}

/** A budget of tokens, where one is given, stands in place of an effort: both would be refused. */
function reasoningBody(
  reasoning: VercelModelOptions["reasoning"],
  effort: string | null,
): JSONObject | undefined {
  const hasBudget = reasoning?.max_tokens !== undefined;
  const body = { ...reasoning, ...(effort === null || hasBudget ? {} : { effort }) };
  return Object.keys(body).length === 0 ? undefined : body;
}

/** What the gateway sends on for providers of several types as one body of Chat Completions. */
function compatibleBody(
  config: ChatModelCallConfig,
  { providerType, modelName }: Pick<ModelClient, "providerType" | "modelName">,
): JSONObject {
  const given = config.provider_options ?? {};
  if (providerType === "openrouter") {
    return { ...openRouterCaching(modelName), ...openRouterBody(given.openrouter ?? {}, null) };
  }
  if (providerType === "vercel") return vercelBody(given.vercel ?? {}, null, modelName);
  if (providerType === "azure") return azureBody(given.openai ?? {});
  return present({ user: given.openaicompat?.user });
}

function azureBody(options: OpenAiModelOptions): JSONObject {
  return present({
    user: options.user,
    logit_bias: options.logit_bias,
    logprobs: options.top_log_probs === undefined ? options.log_probs : true,
    top_logprobs: options.top_log_probs,
    parallel_tool_calls: options.parallel_tool_calls,
    textVerbosity: options.text_verbosity,
    prediction: options.prediction,
    store: options.store,
    metadata: options.metadata,
    prompt_cache_key: options.prompt_cache_key,
    safety_identifier: options.safety_identifier,
    service_tier: options.service_tier,
  });
}

/** The provider's own search, where the configuration asks for it and the client can. */
export function webSearchTool(
  { provider_options: given = {} }: ChatModelCallConfig,
  family: ModelFamily,
): LanguageModelV4ProviderTool | null {
  const tool = (id: `${string}.${string}`, args: Record<string, unknown>) =>
    ({ type: "provider", id, name: "web_search", args: present(args) }) as const;
  if (family === "openai-responses" && given.openai?.web_search_enabled === true) {
    const { search_context_size: searchContextSize, allowed_domains: allowed } = given.openai;
    const filters = allowed === undefined ? undefined : { allowedDomains: allowed };
    return tool("openai.web_search", { searchContextSize, filters });
  }
  if (family === "anthropic" && given.anthropic?.web_search_enabled === true) {
    const { allowed_domains: allowedDomains, blocked_domains: blockedDomains } = given.anthropic;
    return tool("anthropic.web_search_20250305", { allowedDomains, blockedDomains });
  }
  return family === "google" && given.google?.web_search_enabled === true
    ? tool("google.google_search", {})
    : null;
}

type Present<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

function present<T extends Readonly<Record<string, unknown>>>(fields: T): Present<T>;
function present(fields: Readonly<Record<string, JSONValue | undefined>>): JSONObject {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
