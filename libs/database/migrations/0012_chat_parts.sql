-- What models are writing at the moment, kept for whoever takes a chat over: viewers saw it already.
-- Rows are worthless once the step is in the history, so they go with their partition, hours later.

create table chat_message_parts (
  chat_id uuid not null,
  history_version bigint not null,
  generation_attempt bigint not null,
  -- Number of the first of `parts` in its episode.
  first_seq bigint not null,
  -- [[role, part], …], in order.
  parts jsonb not null,
  created_at timestamptz not null
) partition by range (created_at);
create table chat_message_parts_default partition of chat_message_parts default;
create index chat_message_parts_episode
  on chat_message_parts (chat_id, history_version, generation_attempt, first_seq);

-- Makes the partitions of the hours from `first` on, `count` of them.
create function ensure_chat_part_partitions(first timestamptz, count integer) returns void
language plpgsql as $$
declare
  hour timestamptz := date_trunc('hour', first, 'UTC');
  partition_name text;
begin
  for i in 1..count loop
    partition_name := 'chat_message_parts_' || to_char(hour at time zone 'UTC', 'YYYYMMDDHH24');
    if to_regclass(partition_name) is null then
      begin
        execute format(
          'create table %I partition of chat_message_parts for values from (%L) to (%L)',
          partition_name, hour, hour + interval '1 hour');
      exception
        -- Rows of that hour are in the default partition already: they stay readable there.
        when check_violation then null;
        when duplicate_table then null;
      end;
    end if;
    hour := hour + interval '1 hour';
  end loop;
end $$;
