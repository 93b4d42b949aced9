-- Tool servers to which each person signs in (OAuth).

alter table mcp_servers drop constraint mcp_servers_auth_type_check;
alter table mcp_servers add constraint mcp_servers_auth_type_check
  check (auth_type in ('none', 'api_key', 'custom_headers', 'oauth2'));
-- Null: this deployment registers itself with the authorization server.
alter table mcp_servers add column oauth_client_id text;
-- Null: what the tool server says that it needs.
alter table mcp_servers add column oauth_scope text;

-- Who is signed in where. The tokens are a secret of the control plane, under the sign-in's id.
create table mcp_sign_ins (
  id uuid primary key,
  server_id uuid not null references mcp_servers (id),
  user_id uuid not null references users (id),
  -- Grows with each change of the tokens.
  version integer not null,
  -- Of the access token. Null: the authorization server does not say.
  expires_at timestamptz,
  -- A refresh token often serves once: one server at a time renews, and others wait for what it gets.
  refresher uuid,
  refreshing_until timestamptz,
  created_at timestamptz not null,
  unique (server_id, user_id)
);

-- Sign-ins that were begun. What they end with is a secret of the control plane, under the attempt's id.
create table mcp_sign_in_attempts (
  id uuid primary key,
  server_id uuid not null references mcp_servers (id),
  user_id uuid not null references users (id),
  -- Of what the browser brings back. The state itself is nowhere.
  state_hash bytea not null unique,
  expires_at timestamptz not null
);
create index on mcp_sign_in_attempts (expires_at);
