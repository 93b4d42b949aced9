-- What chats sent to models and were answered, call by call, where recording is on. Written beside the turn,
-- and best effort: nothing here may hold up a chat, so nothing here refers to its rows. What belongs to a chat
-- that is gone is deleted by the task that deletes what is old.

-- A turn, however many steps it has and servers it took; or one title, label or summary.
create table chat_debug_runs (
  id uuid primary key,
  chat_id uuid not null,
  root_chat_id uuid,
  parent_chat_id uuid,
  model_config_id uuid,
  -- The message of a person that it answers.
  trigger_message_id bigint,
  -- The newest message when it began.
  history_tip_message_id bigint,
  kind text not null check (kind in ('chat_turn', 'title_generation', 'quickgen', 'compaction')),
  status text not null check (status in ('in_progress', 'completed', 'error', 'interrupted')),
  provider text not null,
  model text not null,
  -- Of its steps, so that a list need not read them.
  summary jsonb not null,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  -- A run that goes on after its end has none again.
  check ((status = 'in_progress') = (finished_at is null))
);
create index chat_debug_runs_chat on chat_debug_runs (chat_id, started_at desc, id);
create index chat_debug_runs_old on chat_debug_runs (started_at);
create index chat_debug_runs_open on chat_debug_runs (updated_at) where status = 'in_progress';

-- One answer of a model, with all tries at it.
create table chat_debug_steps (
  id uuid primary key,
  run_id uuid not null references chat_debug_runs (id) on delete cascade,
  chat_id uuid not null,
  step_number int not null,
  operation text not null check (operation in ('stream', 'generate')),
  status text not null check (status in ('in_progress', 'completed', 'error', 'interrupted')),
  history_tip_message_id bigint,
  -- The message that the answer became; known once the next step begins or the turn has ended.
  assistant_message_id bigint,
  -- Cut to some size, and without credentials, as all that follows.
  normalized_request jsonb not null,
  normalized_response jsonb,
  usage jsonb,
  -- What went over HTTP: a list of tries.
  attempts jsonb not null default '[]',
  attempt_count int not null default 0,
  error jsonb,
  metadata jsonb not null,
  -- Of request, response and attempts: answers of the API are bounded by it.
  stored_bytes int not null default 0,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  check ((status = 'in_progress') = (finished_at is null))
);
create index chat_debug_steps_run on chat_debug_steps (run_id, step_number);
