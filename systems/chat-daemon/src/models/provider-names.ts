/** The names of model providers as chats know them, and which provider a model's name means (spec agents 8.7). */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import { routeFailure, type ModelFailure } from "./model-failure.ts";

/** In the order in which people see them. `copilot` is one of the gateway's only. */
export const CHAT_PROVIDER_TYPES = [
  "anthropic",
  "azure",
  "bedrock",
  "google",
  "openai",
  "openai-compat",
  "openrouter",
  "vercel",
] as const satisfies readonly ModelProviderType[];
export type ChatProviderType = (typeof CHAT_PROVIDER_TYPES)[number];

export const CHAT_PROVIDER_LABELS: Readonly<Record<ChatProviderType, string>> = {
  anthropic: "Anthropic",
  azure: "Azure OpenAI",
  bedrock: "AWS Bedrock",
  google: "Google",
  openai: "OpenAI",
  "openai-compat": "OpenAI Compatible",
  openrouter: "OpenRouter",
  vercel: "Vercel AI Gateway",
};

const OTHER_SPELLINGS: Readonly<Record<string, ChatProviderType>> = {
  "openai-compatible": "openai-compat",
  openaicompat: "openai-compat",
  openai_compat: "openai-compat",
};

/** Null: chats know no such provider. */
export function parseProviderType(text: string): ChatProviderType | null {
  const name = text.trim().toLowerCase();
  return CHAT_PROVIDER_TYPES.find((each) => each === name) ?? OTHER_SPELLINGS[name] ?? null;
}

export type ModelReference = { readonly provider: ChatProviderType; readonly model: string };

/** Their models' names hold other providers' names, as in `anthropic/claude-x`. */
const RESELLERS: ReadonlySet<string> = new Set(["openrouter", "vercel", "openai-compat"]);

/** `provider:model`, `provider/model`, or a model of the hint; else a guess by the name. */
export function resolveModelReference(
  reference: string,
  hint: string,
): Result<ModelReference, ModelFailure> {
  const text = reference.trim();
  const hinted = parseProviderType(hint);
  if (text !== "" && hinted !== null && RESELLERS.has(hinted)) {
    return ok({ provider: hinted, model: text });
  }
  const [, prefix = "", rest = ""] = /^([^:/]+)[:/](.+)$/s.exec(text) ?? [];
  const named = parseProviderType(prefix);
  if (named !== null && rest.trim() !== "") return ok({ provider: named, model: rest.trim() });
  const provider = hinted ?? guessProvider(text);
  if (provider === null || text === "") {
    return fail(routeFailure("config", `unknown model "${text}"`));
  }
  return ok({ provider, model: text });
}

function guessProvider(model: string): ChatProviderType | null {
  const name = model.toLowerCase();
  if (name.startsWith("claude-")) return "anthropic";
  if (/^(?:gpt-|chatgpt-|o\d+(?:[-.]|$))/.test(name)) return "openai";
  return /^gemini-2\.5-(?:pro|flash|flash-lite)$/.test(name) ? "google" : null;
}

/** What programs of others call a provider's key; people know the names. */
const KEY_NAMES: Readonly<Record<ChatProviderType, string>> = {
  anthropic: "ANTHROPIC_API_KEY",
  azure: "AZURE_OPENAI_API_KEY",
  bedrock: "AWS_BEARER_TOKEN_BEDROCK",
  google: "GOOGLE_API_KEY",
  openai: "OPENAI_API_KEY",
  "openai-compat": "OPENAI_COMPAT_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
  vercel: "VERCEL_API_KEY",
};

export function missingKey(provider: ChatProviderType): ModelFailure {
  return routeFailure(
    "missing_key",
    `${KEY_NAMES[provider]} is not set`,
    `There is no key for ${CHAT_PROVIDER_LABELS[provider]}. Set one of your own, or ask an administrator for one.`,
  );
}

/** Quick and cheap enough for titles (spec agents 9.1). Null: of such a provider nobody knows its models. */
const LIGHT_MODELS: Readonly<Record<ChatProviderType, RegExp | null>> = {
  anthropic: /^claude-haiku-4-5(?:-\d+)?$/,
  azure: /^gpt-4o-mini$/,
  bedrock: /\bclaude-(?:3-5-)?haiku\b/,
  google: /^gemini-2\.5-flash$/,
  openai: /^gpt-4o-mini(?:-[\d-]+)?$/,
  "openai-compat": null,
  openrouter: /^anthropic\/claude-3\.5-haiku$/,
  vercel: /^anthropic\/claude-haiku-4\.5$/,
};

export function isLightModel(provider: ChatProviderType, model: string): boolean {
  return LIGHT_MODELS[provider]?.test(model.trim().toLowerCase()) === true;
}

/** What works with a desktop, whatever model its chat uses otherwise (spec agents 8.9). */
export const COMPUTER_USE_MODELS = {
  anthropic: "claude-opus-4-6",
  openai: "gpt-5.2",
} as const satisfies Partial<Record<ChatProviderType, string>>;
export type ComputerUseProvider = keyof typeof COMPUTER_USE_MODELS;
