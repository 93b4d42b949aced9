/** Model providers: the upstreams that the gateway sends to, and the company's keys for them. */
import { z } from "zod";
import { BEDROCK_SETTING_NAMES } from "../bedrock-settings.ts";
import { endpoint } from "../endpoint.ts";
import { NoParams, NoQuery, Timestamp } from "./common.ts";

export const MODEL_PROVIDER_TYPES = [
  "openai",
  "anthropic",
  "openai-compat",
  "azure",
  "bedrock",
  "copilot",
  "google",
  "openrouter",
  "vercel",
] as const;
export type ModelProviderType = (typeof MODEL_PROVIDER_TYPES)[number];

/** The types that the gateway can serve; the others are refused at creation. */
export const SUPPORTED_MODEL_PROVIDER_TYPES = [
  "openai",
  "anthropic",
  "openai-compat",
  "azure",
  "bedrock",
  "copilot",
  "google",
  "openrouter",
  "vercel",
] as const satisfies readonly ModelProviderType[];

/** Types that take no keys of ours: callers bring their own credential, or requests are signed. */
export const KEYLESS_MODEL_PROVIDER_TYPES = [
  "bedrock",
  "copilot",
] as const satisfies readonly ModelProviderType[];

/** Of the types that have one address for everybody (spec gateway 2.3). */
export const MODEL_PROVIDER_DEFAULT_BASE_URLS: Readonly<
  Partial<Record<ModelProviderType, string>>
> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
  copilot: "https://api.individual.githubcopilot.com",
  google: "https://generativelanguage.googleapis.com/v1beta/openai",
  openrouter: "https://openrouter.ai/api/v1",
  vercel: "https://ai-gateway.vercel.sh/v1",
};

export const MODEL_PROVIDER_NAME_PATTERN = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** The gateway's own listings live beside the providers' routes. */
export const RESERVED_MODEL_PROVIDER_NAMES = [
  "sessions",
  "interceptions",
  "models",
  "clients",
  "providers",
  "usage",
  "usage.csv",
  "prices",
  "serve",
  "proxy",
  "keys",
] as const;
export const MODEL_PROVIDER_KEYS_MAX = 5;

export const ModelProviderName = z
  .string()
  .min(1)
  .max(64)
  .regex(
    MODEL_PROVIDER_NAME_PATTERN,
    "Lower-case letters and digits, with single hyphens between them.",
  )
  .refine(
    (name) => !(RESERVED_MODEL_PROVIDER_NAMES as readonly string[]).includes(name),
    "This name is reserved.",
  );

/** Absolute, http or https, no credentials, query or fragment. */
export const BaseUrl = z
  .string()
  .max(2_048)
  .superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !["http:", "https:"].includes(url.protocol)) {
      context.addIssue({ code: "custom", message: "An absolute http or https URL." });
    } else if (url.username !== "" || url.password !== "") {
      context.addIssue({ code: "custom", message: "No user or password inside the URL." });
    } else if (url.search !== "" || url.hash !== "") {
      context.addIssue({ code: "custom", message: "No query or fragment." });
    }
  });

export const ProviderKeyValue = z
  .string()
  .min(1, "A key is not empty.")
  .max(8_192)
  .refine((key) => key.trim() === key, "No white space around a key.")
  .refine((key) => /^[\x21-\x7e]+$/.test(key), "Printable ASCII without spaces.");

/** Requests that one key may have under way at the same time, in each server. Null: any number. */
export const MaxConcurrencyPerKey = z.int().min(1).max(1_000_000).nullable();

/** Empty counts as absent. */
const SettingText = z
  .string()
  .max(2_048)
  .regex(/^[\x21-\x7e]*$/, "Printable ASCII without spaces.");
const SettingSecret = z
  .string()
  .max(8_192)
  .regex(/^[\x21-\x7e]*$/, "Printable ASCII without spaces.");

