/**
 * How a provider of each type is tried out, as data: a request that costs nothing and that only a
 * good key is answered, and the smallest completion in its format. Types without a row cannot be tried.
 */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { WireFormat } from "@atelier/model-wire/wire-format";

export type ProviderTestPlan = {
  /** Behind the base URL. */
  readonly freePath: string;
  /** Whether the answer lists the models that the key may use. */
  readonly listsModels: boolean;
  /** Where the free request does not exist, judged by the base URL's path. */
  readonly lacksFreePath: (basePath: string) => boolean;
  readonly completion: Completion;
  /** How ids of cheap models begin, the cheapest first. One is used only if the provider lists it. */
  readonly cheapModels: readonly string[];
  /** Headers of every request, as raw pairs. */
  readonly headers: readonly string[];
};

export type Completion = {
  readonly path: string;
  readonly format: WireFormat;
  readonly toBody: (model: string) => object;
};

const MESSAGES = [{ role: "user", content: "ping" }] as const;
/** Some models refuse less. */
const OPENAI_TOKENS_MAX = 16;

const OPENAI: ProviderTestPlan = {
  freePath: "/models",
  listsModels: true,
  lacksFreePath: () => false,
  completion: {
    path: "/chat/completions",
    format: "chat_completions",
    // Newer models refuse the older name of the limit.
    toBody: (model) => ({ model, messages: MESSAGES, max_completion_tokens: OPENAI_TOKENS_MAX }),
  },
  cheapModels: ["gpt-5-nano", "gpt-4.1-nano", "gpt-4o-mini"],
  headers: [],
};

/** Of services that are only like OpenAI's, which know the older name of the limit. */
const COMPATIBLE: ProviderTestPlan = {
  ...OPENAI,
  completion: {
    ...OPENAI.completion,
    toBody: (model) => ({ model, messages: MESSAGES, max_tokens: OPENAI_TOKENS_MAX }),
  },
  cheapModels: [],
};

const ANTHROPIC: ProviderTestPlan = {
  freePath: "/v1/models",
  listsModels: true,
  lacksFreePath: () => false,
  completion: {
    path: "/v1/messages",
    format: "messages",
    toBody: (model) => ({ model, messages: MESSAGES, max_tokens: 1 }),
  },
  cheapModels: ["claude-haiku-4-5", "claude-3-5-haiku"],
  headers: ["anthropic-version", "2023-06-01"],
};

const PLANS: Readonly<Partial<Record<ModelProviderType, ProviderTestPlan>>> = {
  openai: OPENAI,
  "openai-compat": COMPATIBLE,
  google: { ...COMPATIBLE, cheapModels: ["gemini-2.5-flash-lite", "gemini-2.5-flash"] },
  // Their lists of models are public, so that they say nothing of a key.
  openrouter: { ...COMPATIBLE, freePath: "/key", listsModels: false },
  vercel: { ...COMPATIBLE, freePath: "/credits", listsModels: false },
  azure: {
    ...OPENAI,
    lacksFreePath: (basePath) => basePath.includes("/deployments/"),
    // What it lists are models that could be deployed, not those that are.
    cheapModels: [],
  },
  anthropic: ANTHROPIC,
  // It has no request that costs nothing.
  bedrock: { ...ANTHROPIC, lacksFreePath: () => true, cheapModels: [] },
  // Tried without a credential: it takes nobody's but its users' own.
  copilot: { ...COMPATIBLE, listsModels: false },
};

/** Null: providers of this type cannot be tried. */
export function testPlanOf(type: ModelProviderType): ProviderTestPlan | null {
  return PLANS[type] ?? null;
}

/** The cheapest known model that the free request's answer lists. Null: none. */
export function cheapModelIn(plan: ProviderTestPlan, body: Uint8Array): string | null {
  if (!plan.listsModels) return null;
  const ids = listedIds(body);
  for (const beginning of plan.cheapModels) {
    const id = ids.find((each) => each.replace(/^models\//, "").startsWith(beginning));
    if (id !== undefined) return id;
  }
  return null;
}

function listedIds(body: Uint8Array): readonly string[] {
  try {
    const answer = JSON.parse(Buffer.from(body).toString()) as { readonly data?: unknown } | null;
    const data: unknown = answer?.data;
    if (!Array.isArray(data)) return [];
    return data.flatMap((each: unknown) => {
      const isNamed = typeof each === "object" && each !== null && "id" in each;
      return isNamed && typeof each.id === "string" ? [each.id] : [];
    });
  } catch {
    return []; // Not JSON: the verdict on the answer says so.
  }
}
