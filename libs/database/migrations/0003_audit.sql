-- Who changed what. Append-only.
create table audit_events (
  id uuid not null,
  time timestamptz not null,
  -- Null: nobody was signed in, or the system acted.
  user_id uuid,
  action text not null,
  resource_type text not null,
  resource_id text,
  resource_target text not null default '',
  diff jsonb not null default '{}',
  status_code integer not null,
  additional_fields jsonb not null default '{}',
  request_id text not null default '',
  ip_address text not null default '',
  user_agent text not null default '',
  primary key (id, time)
) partition by range (time);
create table audit_events_default partition of audit_events default;
create index audit_events_time on audit_events (time desc, id desc);
create index audit_events_user on audit_events (user_id, time desc);
create index audit_events_resource on audit_events (resource_type, resource_id, time desc);
select ensure_month_partitions('audit_events', current_date, (current_date + interval '2 months')::date);
