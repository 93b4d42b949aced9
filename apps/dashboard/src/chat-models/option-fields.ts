/**
 * What can be decided about a model's calls, field by field: the form is drawn from this, and read by
 * it. A test compares it with the contract, so that no option is without a field.
 */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import { ANTHROPIC_FIELDS, GOOGLE_FIELDS } from "./anthropic-google-fields.ts";
import { OPENAI_FIELDS } from "./openai-fields.ts";
import { COMPATIBLE_FIELDS, OPENROUTER_FIELDS, VERCEL_FIELDS } from "./router-fields.ts";
import type { OptionField } from "./option-field.ts";

export const EFFORT_DEFAULT_FIELD = "options.reasoning_effort.default";
export const EFFORT_MAX_FIELD = "options.reasoning_effort.max";

/** Of every model, whoever its provider is. Efforts have fields of their own. */
export const COMMON_FIELDS: readonly OptionField[] = [
  {
    path: "options.max_output_tokens",
    kind: "number",
    label: "Output tokens at most",
    hint: "Of one answer. 32000 where empty.",
  },
  {
    path: "options.temperature",
    kind: "number",
    label: "Temperature",
    hint: "0 to 2. Lower is more alike each time; many models that think take none.",
  },
  { path: "options.top_p", kind: "number", label: "Top P", hint: "0 to 1." },
  { path: "options.top_k", kind: "number", label: "Top K", hint: "From 1 on." },
  {
    path: "options.presence_penalty",
    kind: "number",
    label: "Presence penalty",
    hint: "-2 to 2.",
  },
  {
    path: "options.frequency_penalty",
    kind: "number",
    label: "Frequency penalty",
    hint: "-2 to 2.",
  },
];

export type OptionGroup = { readonly title: string; readonly fields: readonly OptionField[] };

const OPENAI: OptionGroup = { title: "What only OpenAI knows", fields: OPENAI_FIELDS };
const ANTHROPIC: OptionGroup = { title: "What only Anthropic knows", fields: ANTHROPIC_FIELDS };
const GOOGLE: OptionGroup = { title: "What only Gemini knows", fields: GOOGLE_FIELDS };
const COMPATIBLE: OptionGroup = { title: "What only this kind knows", fields: COMPATIBLE_FIELDS };
const OPENROUTER: OptionGroup = { title: "What only OpenRouter knows", fields: OPENROUTER_FIELDS };
const VERCEL: OptionGroup = { title: "What only Vercel’s gateway knows", fields: VERCEL_FIELDS };

/** Null: chats cannot use providers of this type. */
const GROUPS: Readonly<Record<ModelProviderType, OptionGroup | null>> = {
  openai: OPENAI,
  azure: OPENAI,
  anthropic: ANTHROPIC,
  bedrock: ANTHROPIC,
  google: GOOGLE,
  "openai-compat": COMPATIBLE,
  openrouter: OPENROUTER,
  vercel: VERCEL,
  copilot: null,
};

export function optionGroupOf(type: ModelProviderType): OptionGroup | null {
  return GROUPS[type];
}

export const ALL_OPTION_FIELDS: readonly OptionField[] = [
  ...COMMON_FIELDS,
  ...[OPENAI, ANTHROPIC, GOOGLE, COMPATIBLE, OPENROUTER, VERCEL].flatMap(({ fields }) => fields),
];
