/** A model provider as the server answers it, for tests. */
import type { ModelProviderView } from "./provider-values.ts";

const TIME = "2026-11-21T12:00:00Z";

export function sampleKey(
  over: Partial<ModelProviderView["api_keys"][number]> = {},
): ModelProviderView["api_keys"][number] {
  return {
    id: "0198c0de-0000-7000-8000-000000000001",
    masked: "sk-…abcd",
    under_way: null,
    last_checked_at: null,
    enabled: true,
    state: "valid",
    last_error: null,
    returns_at: null,
    created_at: TIME,
    ...over,
  };
}

export function sampleProvider(over: Partial<ModelProviderView> = {}): ModelProviderView {
  return {
    id: "0198c0de-0000-7000-8000-000000000000",
    type: "openai",
    name: "openai",
    display_name: "",
    enabled: true,
    base_url: "https://api.openai.com/v1",
    api_keys: [sampleKey()],
    max_concurrency_per_key: null,
    central_api_key_enabled: true,
    allow_user_api_key: true,
    allow_central_api_key_fallback: true,
    settings: {},
    settings_masked: {},
    status: { state: "enabled", waiting: 0, warnings: [], breakers: [] },
    created_at: TIME,
    updated_at: TIME,
    ...over,
  };
}
