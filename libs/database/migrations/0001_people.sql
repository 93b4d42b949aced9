-- People and their credentials.

create table organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  display_name text not null default '',
  is_default boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index organizations_name on organizations (lower(name));
-- Exactly one organization is the default; who names none means it.
create unique index organizations_default on organizations (is_default) where is_default;
insert into organizations (name, display_name, is_default) values ('default', 'Default', true);

create table users (
  id uuid primary key,
  email text not null,
  username text not null,
  name text not null default '',
  -- Null: this user cannot sign in with a password.
  password_hash text,
  status text not null check (status in ('active', 'dormant', 'suspended')),
  -- Without `member`, which everybody is.
  roles text[] not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_seen_at timestamptz,
  -- Set: deleted. The row stays, because records name it.
  deleted_at timestamptz
);
-- A deleted user's email and username are free again.
create unique index users_email on users (lower(email)) where deleted_at is null;
create unique index users_username on users (lower(username)) where deleted_at is null;

-- Session tokens and API tokens: both are presented as `id-secret`, and only a hash of the secret is kept.
create table api_keys (
  id text primary key,
  kind text not null check (kind in ('session', 'token')),
  user_id uuid not null references users (id),
  hashed_secret bytea not null,
  token_name text not null default '',
  scopes text[] not null check (cardinality(scopes) > 0),
  lifetime_seconds bigint not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  expires_at timestamptz not null,
  ip_address text not null default '',
  user_agent text not null default ''
);
create index api_keys_user on api_keys (user_id, kind, created_at desc, id desc);
create unique index api_keys_token_name on api_keys (user_id, lower(token_name)) where kind = 'token';
create index api_keys_expires on api_keys (expires_at);
