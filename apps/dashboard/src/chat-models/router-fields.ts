/** Options of models at services that stand before many providers, and at those like OpenAI. */
import type { OptionField } from "./option-field.ts";

export const COMPATIBLE_FIELDS: readonly OptionField[] = [
  { path: "options.provider_options.openaicompat.user", kind: "text", label: "User" },
];

const reasoning = (name: "openrouter" | "vercel"): readonly OptionField[] => [
  {
    path: `options.provider_options.${name}.reasoning.enabled`,
    kind: "switch",
    label: "Reasoning",
  },
  {
    path: `options.provider_options.${name}.reasoning.exclude`,
    kind: "switch",
    label: "Leave thoughts out of answers",
  },
  {
    path: `options.provider_options.${name}.reasoning.max_tokens`,
    kind: "number",
    label: "Budget of reasoning, in tokens",
  },
];

const shared = (name: "openrouter" | "vercel"): readonly OptionField[] => [
  {
    path: `options.provider_options.${name}.parallel_tool_calls`,
    kind: "switch",
    label: "Tool calls side by side",
  },
  { path: `options.provider_options.${name}.user`, kind: "text", label: "User" },
  {
    path: `options.provider_options.${name}.logit_bias`,
    kind: "json",
    label: "Logit bias",
    hint: 'JSON of numbers by token, as {"50256": -100}.',
  },
  {
    path: `options.provider_options.${name}.extra_body`,
    kind: "json",
    label: "More of the body",
    hint: "JSON that is sent as it is.",
  },
];

export const OPENROUTER_FIELDS: readonly OptionField[] = [
  ...reasoning("openrouter"),
  {
    path: "options.provider_options.openrouter.provider.order",
    kind: "list",
    label: "Providers, in this order",
    hint: "As anthropic, amazon-bedrock.",
  },
  {
    path: "options.provider_options.openrouter.provider.only",
    kind: "list",
    label: "Only these providers",
  },
  {
    path: "options.provider_options.openrouter.provider.ignore",
    kind: "list",
    label: "None of these providers",
  },
  {
    path: "options.provider_options.openrouter.provider.allow_fallbacks",
    kind: "switch",
    label: "Other providers may stand in",
  },
  {
    path: "options.provider_options.openrouter.provider.require_parameters",
    kind: "switch",
    label: "Only providers that know every parameter",
  },
  {
    path: "options.provider_options.openrouter.provider.data_collection",
    kind: "choice",
    choices: ["allow", "deny"],
    label: "Providers that collect data",
  },
  {
    path: "options.provider_options.openrouter.provider.quantizations",
    kind: "list",
    label: "Quantizations",
    hint: "As fp8, bf16.",
  },
  {
    path: "options.provider_options.openrouter.provider.sort",
    kind: "choice",
    choices: ["price", "throughput", "latency"],
    label: "Prefer by",
  },
  {
    path: "options.provider_options.openrouter.include_usage",
    kind: "switch",
    label: "Tell the usage",
  },
  {
    path: "options.provider_options.openrouter.log_probs",
    kind: "switch",
    label: "Log probabilities",
  },
  ...shared("openrouter"),
];

export const VERCEL_FIELDS: readonly OptionField[] = [
  ...reasoning("vercel"),
  {
    path: "options.provider_options.vercel.providerOptions.order",
    kind: "list",
    label: "Providers, in this order",
    hint: "As anthropic, bedrock.",
  },
  {
    path: "options.provider_options.vercel.providerOptions.models",
    kind: "list",
    label: "Models that may stand in",
  },
  {
    path: "options.provider_options.vercel.logprobs",
    kind: "switch",
    label: "Log probabilities",
  },
  {
    path: "options.provider_options.vercel.top_logprobs",
    kind: "number",
    label: "Log probabilities of so many",
    hint: "0 to 20.",
  },
  ...shared("vercel"),
];
