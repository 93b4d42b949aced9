-- What a turn goes by besides its chat (models, settings, tool servers) seldom changes, and is read with every message
-- and every step. One value says whether it changed. No count: a database that is put back has values that were there.
create table chat_turn_settings_version (
  is_only boolean primary key default true check (is_only),
  version uuid not null
);
insert into chat_turn_settings_version (version) values (gen_random_uuid());

create function chat_turn_settings_changing() returns trigger language plpgsql as $$
begin
  update chat_turn_settings_version set version = gen_random_uuid();
  return null;
end $$;

-- Before the rows are locked: who waits here holds none that the one before it may want.
create trigger chat_model_configs_of_turns before insert or update or delete on chat_model_configs
  for each statement execute function chat_turn_settings_changing();
create trigger chat_model_overrides_of_turns before insert or update or delete on chat_model_overrides
  for each statement execute function chat_turn_settings_changing();
create trigger chat_settings_of_turns before insert or update or delete on chat_settings
  for each statement execute function chat_turn_settings_changing();
create trigger chat_user_settings_of_turns before insert or update or delete on chat_user_settings
  for each statement execute function chat_turn_settings_changing();
create trigger mcp_servers_of_turns before insert or update or delete on mcp_servers
  for each statement execute function chat_turn_settings_changing();
