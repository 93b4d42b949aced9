// npm run gen
/** The tables as the migrations make them. Partitions and the migrations' own table are left out. */
import type { ColumnType } from "kysely";

/** A value that the database makes when an insert gives none. */
type Generated<T> =
  T extends ColumnType<infer Selected, infer Inserted, infer Updated>
    ? ColumnType<Selected, Inserted | undefined, Updated>
    : ColumnType<T, T | undefined, T>;
/** A value that only the database makes. */
type GeneratedAlways<T> = ColumnType<T, never, never>;
/** Read as a value nobody has checked yet, written as text. */
type Json = ColumnType<unknown, string, string>;
type Timestamp = ColumnType<Date, Date | string, Date | string>;

type AiChatTotalsRow = {
  initiator_id: string;
  session_id: string;
  requests: number;
  cost_micros: number;
  priced_requests: number;
  unpriced_requests: number;
  last_active_at: Timestamp;
};

type AiFilterValuesRow = {
  initiator_id: string;
  kind: string;
  value: string;
};

type AiInterceptionsRow = {
  id: string;
  started_at: Timestamp;
  ended_at: Timestamp | null;
  initiator_id: string;
  api_key_id: string;
  provider: string;
  provider_name: string;
  model: string;
  client: string;
  client_session_id: string | null;
  session_id: string;
  thread_parent_id: string | null;
  thread_root_id: string | null;
  credential_kind: string;
  credential_hint: Generated<string>;
  metadata: Generated<Json>;
  error_type: string | null;
  error_message: string | null;
  replica_id: string;
  key_reason: string | null;
  trail: Json | null;
};

type AiModelPricesRow = {
  id: GeneratedAlways<number>;
  provider: string;
  model: string;
  origin: string;
  catalog_version: string | null;
  set_by: string | null;
  valid_from: Timestamp;
  valid_to: Timestamp | null;
};

type AiModelThoughtsRow = {
  id: string;
  started_at: Timestamp;
  interception_id: string;
  content: string;
  source: string;
  created_at: Timestamp;
};

type AiPriceTiersRow = {
  price_id: number;
  from_tokens: number;
  input: number | null;
  output: number | null;
  cache_read: number | null;
  cache_write: number | null;
  cache_write_1h: number | null;
};

type AiProviderChangesRow = {
  only_row: Generated<boolean>;
  version: number;
};

type AiProviderKeysRow = {
  id: string;
  provider_id: string;
  position: GeneratedAlways<number>;
  sealed_key: Buffer;
  masked: string;
  created_at: Timestamp;
  disabled_at: Timestamp | null;
};

type AiProvidersRow = {
  id: string;
  type: string;
  name: string;
  display_name: Generated<string>;
  enabled: Generated<boolean>;
  base_url: string;
  sealed_settings: Buffer | null;
  created_at: Timestamp;
  updated_at: Timestamp;
  deleted_at: Timestamp | null;
  max_concurrency_per_key: number | null;
  central_api_key_enabled: Generated<boolean>;
  allow_user_api_key: Generated<boolean>;
  allow_central_api_key_fallback: Generated<boolean>;
};

type AiSeenModelsRow = {
  provider: string;
  model: string;
  seen_at: Timestamp;
};

type AiSessionsRow = {
  initiator_id: string;
  session_id: string;
  client: string;
  providers: string[];
  provider_names: string[];
  models: string[];
  metadata: Generated<Json>;
  started_at: Timestamp;
  ended_at: Timestamp | null;
  last_active_at: Timestamp;
  threads: Generated<number>;
  interceptions: Generated<number>;
  errors: Generated<number>;
  input_tokens: Generated<number>;
  output_tokens: Generated<number>;
  cache_read_input_tokens: Generated<number>;
  cache_write_input_tokens: Generated<number>;
  last_prompt: string | null;
  last_prompt_at: Timestamp | null;
  cost_micros: Generated<number>;
  priced_interceptions: Generated<number>;
  unpriced_interceptions: Generated<number>;
};

type AiTokenUsagesRow = {
  id: string;
  started_at: Timestamp;
  interception_id: string;
  provider_response_id: string;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_write_input_tokens: number;
  metadata: Generated<Json>;
  created_at: Timestamp;
  cost_micros: number | null;
  price_id: number | null;
};

type AiToolUsagesRow = {
  id: string;
  started_at: Timestamp;
  interception_id: string;
  initiator_id: string;
  provider_response_id: string;
  provider_tool_call_id: string;
  tool: string;
  input: string;
  injected: Generated<boolean>;
  server_url: string | null;
  invocation_error: string | null;
  metadata: Generated<Json>;
  created_at: Timestamp;
};

