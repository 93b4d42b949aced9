/**
 * Names of spans and attributes. Those of generative AI are OpenTelemetry's, which are still in
 * development and have moved to a repository of their own: the constants in its package are
 * deprecated, so ours stand here. The others are older than this project and stay as they are
 * (spec gateway 10.4).
 */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";

export const SPAN = {
  intercept: "Intercept",
  create: "Intercept.CreateInterceptor",
  recordStart: "Intercept.RecordInterception",
  recordEnd: "Intercept.RecordInterceptionEnded",
  recordPrompt: "Intercept.RecordPromptUsage",
  recordTokens: "Intercept.RecordTokenUsage",
  recordTool: "Intercept.RecordToolUsage",
  recordThought: "Intercept.RecordModelThought",
  process: "Intercept.ProcessRequest",
  upstream: "Intercept.ProcessRequest.Upstream",
  passthrough: "Passthrough",
} as const;

export const ATTRIBUTE = {
  requestPath: "request_path",
  interceptionId: "interception_id",
  userId: "user_id",
  provider: "provider",
  model: "model",
  streaming: "streaming",
  awsBedrock: "aws_bedrock",
  passthroughUrl: "passthrough_url",
  passthroughUpstreamUrl: "passthrough_upstream_url",
  passthroughMethod: "passthrough_method",
  /** Which of a call's exchanges with the provider, from 1. */
  attempt: "attempt",
  errorType: "error.type",
  httpMethod: "http.request.method",
  httpStatus: "http.response.status_code",
  serverAddress: "server.address",
  serverPort: "server.port",
  operation: "gen_ai.operation.name",
  providerName: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  /** With what came from a cache and went into one. */
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
} as const;

/** Of `gen_ai.operation.name`: what all three wire formats do. */
export const OPERATION_CHAT = "chat";

/** Well-known values of `gen_ai.provider.name` where there is one, else the vendor's name. */
export const PROVIDER_NAMES: Readonly<Record<ModelProviderType, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  "openai-compat": "openai-compat",
  azure: "azure.ai.openai",
  bedrock: "aws.bedrock",
  copilot: "github.copilot",
  google: "gcp.gemini",
  openrouter: "openrouter",
  vercel: "vercel",
};

/** What providers call the part of their output tokens that is reasoning, in the order of our formats. */
export const REASONING_COUNTS: readonly string[] = ["completion_reasoning", "output_reasoning"];
