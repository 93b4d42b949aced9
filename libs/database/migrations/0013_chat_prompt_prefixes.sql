-- The beginnings of prompts: tools and system. A provider's cache serves a call only as far as it begins
-- like the one before, so each change costs, and has a cause that can be looked up. One row per change.

create table chat_prompt_prefixes (
  chat_id uuid not null references chats (id) on delete cascade,
  -- Of the history that the call was made of.
  history_version bigint not null,
  -- Of all of `prefix`.
  hash text not null,
  -- Names and hashes of the tools and of the system's layers, and the model.
  prefix jsonb not null,
  -- Such as `tool_added:execute`. Empty: the chat's first.
  causes text[] not null,
  created_at timestamptz not null,
  primary key (chat_id, history_version)
);