type AiUsageTotalsRow = {
  quarter: Timestamp;
  initiator_id: string;
  provider: string;
  provider_name: string;
  model: string;
  client: string;
  credential_kind: string;
  requests: number;
  errors: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_write_input_tokens: number;
  cost_micros: number;
  priced_requests: number;
  unpriced_requests: number;
};

type AiUserPromptsRow = {
  id: string;
  started_at: Timestamp;
  interception_id: string;
  provider_response_id: string;
  prompt: string;
  metadata: Generated<Json>;
  created_at: Timestamp;
};

type ApiKeysRow = {
  id: string;
  kind: string;
  user_id: string;
  hashed_secret: Buffer;
  token_name: Generated<string>;
  scopes: string[];
  lifetime_seconds: number;
  created_at: Timestamp;
  last_used_at: Timestamp | null;
  expires_at: Timestamp;
  ip_address: Generated<string>;
  user_agent: Generated<string>;
};

type AuditEventsRow = {
  id: string;
  time: Timestamp;
  user_id: string | null;
  action: string;
  resource_type: string;
  resource_id: string | null;
  resource_target: Generated<string>;
  diff: Generated<Json>;
  status_code: number;
  additional_fields: Generated<Json>;
  request_id: Generated<string>;
  ip_address: Generated<string>;
  user_agent: Generated<string>;
};

type ChatDebugRunsRow = {
  id: string;
  chat_id: string;
  root_chat_id: string | null;
  parent_chat_id: string | null;
  model_config_id: string | null;
  trigger_message_id: number | null;
  history_tip_message_id: number | null;
  kind: string;
  status: string;
  provider: string;
  model: string;
  summary: Json;
  started_at: Timestamp;
  updated_at: Timestamp;
  finished_at: Timestamp | null;
};

type ChatDebugStepsRow = {
  id: string;
  run_id: string;
  chat_id: string;
  step_number: number;
  operation: string;
  status: string;
  history_tip_message_id: number | null;
  assistant_message_id: number | null;
  normalized_request: Json;
  normalized_response: Json | null;
  usage: Json | null;
  attempts: Generated<Json>;
  attempt_count: Generated<number>;
  error: Json | null;
  metadata: Json;
  stored_bytes: Generated<number>;
  started_at: Timestamp;
  updated_at: Timestamp;
  finished_at: Timestamp | null;
};

type ChatDiffStatusesRow = {
  chat_id: string;
  workspace_id: string;
  agent_id: string;
  additions: number;
  deletions: number;
  changed_files: number;
  is_cut: boolean;
  git_branch: string;
  git_remote_origin: string;
  ahead: number;
  behind: number;
  bases: Json;
  refreshed_at: Timestamp;
};

type ChatFileLinksRow = {
  file_id: string;
  chat_id: string;
  created_at: Timestamp;
};

type ChatFilesRow = {
  id: string;
  owner_id: string;
  organization_id: string;
  created_at: Timestamp;
  name: string;
  media_type: string;
  data: Buffer;
  sha256: Buffer;
};

type ChatHeartbeatsRow = {
  chat_id: string;
  runner_id: string;
  heartbeat_at: Timestamp;
};

type ChatMessagePartsRow = {
  chat_id: string;
  history_version: number;
  generation_attempt: number;
  first_seq: number;
  parts: Json;
  created_at: Timestamp;
};

type ChatMessagesRow = {
  id: GeneratedAlways<number>;
  chat_id: string;
  created_at: Timestamp;
  created_by: string | null;
  model_config_id: string | null;
  role: string;
  content: Json;
  content_version: Generated<number>;
  visibility: Generated<string>;
  compressed: Generated<boolean>;
  deleted: Generated<boolean>;
  revision: number;
  reasoning_effort: string | null;
  api_key_id: string | null;
  provider_response_id: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  reasoning_tokens: number | null;
  cache_creation_tokens: number | null;
  cache_read_tokens: number | null;
  context_limit: number | null;
  runtime_ms: number | null;
  total_cost_micros: number | null;
};

type ChatModelConfigsRow = {
  id: string;
  organization_id: string;
  ai_provider_id: string | null;
  provider: Generated<string>;
  model: string;
  display_name: Generated<string>;
  enabled: Generated<boolean>;
  is_default: Generated<boolean>;
  context_limit: number;
  compression_threshold: number;
  options: Generated<Json>;
  created_by: string | null;
  updated_by: string | null;
  created_at: Timestamp;
  updated_at: Timestamp;
  deleted_at: Timestamp | null;
};

type ChatModelOverridesRow = {
  organization_id: string;
  context: string;
  model_config_id: string;
  reasoning_effort: string | null;
};

