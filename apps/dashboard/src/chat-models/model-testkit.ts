/** A model for chats and a provider of it, as the API tells of them. */
import type { ChatModelView, ChatProviderView } from "./model-values.ts";

const TIME = "2026-11-21T12:00:00Z";
const PROVIDER_ID = "0198c0de-0000-7000-8000-000000000001";

export function sampleModel(over: Partial<ChatModelView> = {}): ChatModelView {
  return {
    id: "0198c0de-0000-7000-8000-000000000000",
    organization_id: "0198c0de-0000-7000-8000-000000000002",
    ai_provider_id: PROVIDER_ID,
    provider: "anthropic",
    model: "claude-opus-4-6",
    display_name: "",
    enabled: true,
    is_default: true,
    context_limit: 200_000,
    compression_threshold: 70,
    reasoning_efforts: [],
    available: true,
    options: {},
    created_at: TIME,
    updated_at: TIME,
    ...over,
  };
}

export function sampleChatProvider(over: Partial<ChatProviderView> = {}): ChatProviderView {
  return {
    id: PROVIDER_ID,
    name: "anthropic",
    type: "anthropic",
    display_name: "",
    enabled: true,
    has_api_key: true,
    has_user_api_key: false,
    has_effective_api_key: true,
    allow_user_api_key: true,
    available: true,
    warnings: [],
    ...over,
  };
}
