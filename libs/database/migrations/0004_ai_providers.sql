-- Model providers, their keys, and the registry of encryption keys.

-- Which keys may have encrypted something here. A server that lacks one of them refuses to start.
create table encryption_keys (
  -- The first 7 bytes of the key's SHA-256, in hex.
  id text primary key,
  created_at timestamptz not null,
  -- Set: nothing is encrypted with it any more.
  revoked_at timestamptz,
  -- A known text, sealed: proves that the server's key is the right one.
  test_sealed bytea not null
);

create table ai_providers (
  id uuid primary key,
  type text not null,
  name text not null check (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  display_name text not null default '',
  enabled boolean not null default true,
  base_url text not null,
  -- JSON, sealed: settings of some types hold secrets. Null: none.
  sealed_settings bytea,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Set: deleted. The row stays, because records name it; the name is free again.
  deleted_at timestamptz
);
create unique index ai_providers_name on ai_providers (name) where deleted_at is null;

create table ai_provider_keys (
  id uuid primary key,
  provider_id uuid not null references ai_providers (id),
  -- Pool order: keys of one request share a created_at.
  position bigint generated always as identity,
  sealed_key bytea not null,
  -- Enough to recognise the key, too little to use it.
  masked text not null,
  created_at timestamptz not null
);
create index ai_provider_keys_provider on ai_provider_keys (provider_id, position);

-- Grows with each change of a provider, so that a server which missed a notification notices.
create table ai_provider_changes (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into ai_provider_changes (version) values (1);