/** What a provider's type can be told beside its address and keys. */
export const ModelProviderSettings = z.strictObject({
  /** Goes as the query's `api-version` with requests that name none. */
  api_version: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9._-]+$/, "Such as `2024-10-21` or `2025-04-01-preview`.")
    .optional(),
  /** Of AWS: where requests are signed for. */
  region: z
    .string()
    .max(64)
    .regex(/^[a-z0-9-]*$/, "Such as `us-east-1`.")
    .optional(),
  /** Serves all requests whose model is not named `haiku`: a Bedrock model id or inference profile. */
  model: SettingText.optional(),
  /** Serves requests whose model is named `haiku`. */
  small_fast_model: SettingText.optional(),
  /** AWS credentials, in place of those that the server's environment offers. */
  access_key: SettingSecret.optional(),
  access_key_secret: SettingSecret.optional(),
  session_token: SettingSecret.optional(),
  /** A Bedrock API key, in place of AWS credentials. */
  bearer_token: SettingSecret.optional(),
  /** In the AWS configuration files of the server. */
  profile: z
    .string()
    .max(256)
    .regex(/^[\x20-\x7e]*$/, "Printable ASCII.")
    .optional(),
  /** Assumed with the credentials above, and with an external id that the server makes. */
  role_arn: z
    .string()
    .max(2_048)
    .regex(/^(?:arn:[\x21-\x7e]+)?$/, "Such as `arn:aws:iam::123456789012:role/atelier`.")
    .optional(),
  /** Of the service that gives out the role's credentials, where it is not the region's own. */
  sts_endpoint: z.union([BaseUrl, z.literal("")]).optional(),
});
export type ModelProviderSettings = z.output<typeof ModelProviderSettings>;
export type ModelProviderSettingName = keyof ModelProviderSettings;

/** Settings that are never shown again. */
export const SECRET_MODEL_PROVIDER_SETTINGS = [
  "access_key",
  "access_key_secret",
  "session_token",
  "bearer_token",
] as const satisfies readonly ModelProviderSettingName[];

const SECRET_SETTINGS_MASK = {
  access_key: true,
  access_key_secret: true,
  session_token: true,
  bearer_token: true,
} as const satisfies Record<(typeof SECRET_MODEL_PROVIDER_SETTINGS)[number], true>;

/** Which settings a type has; all others are refused for it. */
export const MODEL_PROVIDER_SETTING_NAMES: Readonly<
  Partial<Record<ModelProviderType, readonly ModelProviderSettingName[]>>
> = {
  azure: ["api_version"],
  // Such a provider is reached by way of Amazon Bedrock once it has settings that say so.
  anthropic: BEDROCK_SETTING_NAMES,
  bedrock: BEDROCK_SETTING_NAMES,
};

/** Merged into the stored ones: absent settings stay, `null` takes one away. */
export const ModelProviderSettingsPatch = z.strictObject({
  api_version: ModelProviderSettings.shape.api_version.nullable(),
  region: ModelProviderSettings.shape.region.nullable(),
  model: ModelProviderSettings.shape.model.nullable(),
  small_fast_model: ModelProviderSettings.shape.small_fast_model.nullable(),
  access_key: ModelProviderSettings.shape.access_key.nullable(),
  access_key_secret: ModelProviderSettings.shape.access_key_secret.nullable(),
  session_token: ModelProviderSettings.shape.session_token.nullable(),
  bearer_token: ModelProviderSettings.shape.bearer_token.nullable(),
  profile: ModelProviderSettings.shape.profile.nullable(),
  role_arn: ModelProviderSettings.shape.role_arn.nullable(),
  sts_endpoint: ModelProviderSettings.shape.sts_endpoint.nullable(),
});
export type ModelProviderSettingsPatch = z.output<typeof ModelProviderSettingsPatch>;

/** How a key does on the server that answered. `unknown`: it is not in service there. */
export const PROVIDER_KEY_STATES = ["valid", "temporary", "permanent", "unknown"] as const;

