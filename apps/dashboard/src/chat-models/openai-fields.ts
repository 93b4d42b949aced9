/** Options of models at OpenAI and Azure. */
import type { OptionField } from "./option-field.ts";

const RESPONSES = "Only with the Responses API.";
const COMPLETIONS = "Only with Chat Completions.";

export const OPENAI_FIELDS: readonly OptionField[] = [
  {
    path: "options.openai_config.use_responses_api",
    kind: "switch",
    label: "Use the Responses API",
    hint: "Yes where nothing is chosen; no: Chat Completions.",
  },
  {
    path: "options.provider_options.openai.reasoning_summary",
    kind: "choice",
    choices: ["auto", "concise", "detailed"],
    label: "Summary of reasoning",
    hint: `What people see of the model’s thoughts. ${RESPONSES}`,
  },
  {
    path: "options.provider_options.openai.text_verbosity",
    kind: "choice",
    choices: ["low", "medium", "high"],
    label: "Verbosity",
  },
  {
    path: "options.provider_options.openai.service_tier",
    kind: "choice",
    choices: ["auto", "default", "flex", "scale", "priority"],
    label: "Service tier",
    hint: "How fast, and for how much.",
  },
  {
    path: "options.provider_options.openai.parallel_tool_calls",
    kind: "switch",
    label: "Tool calls side by side",
  },
  {
    path: "options.provider_options.openai.max_tool_calls",
    kind: "number",
    label: "Built-in tool calls at most",
    hint: RESPONSES,
  },
  {
    path: "options.provider_options.openai.web_search_enabled",
    kind: "switch",
    label: "Web search",
    hint: "The provider’s own, where the model has it.",
  },
  {
    path: "options.provider_options.openai.search_context_size",
    kind: "choice",
    choices: ["low", "medium", "high"],
    label: "Context of web search",
  },
  {
    path: "options.provider_options.openai.allowed_domains",
    kind: "list",
    label: "Web search only at",
    hint: "Domains, separated by commas.",
  },
  {
    path: "options.provider_options.openai.store",
    kind: "switch",
    label: "Let OpenAI keep answers",
    hint: "Then a turn sends only what is new, and continues from the kept answer.",
  },
  {
    path: "options.provider_options.openai.include",
    kind: "list",
    label: "Include in answers",
    hint: `reasoning.encrypted_content, file_search_call.results. ${RESPONSES}`,
  },
  {
    path: "options.provider_options.openai.instructions",
    kind: "text",
    label: "Instructions",
    hint: RESPONSES,
  },
  {
    path: "options.provider_options.openai.max_completion_tokens",
    kind: "number",
    label: "Completion tokens at most",
    hint: `With those of reasoning. ${COMPLETIONS}`,
  },
  {
    path: "options.provider_options.openai.structured_outputs",
    kind: "switch",
    label: "Structured outputs",
    hint: COMPLETIONS,
  },
  {
    path: "options.provider_options.openai.strict_json_schema",
    kind: "switch",
    label: "Strict JSON schema",
    hint: RESPONSES,
  },
  {
    path: "options.provider_options.openai.prompt_cache_key",
    kind: "text",
    label: "Key of the prompt cache",
  },
  {
    path: "options.provider_options.openai.safety_identifier",
    kind: "text",
    label: "Safety identifier",
  },
  { path: "options.provider_options.openai.user", kind: "text", label: "User" },
  {
    path: "options.provider_options.openai.log_probs",
    kind: "switch",
    label: "Log probabilities",
  },
  {
    path: "options.provider_options.openai.top_log_probs",
    kind: "number",
    label: "Log probabilities of so many",
    hint: "0 to 20.",
  },
  {
    path: "options.provider_options.openai.metadata",
    kind: "json",
    label: "Metadata",
    hint: 'JSON of texts, as {"team": "web"}.',
  },
  {
    path: "options.provider_options.openai.logit_bias",
    kind: "json",
    label: "Logit bias",
    hint: `JSON of numbers by token, as {"50256": -100}. ${COMPLETIONS}`,
  },
  {
    path: "options.provider_options.openai.prediction",
    kind: "json",
    label: "Prediction",
    hint: `JSON. ${COMPLETIONS}`,
  },
];
