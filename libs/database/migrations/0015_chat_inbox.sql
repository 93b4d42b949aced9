-- Where each chat stands in its owner's inbox, and since when: kept with the chat, so that a page of one
-- section is read from an index however many chats there are. The trigger's; stores only read it.

alter table chats
  -- What the last turn ended with that only a person can answer.
  add column asks text check (asks in ('question', 'plan')),
  -- The newest answer that its owner can see, as of the end of the last turn.
  add column last_answer_id bigint,
  add column inbox_section text not null default 'working'
    check (inbox_section in ('needs_you', 'working', 'unreviewed', 'idle')),
  add column inbox_since timestamptz not null default now();

create function chat_inbox_section(status text, asks text, last_answer_id bigint, last_read_message_id bigint)
  returns text language sql immutable as $$
  select case
    when status in ('running', 'interrupting') then 'working'
    when status in ('error', 'requires_action') or asks is not null then 'needs_you'
    when last_answer_id > coalesce(last_read_message_id, 0) then 'unreviewed'
    else 'idle'
  end
$$;

create function chat_last_answer_id(of_chat uuid) returns bigint language sql stable as $$
  select id from chat_messages
  where chat_id = of_chat and role = 'assistant' and not deleted and visibility <> 'model'
  order by id desc limit 1
$$;

-- A call that ended the turn has its result behind the last answer, and nobody wrote since.
create function chat_ask(of_chat uuid, last_answer_id bigint) returns text language sql stable as $$
  select case part ->> 'tool_name' when 'propose_plan' then 'plan' else 'question' end
  from chat_messages m, jsonb_array_elements(m.content) part
  where m.chat_id = of_chat and m.id > last_answer_id and m.role = 'tool' and not m.deleted
    and part ->> 'type' = 'tool-result'
    and part ->> 'tool_name' in ('propose_plan', 'ask_user_question')
    and coalesce(part ->> 'is_error', 'false') <> 'true'
    and not exists (
      select from chat_messages u
      where u.chat_id = of_chat and u.id > last_answer_id and u.role = 'user' and not u.deleted
        and u.visibility <> 'model')
  order by m.id desc limit 1
$$;

create function chats_place_in_inbox() returns trigger language plpgsql as $$
declare
  before text := case tg_op when 'UPDATE' then old.inbox_section end;
begin
  if new.status <> 'waiting' then
    new.asks := null;
  elsif tg_op = 'INSERT' or old.status <> 'waiting' then
    new.last_answer_id := chat_last_answer_id(new.id);
    new.asks := chat_ask(new.id, new.last_answer_id);
  elsif new.history_version <> old.history_version then
    -- Written into while nothing runs, as by clearing: the question is moot.
    new.asks := null;
  end if;
  new.inbox_section := chat_inbox_section(
    new.status, new.asks, new.last_answer_id, new.last_read_message_id);
  if new.inbox_section is distinct from before then
    new.inbox_since := new.updated_at;
  end if;
  return new;
end $$;

create trigger chats_inbox_begin before insert on chats
  for each row execute function chats_place_in_inbox();
create trigger chats_inbox_move before update on chats
  for each row when (
    old.status <> new.status
    or old.last_read_message_id is distinct from new.last_read_message_id
    or (new.status = 'waiting' and old.history_version <> new.history_version)
  ) execute function chats_place_in_inbox();

-- Those that are there already. No version changes: nobody's view of a chat becomes another.
update chats c set
  last_answer_id = answered.id,
  asks = answered.asks,
  inbox_since = c.updated_at,
  inbox_section = chat_inbox_section(
    c.status, answered.asks, answered.id, c.last_read_message_id)
from (
  select chat_id, id, chat_ask(chat_id, id) as asks
  from (select id as chat_id, chat_last_answer_id(id) as id from chats offset 0) answers
) answered
where c.id = answered.chat_id and c.status = 'waiting';
update chats set
  inbox_since = updated_at,
  inbox_section = chat_inbox_section(status, null, null, null)
where status <> 'waiting';

create index chats_inbox on chats (owner_id, inbox_section, inbox_since desc, id desc)
  where parent_chat_id is null and not archived;
