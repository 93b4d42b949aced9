-- What went through the gateway. The children carry their interception's `started_at`, so that one
-- month's partitions belong together and are dropped together.

create table ai_interceptions (
  id uuid not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  initiator_id uuid not null,
  api_key_id text not null,
  provider text not null,
  provider_name text not null,
  model text not null,
  client text not null,
  client_session_id text,
  session_id text not null,
  thread_parent_id uuid,
  thread_root_id uuid,
  credential_kind text not null check (credential_kind in ('centralized', 'byok')),
  credential_hint text not null default '',
  metadata jsonb not null default '{}',
  error_type text,
  error_message text,
  -- The server that relays it: its death ends the interception.
  replica_id uuid not null,
  primary key (id, started_at)
) partition by range (started_at);
create table ai_interceptions_default partition of ai_interceptions default;
create index ai_interceptions_started on ai_interceptions (started_at desc, id desc);
create index ai_interceptions_initiator on ai_interceptions (initiator_id, started_at desc, id desc);
create index ai_interceptions_session on ai_interceptions (initiator_id, session_id, started_at);
create index ai_interceptions_unended on ai_interceptions (initiator_id, session_id, replica_id) where ended_at is null;

create table ai_token_usages (
  id uuid not null,
  started_at timestamptz not null,
  interception_id uuid not null,
  provider_response_id text not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_read_input_tokens bigint not null,
  cache_write_input_tokens bigint not null,
  metadata jsonb not null default '{}',
  created_at timestamptz not null,
  primary key (id, started_at)
) partition by range (started_at);
create table ai_token_usages_default partition of ai_token_usages default;
create index ai_token_usages_interception on ai_token_usages (interception_id);

create table ai_user_prompts (
  id uuid not null,
  started_at timestamptz not null,
  interception_id uuid not null,
  provider_response_id text not null,
  prompt text not null,
  metadata jsonb not null default '{}',
  created_at timestamptz not null,
  primary key (id, started_at)
) partition by range (started_at);
create table ai_user_prompts_default partition of ai_user_prompts default;
create index ai_user_prompts_interception on ai_user_prompts (interception_id);

create table ai_tool_usages (
  id uuid not null,
  started_at timestamptz not null,
  interception_id uuid not null,
  initiator_id uuid not null,
  provider_response_id text not null,
  provider_tool_call_id text not null,
  tool text not null,
  input text not null,
  injected boolean not null default false,
  server_url text,
  invocation_error text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null,
  primary key (id, started_at)
) partition by range (started_at);
create table ai_tool_usages_default partition of ai_tool_usages default;
create index ai_tool_usages_interception on ai_tool_usages (interception_id);
-- Lineage: which interception emitted this tool call? Only the same person's count.
create index ai_tool_usages_call on ai_tool_usages (initiator_id, provider_tool_call_id, created_at desc);

create table ai_model_thoughts (
  id uuid not null,
  started_at timestamptz not null,
  interception_id uuid not null,
  content text not null,
  source text not null,
  created_at timestamptz not null,
  primary key (id, started_at)
) partition by range (started_at);
create table ai_model_thoughts_default partition of ai_model_thoughts default;
create index ai_model_thoughts_interception on ai_model_thoughts (interception_id);

select ensure_month_partitions(parent, current_date, (current_date + interval '2 months')::date)
from unnest(array['ai_interceptions', 'ai_token_usages', 'ai_user_prompts', 'ai_tool_usages', 'ai_model_thoughts']) as parent;

-- Sessions are kept ready to read: deriving them from interceptions takes seconds once there are many.
create table ai_sessions (
  initiator_id uuid not null,
  session_id text not null,
  client text not null,
  providers text[] not null,
  provider_names text[] not null,
  models text[] not null,
  metadata jsonb not null default '{}',
  started_at timestamptz not null,
  -- The latest end of one of its interceptions.
  ended_at timestamptz,
  last_active_at timestamptz not null,
  threads integer not null default 0,
  interceptions integer not null default 0,
  errors integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cache_read_input_tokens bigint not null default 0,
  cache_write_input_tokens bigint not null default 0,
  last_prompt text,
  -- The start of the interception that brought it: records arrive out of order.
  last_prompt_at timestamptz,
  primary key (initiator_id, session_id)
);
create index ai_sessions_active on ai_sessions (last_active_at desc, session_id, initiator_id);
create index ai_sessions_initiator_active on ai_sessions (initiator_id, last_active_at desc, session_id);
create index ai_sessions_session on ai_sessions (session_id);
create index ai_sessions_models on ai_sessions using gin (models);
create index ai_sessions_provider_names on ai_sessions using gin (provider_names);

-- Values to filter by, for the same reason.
create table ai_filter_values (
  initiator_id uuid not null,
  kind text not null check (kind in ('model', 'client', 'provider')),
  value text not null,
  primary key (initiator_id, kind, value)
);
create index ai_filter_values_kind on ai_filter_values (kind, value);