type ChatPromptPrefixesRow = {
  chat_id: string;
  history_version: number;
  hash: string;
  prefix: Json;
  causes: string[];
  created_at: Timestamp;
};

type ChatQueuedMessagesRow = {
  id: GeneratedAlways<number>;
  chat_id: string;
  created_at: Timestamp;
  created_by: string;
  content: Json;
  model_config_id: string | null;
  reasoning_effort: string | null;
  api_key_id: string | null;
  position: number;
};

type ChatReadersRow = {
  chat_id: string;
  user_id: string;
  shared_at: Timestamp;
};

type ChatRequestKeysRow = {
  owner_id: string;
  key: string;
  operation: string;
  input_hash: Buffer;
  answer: Json;
  created_at: Timestamp;
};

type ChatSecretsRow = {
  id: string;
  sealed_value: Buffer;
};

type ChatSettingsRow = {
  key: string;
  value: Json;
  updated_at: Timestamp;
};

type ChatTurnSettingsVersionRow = {
  is_only: Generated<boolean>;
  version: string;
};

type ChatUsageLimitConfigRow = {
  is_only: Generated<boolean>;
  enabled: boolean;
  default_limit_micros: number;
  period: string;
  updated_at: Timestamp;
};

type ChatUsageLimitOverridesRow = {
  user_id: string;
  limit_micros: number;
  updated_at: Timestamp;
};

type ChatUserModelOverridesRow = {
  user_id: string;
  organization_id: string;
  context: string;
  mode: string;
  model_config_id: string | null;
  reasoning_effort: string | null;
};

type ChatUserSettingsRow = {
  user_id: string;
  key: string;
  value: Json;
  updated_at: Timestamp;
};

type ChatWordsRow = {
  chat_id: string;
  root_chat_id: string;
  history_version: number;
  words: string;
};

type ChatsRow = {
  id: string;
  organization_id: string;
  owner_id: string;
  workspace_id: string | null;
  agent_id: string | null;
  parent_chat_id: string | null;
  root_chat_id: string | null;
  title: Generated<string>;
  title_source: Generated<string>;
  status: string;
  archived: Generated<boolean>;
  last_error: Json | null;
  worker_id: string | null;
  runner_id: string | null;
  fence: Generated<number>;
  snapshot_version: Generated<number>;
  history_version: Generated<number>;
  queue_version: Generated<number>;
  queue_length: Generated<number>;
  retry_state_version: Generated<number>;
  generation_attempt: Generated<number>;
  retry_state: Json | null;
  requires_action_deadline_at: Timestamp | null;
  compaction_requested_at: Timestamp | null;
  last_model_config_id: string;
  last_reasoning_effort: string | null;
  mode: string | null;
  plan_mode: string | null;
  mcp_server_ids: Generated<string[]>;
  dynamic_tools: Json | null;
  labels: Generated<Json>;
  pin_order: Generated<number>;
  last_read_message_id: number | null;
  last_turn_summary: string | null;
  client_type: Generated<string>;
  created_at: Timestamp;
  updated_at: Timestamp;
  asks: string | null;
  last_answer_id: number | null;
  inbox_section: Generated<string>;
  inbox_since: Generated<Timestamp>;
};

type ConnectionLogRow = {
  id: string;
  connected_at: Timestamp;
  disconnected_at: Timestamp | null;
  type: string;
  workspace_id: string;
  workspace_name: string;
  workspace_owner_id: string;
  workspace_owner_username: string;
  agent_id: string;
  agent_name: string;
  user_id: string | null;
  username: string | null;
  ip_address: Generated<string>;
  user_agent: Generated<string>;
  reason: Generated<string>;
  replica_id: string;
};

type EncryptionKeysRow = {
  id: string;
  created_at: Timestamp;
  revoked_at: Timestamp | null;
  test_sealed: Buffer;
};

type McpCallsRow = {
  chat_id: string;
  call_id: string;
  started_at: Timestamp;
};

type McpServersRow = {
  id: string;
  slug: string;
  display_name: string;
  description: string;
  url: string;
  enabled: boolean;
  availability: string;
  allow_in_plan_mode: boolean;
  auth_type: string;
  header_names: string[];
  tool_allow_list: string[];
  tool_deny_list: string[];
  created_at: Timestamp;
  updated_at: Timestamp;
  oauth_client_id: string | null;
  oauth_scope: string | null;
  transport: Generated<string>;
  model_intent: Generated<boolean>;
};

type McpSignInAttemptsRow = {
  id: string;
  server_id: string;
  user_id: string;
  state_hash: Buffer;
  expires_at: Timestamp;
};

type McpSignInsRow = {
  id: string;
  server_id: string;
  user_id: string;
  version: number;
  expires_at: Timestamp | null;
  refresher: string | null;
  refreshing_until: Timestamp | null;
  created_at: Timestamp;
};

