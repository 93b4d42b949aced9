-- Servers that run, and facts about the deployment.
create table replicas (
  id uuid primary key,
  hostname text not null,
  version text not null,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null
);

create table site_settings (
  key text primary key,
  value text not null
);
insert into site_settings (key, value) values ('deployment_id', gen_random_uuid()::text);
