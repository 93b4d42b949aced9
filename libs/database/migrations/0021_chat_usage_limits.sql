-- What people may spend on chats in a day, week or month. Money is in micro-dollars.

-- One row at most. None: nobody decided, and there is no limit.
create table chat_usage_limit_config (
  is_only boolean primary key default true check (is_only),
  enabled boolean not null,
  -- Of everybody without a limit of their own. 0: they spend nothing.
  default_limit_micros bigint not null check (default_limit_micros >= 0),
  period text not null check (period in ('day', 'week', 'month')),
  updated_at timestamptz not null
);

-- Limits of single people, in place of everybody's.
create table chat_usage_limit_overrides (
  user_id uuid primary key references users (id),
  -- Who is to spend nothing is suspended, or has everybody's limit of 0.
  limit_micros bigint not null check (limit_micros > 0),
  updated_at timestamptz not null
);
