-- Chats: conversations whose loop runs in the control plane, their history, and the models they use.
--
-- Versions belong to the triggers below. A transaction that changes a chat's execution state first
-- raises snapshot_version by one; whatever it then writes carries that number.

create table chat_model_configs (
  id uuid primary key,
  organization_id uuid not null references organizations (id),
  -- Null: `provider` says of which type it is.
  ai_provider_id uuid references ai_providers (id),
  provider text not null default '',
  model text not null check (model <> ''),
  display_name text not null default '',
  enabled boolean not null default true,
  is_default boolean not null default false,
  context_limit bigint not null check (context_limit > 0),
  -- Percent of the context at which older history is summarised. 100: never, 0: always.
  compression_threshold integer not null check (compression_threshold between 0 and 100),
  options jsonb not null default '{}',
  created_by uuid references users (id),
  updated_by uuid references users (id),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Set: deleted. The row stays, because messages name it.
  deleted_at timestamptz
);
create unique index chat_model_configs_default on chat_model_configs (organization_id)
  where is_default and deleted_at is null;
create index chat_model_configs_provider on chat_model_configs (ai_provider_id);

-- Which model certain work uses instead of the chat's own.
create table chat_model_overrides (
  organization_id uuid not null references organizations (id),
  context text not null
    check (context in ('general', 'explore', 'title_generation', 'compaction', 'advisor')),
  model_config_id uuid not null references chat_model_configs (id),
  reasoning_effort text,
  primary key (organization_id, context)
);
create table chat_user_model_overrides (
  user_id uuid not null references users (id),
  organization_id uuid not null references organizations (id),
  context text not null check (context in ('root', 'general', 'explore')),
  mode text not null check (mode in ('deployment_default', 'chat_default', 'model')),
  model_config_id uuid references chat_model_configs (id),
  reasoning_effort text,
  primary key (user_id, organization_id, context),
  check ((mode = 'model') = (model_config_id is not null))
);

-- What administrators, and people for themselves, decide about chats.
create table chat_settings (key text primary key, value jsonb not null, updated_at timestamptz not null);
create table chat_user_settings (
  user_id uuid not null references users (id),
  key text not null,
  value jsonb not null,
  updated_at timestamptz not null,
  primary key (user_id, key)
);

