-- What models cost. Money is in micro-dollars, prices are in micro-dollars for a million tokens: whole
-- numbers. A server of the version before records without them: what it ends has no known price.

-- Types of providers and models that were asked, for whoever looks their prices up.
create table ai_seen_models (
  provider text not null,
  model text not null,
  -- Not after the start of the first request.
  seen_at timestamptz not null,
  primary key (provider, model)
);

insert into ai_seen_models
select provider, model, min(started_at) from ai_interceptions group by provider, model;

-- Versions of prices. A row changes only by its end, so that a request's price can always be shown.
create table ai_model_prices (
  id bigint generated always as identity primary key,
  provider text not null,
  model text not null,
  -- An override counts before what the catalog says.
  origin text not null check (origin in ('override', 'catalog')),
  catalog_version text,
  set_by uuid,
  valid_from timestamptz not null,
  valid_to timestamptz,
  check ((origin = 'catalog') = (catalog_version is not null)),
  check (valid_from <= valid_to)
);
create index ai_model_prices_model on ai_model_prices (provider, model, valid_from);
-- Of each origin one is in force.
create unique index ai_model_prices_open on ai_model_prices (provider, model, origin)
  where valid_to is null;

-- A request has the prices of the last tier that its prompt reaches.
create table ai_price_tiers (
  price_id bigint not null references ai_model_prices (id) on delete cascade,
  from_tokens bigint not null check (from_tokens >= 0),
  input bigint check (input >= 0),
  output bigint check (output >= 0),
  cache_read bigint check (cache_read >= 0),
  cache_write bigint check (cache_write >= 0),
  -- Null: as cache_write.
  cache_write_1h bigint check (cache_write_1h >= 0),
  primary key (price_id, from_tokens)
);

-- Null: the price was not known.
alter table ai_token_usages add column cost_micros bigint;
-- The version by which it was counted.
alter table ai_token_usages add column price_id bigint;
create index ai_token_usages_unpriced on ai_token_usages (started_at) where cost_micros is null;

alter table ai_sessions add column cost_micros bigint not null default 0;
-- Requests that used tokens, by whether all of them have a price.
alter table ai_sessions add column priced_interceptions integer not null default 0;
alter table ai_sessions add column unpriced_interceptions integer not null default 0;

update ai_sessions s set unpriced_interceptions = used.interceptions
from (
  select i.initiator_id, i.session_id, count(distinct i.id) as interceptions
  from ai_interceptions i
  join ai_token_usages t on t.interception_id = i.id and t.started_at = i.started_at
  group by i.initiator_id, i.session_id
) as used
where s.initiator_id = used.initiator_id and s.session_id = used.session_id;

-- Sums of what ended, by when it began. All time zones in use begin their days at quarters of an hour.
-- Kept longer than the records, of which it holds no text.
create table ai_usage_totals (
  quarter timestamptz not null,
  initiator_id uuid not null,
  provider text not null,
  provider_name text not null,
  model text not null,
  client text not null,
  credential_kind text not null,
  requests bigint not null,
  errors bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_read_input_tokens bigint not null,
  cache_write_input_tokens bigint not null,
  cost_micros bigint not null,
  priced_requests bigint not null,
  unpriced_requests bigint not null,
  primary key (quarter, initiator_id, provider_name, model, client, provider, credential_kind)
) partition by range (quarter);
create table ai_usage_totals_default partition of ai_usage_totals default;
create index ai_usage_totals_initiator on ai_usage_totals (initiator_id, quarter);

select ensure_month_partitions(
  'ai_usage_totals',
  least(current_date, (select min(started_at)::date from ai_interceptions)),
  (current_date + interval '2 months')::date);

insert into ai_usage_totals
select date_bin('15 minutes', i.started_at, '2000-01-01 00:00:00+00'), i.initiator_id, i.provider,
  i.provider_name, i.model, i.client, i.credential_kind, count(*),
  count(*) filter (where i.error_type is not null), coalesce(sum(t.input_tokens), 0),
  coalesce(sum(t.output_tokens), 0), coalesce(sum(t.cache_read_input_tokens), 0),
  coalesce(sum(t.cache_write_input_tokens), 0), 0, 0,
  count(*) filter (where t.input_tokens is not null)
from ai_interceptions i
left join (
  select interception_id, started_at, sum(input_tokens) as input_tokens,
    sum(output_tokens) as output_tokens, sum(cache_read_input_tokens) as cache_read_input_tokens,
    sum(cache_write_input_tokens) as cache_write_input_tokens
  from ai_token_usages
  group by interception_id, started_at
) as t on t.interception_id = i.id and t.started_at = i.started_at
where i.ended_at is not null
group by 1, 2, 3, 4, 5, 6, 7;

-- What chats cost, which is asked also when their requests are past retention. A chat's children are
-- in it: they speak in the session of the chat above them.
create table ai_chat_totals (
  initiator_id uuid not null,
  session_id text not null,
  requests bigint not null,
  cost_micros bigint not null,
  priced_requests bigint not null,
  unpriced_requests bigint not null,
  -- They are kept as long as the other sums.
  last_active_at timestamptz not null,
  primary key (session_id, initiator_id)
);
create index ai_chat_totals_active on ai_chat_totals (last_active_at);

insert into ai_chat_totals
select initiator_id, session_id, interceptions, 0, 0, unpriced_interceptions, last_active_at
from ai_sessions
where client = 'Atelier Agents';
