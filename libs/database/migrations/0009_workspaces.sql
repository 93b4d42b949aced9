-- Workspaces, their agents, where those are connected, and who was connected to them.

create table workspaces (
  id uuid primary key,
  owner_id uuid not null references users (id),
  organization_id uuid not null references organizations (id),
  name text not null check (name ~ '^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$' and length(name) <= 32),
  kind text not null check (kind in ('external')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_used_at timestamptz not null,
  -- Set: deleted. The row stays, because the connection log names it; the name is free again.
  deleted_at timestamptz
);
create unique index workspaces_name on workspaces (owner_id, lower(name)) where deleted_at is null;

create table workspace_agents (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  name text not null,
  -- SHA-256 of what the agent presents. Null: nothing lets it in.
  hashed_token bytea unique,
  -- As its machine says.
  operating_system text,
  architecture text,
  version text,
  directory text,
  first_connected_at timestamptz,
  last_connected_at timestamptz,
  disconnected_at timestamptz,
  unique (workspace_id, name)
);

-- Which server holds an agent's link. A row of a server that no longer lives counts for nothing. No
-- reference to that server: its row goes when it ends, and comes back when its heartbeat does.
create table workspace_links (
  agent_id uuid primary key references workspace_agents (id),
  replica_id uuid not null,
  -- A newer connection takes the row, and its server closes the older one.
  connection_id uuid not null,
  connected_at timestamptz not null
);
create index workspace_links_replica on workspace_links (replica_id);

-- Where other servers reach this one. Null: a server of the version before, or one that does not say.
alter table replicas add column relay_url text;

create table connection_log (
  id uuid not null,
  connected_at timestamptz not null,
  disconnected_at timestamptz,
  type text not null,
  workspace_id uuid not null,
  -- Names of the time: things are renamed and deleted.
  workspace_name text not null,
  workspace_owner_id uuid not null,
  workspace_owner_username text not null,
  agent_id uuid not null,
  agent_name text not null,
  -- Null: the machine itself.
  user_id uuid,
  username text,
  ip_address text not null default '',
  user_agent text not null default '',
  reason text not null default '',
  -- The server that sees its end: when it dies, the connection has ended.
  replica_id uuid not null,
  primary key (id, connected_at)
) partition by range (connected_at);
create table connection_log_default partition of connection_log default;
create index connection_log_time on connection_log (connected_at desc, id desc);
create index connection_log_workspace on connection_log (workspace_id, connected_at desc);
create index connection_log_open on connection_log (replica_id) where disconnected_at is null;
select ensure_month_partitions('connection_log', current_date, (current_date + interval '2 months')::date);

-- People are deleted softly, also by servers of the version before, which know nothing of workspaces.
create function delete_workspaces_of_user() returns trigger language plpgsql as $$
begin
  update workspace_agents a set hashed_token = null
  from workspaces w where w.id = a.workspace_id and w.owner_id = new.id;
  update workspaces set deleted_at = new.deleted_at, updated_at = new.deleted_at
  where owner_id = new.id and deleted_at is null;
  return null;
end $$;
create trigger users_delete_workspaces
  after update of deleted_at on users for each row
  when (new.deleted_at is not null) execute function delete_workspaces_of_user();
