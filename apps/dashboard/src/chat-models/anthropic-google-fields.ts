/** Options of models at Anthropic and Bedrock, and of those at Google. */
import type { OptionField } from "./option-field.ts";

const HARM_THRESHOLDS = [
  "OFF",
  "BLOCK_NONE",
  "BLOCK_ONLY_HIGH",
  "BLOCK_MEDIUM_AND_ABOVE",
  "BLOCK_LOW_AND_ABOVE",
  "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
];

export const ANTHROPIC_FIELDS: readonly OptionField[] = [
  {
    path: "options.provider_options.anthropic.effort",
    kind: "choice",
    choices: ["low", "medium", "high", "xhigh", "max"],
    label: "Effort",
    hint: "For models without a choice of effort above.",
  },
  {
    path: "options.provider_options.anthropic.thinking.budget_tokens",
    kind: "number",
    label: "Budget of thinking, in tokens",
    hint: "For models that take a budget in place of an effort. From 1024 on.",
  },
  {
    path: "options.provider_options.anthropic.thinking_display",
    kind: "choice",
    choices: ["summarized", "omitted"],
    label: "Thoughts in answers",
  },
  {
    path: "options.provider_options.anthropic.send_reasoning",
    kind: "switch",
    label: "Send earlier thoughts back",
    hint: "Yes where nothing is chosen.",
  },
  {
    path: "options.provider_options.anthropic.disable_parallel_tool_use",
    kind: "switch",
    label: "Only one tool call at a time",
  },
  {
    path: "options.provider_options.anthropic.web_search_enabled",
    kind: "switch",
    label: "Web search",
    hint: "The provider’s own, where the model has it.",
  },
  {
    path: "options.provider_options.anthropic.allowed_domains",
    kind: "list",
    label: "Web search only at",
    hint: "Domains, separated by commas. Either these, or those it keeps away from.",
  },
  {
    path: "options.provider_options.anthropic.blocked_domains",
    kind: "list",
    label: "Web search keeps away from",
    hint: "Domains, separated by commas.",
  },
  {
    path: "options.provider_options.anthropic.context_1m_enabled",
    kind: "switch",
    label: "Context of a million tokens",
    hint: "Asks for it by header, for models that have it. Raise the context above as well.",
  },
];

export const GOOGLE_FIELDS: readonly OptionField[] = [
  {
    path: "options.provider_options.google.thinking_config.thinking_level",
    kind: "choice",
    choices: ["minimal", "low", "medium", "high", "xhigh"],
    label: "Level of thinking",
    hint: "Either this, or a budget.",
  },
  {
    path: "options.provider_options.google.thinking_config.thinking_budget",
    kind: "number",
    label: "Budget of thinking, in tokens",
    hint: "0: none. -1: the model decides.",
  },
  {
    path: "options.provider_options.google.thinking_config.include_thoughts",
    kind: "switch",
    label: "Thoughts in answers",
  },
  {
    path: "options.provider_options.google.web_search_enabled",
    kind: "switch",
    label: "Web search",
    hint: "The provider’s own, where the model has it.",
  },
  {
    path: "options.provider_options.google.cached_content",
    kind: "text",
    label: "Cached content",
    hint: "Its name, as cachedContents/abc.",
  },
  {
    path: "options.provider_options.google.threshold",
    kind: "choice",
    choices: HARM_THRESHOLDS,
    label: "Block harm from",
  },
  {
    path: "options.provider_options.google.safety_settings",
    kind: "json",
    label: "Safety settings",
    hint: 'JSON, as [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}].',
  },
];