export const ModelProviderKey = z.object({
  id: z.uuid(),
  masked: z.string(),
  /** False: taken out of service by an operator. */
  enabled: z.boolean(),
  state: z.enum(PROVIDER_KEY_STATES),
  /** What went wrong with it last, for that server. Null: nothing since it started. */
  last_error: z
    .object({
      /** Null: there was no answer. */
      status: z.int().nullable(),
      message: z.string(),
      at: Timestamp,
    })
    .nullable(),
  /** When a `temporary` key is tried again. */
  returns_at: Timestamp.nullable(),
  /** Requests under way with it on that server. Null: they are not counted, because there is no limit. */
  under_way: z.int().nullable().default(null),
  /** When that server last asked the provider about the key by itself, after a refusal. Null: never. */
  last_checked_at: Timestamp.nullable().default(null),
  created_at: Timestamp,
});

/** Of the server that answered: a circuit breaker that is not simply closed. */
export const ModelProviderBreaker = z.object({
  endpoint: z.string(),
  model: z.string(),
  state: z.enum(["open", "half_open"]),
  retries_at: Timestamp,
});

/**
 * Whose keys serve chats with the provider. What clients of the gateway bring is not concerned. Either the
 * company's keys or people's own serve; the fallback is of providers for which both do.
 */
const KeyPolicy = {
  central_api_key_enabled: z.boolean(),
  allow_user_api_key: z.boolean(),
  /** The company's keys also serve people who have none of their own. */
  allow_central_api_key_fallback: z.boolean(),
};
const KeyPolicyPatch = {
  central_api_key_enabled: KeyPolicy.central_api_key_enabled.optional(),
  allow_user_api_key: KeyPolicy.allow_user_api_key.optional(),
  allow_central_api_key_fallback: KeyPolicy.allow_central_api_key_fallback.optional(),
};

export const ModelProvider = z.object({
  id: z.uuid(),
  type: z.enum(MODEL_PROVIDER_TYPES),
  name: z.string(),
  display_name: z.string(),
  enabled: z.boolean(),
  base_url: z.string(),
  /** In the order in which they are tried. */
  api_keys: z.array(ModelProviderKey),
  /** Of each key, in each server. Null: no limit. */
  max_concurrency_per_key: MaxConcurrencyPerKey.default(null),
  central_api_key_enabled: KeyPolicy.central_api_key_enabled.default(true),
  allow_user_api_key: KeyPolicy.allow_user_api_key.default(true),
  allow_central_api_key_fallback: KeyPolicy.allow_central_api_key_fallback.default(true),
  /** Not strict: a server may know more settings than its client. Without those that are secret. */
  settings: z.object({
    ...ModelProviderSettings.omit(SECRET_SETTINGS_MASK).shape,
    /** Made by the server. The role's trust policy names it, so that nobody else's server can assume it. */
    external_id: z.string().optional(),
  }),
  /** The secret settings that there are. Servers of an earlier version leave it out. */
  settings_masked: z.object(ModelProviderSettings.pick(SECRET_SETTINGS_MASK).shape).default({}),
  status: z.object({
    /** `error`: the server that answered could not use the row; `warnings` say why. */
    state: z.enum(["enabled", "disabled", "error"]),
    warnings: z.array(z.string()),
    breakers: z.array(ModelProviderBreaker),
    /** Requests that wait, on that server, because all keys are at their limit. */
    waiting: z.int().default(0),
  }),
  created_at: Timestamp,
  updated_at: Timestamp,
});

export const ModelProviderParams = z.strictObject({ provider: z.string().min(1).max(64) });
export const ModelProviderKeyParams = ModelProviderParams.extend({
  key: z.string().min(1).max(64),
});

export const listModelProviders = endpoint({
  tag: "ai-providers",
  summary: "List model providers by name",
  method: "GET",
  path: "/api/v2/ai/providers",
  access: "ai_provider:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ providers: z.array(ModelProvider), count: z.int() }) },
  failures: [],
  audit: null,
});

