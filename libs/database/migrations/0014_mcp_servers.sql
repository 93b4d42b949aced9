-- Tool servers that chats use over the Model Context Protocol, and what they are asked with.

create table mcp_servers (
  id uuid primary key,
  -- Begins the names of its tools.
  slug text not null unique,
  display_name text not null,
  description text not null,
  url text not null,
  enabled boolean not null,
  availability text not null check (availability in ('force_on', 'default_on', 'default_off')),
  allow_in_plan_mode boolean not null,
  auth_type text not null check (auth_type in ('none', 'api_key', 'custom_headers')),
  -- Their values are a secret of the control plane, under the server's id.
  header_names text[] not null,
  -- Empty: all. A denied one is denied also where it is allowed.
  tool_allow_list text[] not null,
  tool_deny_list text[] not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- What chats keep in the vault, which they do not see. No foreign key: the owner's table is not named here.
create table chat_secrets (
  id uuid primary key,
  sealed_value bytea not null
);

-- Calls of their tools that were begun. Whoever takes a chat over finds a call here whose result it does
-- not have: what it did is unknown, and it is not made again.
create table mcp_calls (
  chat_id uuid not null references chats (id) on delete cascade,
  -- As the chat names the call, also where a provider uses an id twice.
  call_id text not null,
  started_at timestamptz not null,
  primary key (chat_id, call_id)
);
