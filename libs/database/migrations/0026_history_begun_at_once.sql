-- A statement that writes messages behind its own update of their chat may begin the history in that update,
-- and count the first attempt with it. The message's trigger then finds it begun: one version of the row instead
-- of two, of which the second had all its foreign keys checked again. Servers of the version before leave
-- all of that to the triggers, as they did.

create or replace function chats_keep_versions() returns trigger language plpgsql as $$
declare
  -- Anew, and with its first attempt if there is one.
  is_begun boolean := false;
begin
  -- Statements of stores run at depth 1; the triggers on messages and queue write from deeper.
  if pg_trigger_depth() = 1 then
    is_begun := new.history_version <> old.history_version;
    if new.queue_version <> old.queue_version
      or new.queue_length <> old.queue_length
      or new.retry_state_version <> old.retry_state_version
      or is_begun and (
        new.history_version <> new.snapshot_version or new.snapshot_version = old.snapshot_version)
    then
      raise exception 'versions of a chat belong to its triggers';
    end if;
    if is_begun and new.generation_attempt <> 0
      and (new.generation_attempt <> 1 or new.status <> 'running' or new.archived) then
      raise exception 'a history begins with no attempt, or with the first of a chat that runs';
    end if;
  end if;
  if new.snapshot_version not in (old.snapshot_version, old.snapshot_version + 1) then
    raise exception 'snapshot_version grows by one at a time';
  end if;
  -- Asking for a compaction changes no message, and yet begins anew: budget of attempts, keys of parts.
  if new.compaction_requested_at is not null
    and new.compaction_requested_at is distinct from old.compaction_requested_at then
    new.history_version := new.snapshot_version;
  end if;
  if new.history_version <> old.history_version and not is_begun then
    new.generation_attempt := 0;
  end if;
  if new.generation_attempt <> old.generation_attempt or is_begun and new.generation_attempt = 1 then
    new.retry_state := null;
  end if;
  if new.retry_state is distinct from old.retry_state then
    new.retry_state_version := new.snapshot_version;
  end if;
  return new;
end $$;

create or replace function chat_messages_keep_revision() returns trigger language plpgsql as $$
declare
  before chat_messages;
  begun_at bigint;
begin
  if tg_op = 'INSERT' then
    if new.revision is not null then
      raise exception 'revision belongs to the trigger';
    end if;
  else
    if new.chat_id <> old.chat_id then
      raise exception 'a message stays in its chat';
    end if;
    if new.revision is distinct from old.revision then
      raise exception 'revision belongs to the trigger';
    end if;
    if new is not distinct from old then
      return null;
    end if;
    -- A deleted API key takes its name off messages: nothing of the history has changed by that.
    before := old;
    before.api_key_id := new.api_key_id;
    if new.api_key_id is null and new is not distinct from before then
      return new;
    end if;
  end if;
  select snapshot_version, history_version into new.revision, begun_at from chats where id = new.chat_id;
  if begun_at <> new.revision then
    update chats set history_version = snapshot_version where id = new.chat_id;
  end if;
  return new;
end $$;
