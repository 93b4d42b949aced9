/**
 * People's own keys with model providers. They serve what the server calls for their person; what a
 * person's own client sends brings its key itself (spec gateway 3.4).
 */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { MODEL_PROVIDER_TYPES, ModelProviderParams, ProviderKeyValue } from "./ai-providers.ts";
import { NoQuery, Timestamp, UserParams } from "./common.ts";

/** A model provider, and whether the person has a key of their own for it. */
export const UserProviderKey = z.object({
  provider_id: z.uuid(),
  provider_name: z.string(),
  provider_display_name: z.string(),
  provider_type: z.enum(MODEL_PROVIDER_TYPES),
  /** False: an operator switched the provider off, so the key serves nothing for now. */
  provider_enabled: z.boolean(),
  /** False: only the company's keys serve chats with it, and it takes none of people's own. */
  allow_user_api_key: z.boolean().default(true),
  /** Chats with it need one's own key: the company's does not serve in its place. */
  user_api_key_required: z.boolean().default(false),
  is_set: z.boolean(),
  /** Null where no key is set, as are the times. */
  masked: z.string().nullable(),
  created_at: Timestamp.nullable(),
  updated_at: Timestamp.nullable(),
});

const KeyParams = UserParams.extend(ModelProviderParams.shape);

export const listUserProviderKeys = endpoint({
  tag: "ai-user-keys",
  summary: "A user's own keys: every model provider, and whether one is set",
  method: "GET",
  path: "/api/v2/users/:user/ai/provider-keys",
  access: "ai_user_key:read",
  params: UserParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      provider_keys: z.array(UserProviderKey),
      count: z.int(),
      /** False: the deployment does not let people's own keys serve, and takes none. */
      byok_enabled: z.boolean(),
    }),
  },
  failures: [],
  audit: null,
});

export const setUserProviderKey = endpoint({
  tag: "ai-user-keys",
  summary: "Set one's own key for a model provider, in place of the one before",
  method: "PUT",
  path: "/api/v2/users/:user/ai/provider-keys/:provider",
  access: "ai_user_key:update",
  params: KeyParams,
  query: NoQuery,
  body: z.strictObject({ api_key: ProviderKeyValue }),
  success: { status: 200, body: UserProviderKey },
  failures: ["ai_user_key.byok_disabled"],
  audit: { action: "write", resource: "ai_user_key" },
});

export const deleteUserProviderKey = endpoint({
  tag: "ai-user-keys",
  summary: "Forget a user's own key for a model provider",
  method: "DELETE",
  path: "/api/v2/users/:user/ai/provider-keys/:provider",
  access: "ai_user_key:delete",
  params: KeyParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "ai_user_key" },
});