create table chats (
  id uuid primary key,
  organization_id uuid not null references organizations (id),
  owner_id uuid not null references users (id),
  workspace_id uuid references workspaces (id),
  agent_id uuid references workspace_agents (id),
  parent_chat_id uuid references chats (id) on delete cascade,
  root_chat_id uuid references chats (id) on delete cascade,
  title text not null default 'New Chat',
  title_source text not null default 'fallback' check (title_source in ('user', 'fallback', 'generated')),

  -- Execution state: written by transitions only.
  status text not null check (status in ('waiting', 'running', 'interrupting', 'requires_action', 'error')),
  archived boolean not null default false,
  last_error jsonb,
  worker_id uuid,
  runner_id uuid,
  -- Grows with every change of who runs the chat. Workspaces refuse a smaller one.
  fence bigint not null default 0,
  snapshot_version bigint not null default 1,
  history_version bigint not null default 0,
  queue_version bigint not null default 0,
  -- Of chat_queued_messages: who holds the row's lock knows it without another look.
  queue_length integer not null default 0 check (queue_length >= 0),
  retry_state_version bigint not null default 0,
  generation_attempt bigint not null default 0,
  retry_state jsonb,
  requires_action_deadline_at timestamptz,
  compaction_requested_at timestamptz,

  last_model_config_id uuid not null references chat_model_configs (id),
  last_reasoning_effort text,
  mode text check (mode in ('computer_use', 'explore')),
  plan_mode text check (plan_mode in ('plan')),
  mcp_server_ids uuid[] not null default '{}',
  dynamic_tools jsonb,
  labels jsonb not null default '{}',
  -- 0: not pinned.
  pin_order integer not null default 0 check (pin_order >= 0),
  last_read_message_id bigint,
  -- Of the last turn: a few words.
  last_turn_summary text,
  client_type text not null default 'api' check (client_type in ('ui', 'api')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((parent_chat_id is null) = (root_chat_id is null)),
  check ((worker_id is null) = (runner_id is null))
);
-- A person's list: the pinned ones in their order, then the others, the latest first. Each page is read
-- from one of these in its order, however many chats there are.
create index chats_pinned on chats (owner_id, archived, pin_order, id)
  where parent_chat_id is null and pin_order > 0;
create index chats_recent on chats (owner_id, archived, updated_at desc, id desc)
  where parent_chat_id is null and pin_order = 0;
create index chats_family on chats (root_chat_id) where root_chat_id is not null;
create index chats_parent on chats (parent_chat_id) where parent_chat_id is not null;
create index chats_workspace on chats (workspace_id) where workspace_id is not null;
create index chats_runnable on chats (updated_at)
  where status in ('running', 'interrupting', 'requires_action') and not archived;

create table chat_messages (
  id bigint generated always as identity primary key,
  chat_id uuid not null references chats (id) on delete cascade,
  created_at timestamptz not null,
  created_by uuid references users (id),
  model_config_id uuid references chat_model_configs (id),
  role text not null check (role in ('system', 'user', 'assistant', 'tool')),
  -- Parts: libs/contract/src/chat/message-part.ts, in the format of content_version.
  content jsonb not null check (jsonb_typeof(content) = 'array'),
  content_version integer not null default 1,
  -- `user`: only shown. `model`: only sent.
  visibility text not null default 'both' check (visibility in ('user', 'model', 'both')),
  -- Belongs to a boundary: what lies before it is not sent any more.
  compressed boolean not null default false,
  deleted boolean not null default false,
  -- snapshot_version of the transition that last changed the row. The trigger's.
  revision bigint not null,
  reasoning_effort text,
  -- The request that brought it was made with this key; model calls of the turn name it.
  api_key_id text references api_keys (id) on delete set null,
  provider_response_id text,
  input_tokens bigint,
  output_tokens bigint,
  total_tokens bigint,
  reasoning_tokens bigint,
  cache_creation_tokens bigint,
  cache_read_tokens bigint,
  context_limit bigint,
  runtime_ms bigint,
  total_cost_micros bigint
);
create index chat_messages_chat on chat_messages (chat_id, id);
create index chat_messages_revision on chat_messages (chat_id, revision);

create table chat_queued_messages (
  id bigint generated always as identity primary key,
  chat_id uuid not null references chats (id) on delete cascade,
  created_at timestamptz not null,
  created_by uuid not null references users (id),
  content jsonb not null check (jsonb_typeof(content) = 'array'),
  model_config_id uuid references chat_model_configs (id),
  reasoning_effort text,
  api_key_id text references api_keys (id) on delete set null,
  position bigint not null
);
create index chat_queued_messages_chat on chat_queued_messages (chat_id, position, id);

-- A lease of a runner on a chat: who beats holds it. Lost with the database's memory, and then anew.
create unlogged table chat_heartbeats (
  chat_id uuid not null,
  runner_id uuid not null,
  heartbeat_at timestamptz not null,
  primary key (chat_id, runner_id)
);
create index chat_heartbeats_time on chat_heartbeats (heartbeat_at);

create table chat_files (
  id uuid primary key,
  owner_id uuid not null references users (id),
  organization_id uuid not null references organizations (id),
  created_at timestamptz not null,
  name text not null,
  media_type text not null,
  data bytea not null,
  sha256 bytea not null
);
create index chat_files_owner on chat_files (owner_id, created_at);
-- A file belongs to at most one chat.
create table chat_file_links (
  file_id uuid primary key references chat_files (id) on delete cascade,
  chat_id uuid not null references chats (id) on delete cascade,
  created_at timestamptz not null
);
create index chat_file_links_chat on chat_file_links (chat_id, created_at);

-- A repeated request is answered as the first was.
create table chat_request_keys (
  owner_id uuid not null references users (id),
  key text not null,
  operation text not null,
  input_hash bytea not null,
  answer jsonb not null,
  created_at timestamptz not null,
  primary key (owner_id, operation, key)
);
create index chat_request_keys_time on chat_request_keys (created_at);

create function chats_keep_versions() returns trigger language plpgsql as $$
begin
  -- Statements of stores run at depth 1; the triggers on messages and queue write from deeper.
  if pg_trigger_depth() = 1 and (
    new.history_version <> old.history_version
    or new.queue_version <> old.queue_version
    or new.queue_length <> old.queue_length
    or new.retry_state_version <> old.retry_state_version
  ) then
    raise exception 'versions of a chat belong to its triggers';
  end if;
  if new.snapshot_version not in (old.snapshot_version, old.snapshot_version + 1) then
    raise exception 'snapshot_version grows by one at a time';
  end if;
  -- Asking for a compaction changes no message, and yet begins anew: budget of attempts, keys of parts.
  if new.compaction_requested_at is not null
    and new.compaction_requested_at is distinct from old.compaction_requested_at then
    new.history_version := new.snapshot_version;
  end if;
  if new.history_version <> old.history_version then
    new.generation_attempt := 0;
  end if;
  if new.generation_attempt <> old.generation_attempt then
    new.retry_state := null;
  end if;
  if new.retry_state is distinct from old.retry_state then
    new.retry_state_version := new.snapshot_version;
  end if;
  return new;
end $$;
create trigger chats_versions before update on chats
  for each row execute function chats_keep_versions();

create function chat_messages_keep_revision() returns trigger language plpgsql as $$
declare
  before chat_messages;
begin
  if tg_op = 'INSERT' then
    if new.revision is not null then
      raise exception 'revision belongs to the trigger';
    end if;
  else
    if new.chat_id <> old.chat_id then
      raise exception 'a message stays in its chat';
    end if;
    if new.revision is distinct from old.revision then
      raise exception 'revision belongs to the trigger';
    end if;
    if new is not distinct from old then
      return null;
    end if;
    -- A deleted API key takes its name off messages: nothing of the history has changed by that.
    before := old;
    before.api_key_id := new.api_key_id;
    if new.api_key_id is null and new is not distinct from before then
      return new;
    end if;
  end if;
  select snapshot_version into new.revision from chats where id = new.chat_id;
  update chats set history_version = snapshot_version
  where id = new.chat_id and history_version <> snapshot_version;
  return new;
end $$;
create trigger chat_messages_revision before insert or update on chat_messages
  for each row execute function chat_messages_keep_revision();

create function chat_queue_changed() returns trigger language plpgsql as $$
begin
  update chats set
    queue_version = snapshot_version,
    queue_length = queue_length + case tg_op when 'INSERT' then 1 when 'DELETE' then -1 else 0 end
  where id = coalesce(new.chat_id, old.chat_id);
  return null;
end $$;
create trigger chat_queue_counted after insert or delete on chat_queued_messages
  for each row execute function chat_queue_changed();
create trigger chat_queue_updated
  after update of content, model_config_id, position, created_by on chat_queued_messages
  for each row when (
    (old.content, old.model_config_id, old.position, old.created_by)
      is distinct from (new.content, new.model_config_id, new.position, new.created_by)
  ) execute function chat_queue_changed();

-- A file lives as long as its chat holds it: pushed out by newer ones, or gone with the chat.
create function chat_file_let_go() returns trigger language plpgsql as $$
begin
  delete from chat_files where id = old.file_id;
  return null;
end $$;
create trigger chat_file_links_deleted after delete on chat_file_links
  for each row execute function chat_file_let_go();