export const createModelProvider = endpoint({
  tag: "ai-providers",
  summary: "Create a model provider",
  method: "POST",
  path: "/api/v2/ai/providers",
  access: "ai_provider:create",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({
    type: z.enum(MODEL_PROVIDER_TYPES),
    name: ModelProviderName,
    display_name: z.string().trim().max(128).optional(),
    base_url: BaseUrl,
    api_keys: z.array(ProviderKeyValue).max(MODEL_PROVIDER_KEYS_MAX).optional(),
    max_concurrency_per_key: MaxConcurrencyPerKey.optional(),
    ...KeyPolicyPatch,
    settings: ModelProviderSettings.optional(),
    enabled: z.boolean().optional(),
  }),
  success: { status: 201, body: ModelProvider },
  failures: ["ai_provider.name_taken", "ai_provider.type_unsupported"],
  audit: { action: "create", resource: "ai_provider" },
});

export const getModelProvider = endpoint({
  tag: "ai-providers",
  summary: "One model provider, by id or name",
  method: "GET",
  path: "/api/v2/ai/providers/:provider",
  access: "ai_provider:read",
  params: ModelProviderParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ModelProvider },
  failures: [],
  audit: null,
});

export const updateModelProvider = endpoint({
  tag: "ai-providers",
  summary: "Change a model provider; `api_keys` is the complete list wanted",
  method: "PATCH",
  path: "/api/v2/ai/providers/:provider",
  access: "ai_provider:update",
  params: ModelProviderParams,
  query: NoQuery,
  body: z.strictObject({
    display_name: z.string().trim().max(128).optional(),
    base_url: BaseUrl.optional(),
    enabled: z.boolean().optional(),
    max_concurrency_per_key: MaxConcurrencyPerKey.optional(),
    ...KeyPolicyPatch,
    settings: ModelProviderSettingsPatch.optional(),
    api_keys: z
      .array(
        z.union([z.strictObject({ id: z.uuid() }), z.strictObject({ api_key: ProviderKeyValue })]),
      )
      .max(MODEL_PROVIDER_KEYS_MAX)
      .optional(),
    if_updated_at: Timestamp.optional().meta({
      description:
        "The provider's `updated_at` when its keys were read. If it has changed since, nothing is done: a key that somebody else added would be lost otherwise.",
    }),
  }),
  success: { status: 200, body: ModelProvider },
  failures: ["ai_provider.changed_meanwhile"],
  audit: { action: "write", resource: "ai_provider" },
});

export const deleteModelProvider = endpoint({
  tag: "ai-providers",
  summary: "Delete a model provider; its records stay readable and its name is free again",
  method: "DELETE",
  path: "/api/v2/ai/providers/:provider",
  access: "ai_provider:delete",
  params: ModelProviderParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "ai_provider" },
});

export const orderModelProviderKeys = endpoint({
  tag: "ai-providers",
  summary: "Change the order in which a model provider's keys are tried",
  method: "PUT",
  path: "/api/v2/ai/providers/:provider/keys/order",
  access: "ai_provider:update",
  params: ModelProviderParams,
  query: NoQuery,
  body: z.strictObject({
    /** All of its keys, the first one first. */
    key_ids: z
      .array(z.uuid())
      .max(MODEL_PROVIDER_KEYS_MAX)
      .refine((ids) => new Set(ids).size === ids.length, "Each key once."),
  }),
  success: { status: 200, body: ModelProvider },
  failures: ["ai_provider.changed_meanwhile"],
  audit: { action: "write", resource: "ai_provider" },
});

export const updateModelProviderKey = endpoint({
  tag: "ai-providers",
  summary: "Take one key of a model provider out of service, or put it back",
  method: "PATCH",
  path: "/api/v2/ai/providers/:provider/keys/:key",
  access: "ai_provider:update",
  params: ModelProviderKeyParams,
  query: NoQuery,
  body: z.strictObject({ enabled: z.boolean() }),
  success: { status: 200, body: ModelProvider },
  failures: [],
  audit: { action: "write", resource: "ai_provider_key" },
});

export const resetModelProviderKey = endpoint({
  tag: "ai-providers",
  summary: "Let every server try a key of a model provider again, whatever was wrong with it",
  method: "POST",
  path: "/api/v2/ai/providers/:provider/keys/:key/reset",
  access: "ai_provider:update",
  params: ModelProviderKeyParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "ai_provider_key" },
});