type OrganizationsRow = {
  id: Generated<string>;
  name: string;
  display_name: Generated<string>;
  is_default: Generated<boolean>;
  created_at: Generated<Timestamp>;
};

type ReplicasRow = {
  id: string;
  hostname: string;
  version: string;
  started_at: Timestamp;
  heartbeat_at: Timestamp;
  relay_url: string | null;
};

type SiteSettingsRow = {
  key: string;
  value: string;
};

type UserAiProviderKeysRow = {
  user_id: string;
  provider_id: string;
  sealed_key: Buffer;
  masked: string;
  created_at: Timestamp;
  updated_at: Timestamp;
};

type UsersRow = {
  id: string;
  email: string;
  username: string;
  name: Generated<string>;
  password_hash: string | null;
  status: string;
  roles: Generated<string[]>;
  created_at: Timestamp;
  updated_at: Timestamp;
  last_seen_at: Timestamp | null;
  deleted_at: Timestamp | null;
};

type WorkspaceAgentsRow = {
  id: string;
  workspace_id: string;
  name: string;
  hashed_token: Buffer | null;
  operating_system: string | null;
  architecture: string | null;
  version: string | null;
  directory: string | null;
  first_connected_at: Timestamp | null;
  last_connected_at: Timestamp | null;
  disconnected_at: Timestamp | null;
};

type WorkspaceLinksRow = {
  agent_id: string;
  replica_id: string;
  connection_id: string;
  connected_at: Timestamp;
};

type WorkspacesRow = {
  id: string;
  owner_id: string;
  organization_id: string;
  name: string;
  kind: string;
  created_at: Timestamp;
  updated_at: Timestamp;
  last_used_at: Timestamp;
  deleted_at: Timestamp | null;
};

export type Schema = {
  ai_chat_totals: AiChatTotalsRow;
  ai_filter_values: AiFilterValuesRow;
  ai_interceptions: AiInterceptionsRow;
  ai_model_prices: AiModelPricesRow;
  ai_model_thoughts: AiModelThoughtsRow;
  ai_price_tiers: AiPriceTiersRow;
  ai_provider_changes: AiProviderChangesRow;
  ai_provider_keys: AiProviderKeysRow;
  ai_providers: AiProvidersRow;
  ai_seen_models: AiSeenModelsRow;
  ai_sessions: AiSessionsRow;
  ai_token_usages: AiTokenUsagesRow;
  ai_tool_usages: AiToolUsagesRow;
  ai_usage_totals: AiUsageTotalsRow;
  ai_user_prompts: AiUserPromptsRow;
  api_keys: ApiKeysRow;
  audit_events: AuditEventsRow;
  chat_debug_runs: ChatDebugRunsRow;
  chat_debug_steps: ChatDebugStepsRow;
  chat_diff_statuses: ChatDiffStatusesRow;
  chat_file_links: ChatFileLinksRow;
  chat_files: ChatFilesRow;
  chat_heartbeats: ChatHeartbeatsRow;
  chat_message_parts: ChatMessagePartsRow;
  chat_messages: ChatMessagesRow;
  chat_model_configs: ChatModelConfigsRow;
  chat_model_overrides: ChatModelOverridesRow;
  chat_prompt_prefixes: ChatPromptPrefixesRow;
  chat_queued_messages: ChatQueuedMessagesRow;
  chat_readers: ChatReadersRow;
  chat_request_keys: ChatRequestKeysRow;
  chat_secrets: ChatSecretsRow;
  chat_settings: ChatSettingsRow;
  chat_turn_settings_version: ChatTurnSettingsVersionRow;
  chat_usage_limit_config: ChatUsageLimitConfigRow;
  chat_usage_limit_overrides: ChatUsageLimitOverridesRow;
  chat_user_model_overrides: ChatUserModelOverridesRow;
  chat_user_settings: ChatUserSettingsRow;
  chat_words: ChatWordsRow;
  chats: ChatsRow;
  connection_log: ConnectionLogRow;
  encryption_keys: EncryptionKeysRow;
  mcp_calls: McpCallsRow;
  mcp_servers: McpServersRow;
  mcp_sign_in_attempts: McpSignInAttemptsRow;
  mcp_sign_ins: McpSignInsRow;
  organizations: OrganizationsRow;
  replicas: ReplicasRow;
  site_settings: SiteSettingsRow;
  user_ai_provider_keys: UserAiProviderKeysRow;
  users: UsersRow;
  workspace_agents: WorkspaceAgentsRow;
  workspace_links: WorkspaceLinksRow;
  workspaces: WorkspacesRow;
};
