-- People's own keys with model providers: they serve what the server calls for them.

create table user_ai_provider_keys (
  user_id uuid not null references users (id),
  provider_id uuid not null references ai_providers (id),
  sealed_key bytea not null,
  -- Enough to recognise the key, too little to use it.
  masked text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- One key of a person for each provider; the sealed value is bound to both.
  primary key (user_id, provider_id)
);
create index user_ai_provider_keys_provider on user_ai_provider_keys (provider_id);

-- Users and providers are deleted softly, also by servers of the version before, which know nothing of
-- this table. So the database itself sees to it that nobody's key outlives its person or its provider.
create function delete_user_ai_provider_keys() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'users' then
    delete from user_ai_provider_keys where user_id = new.id;
  else
    delete from user_ai_provider_keys where provider_id = new.id;
  end if;
  return null;
end $$;
create trigger users_delete_ai_provider_keys
  after update of deleted_at on users for each row
  when (new.deleted_at is not null) execute function delete_user_ai_provider_keys();
create trigger ai_providers_delete_user_keys
  after update of deleted_at on ai_providers for each row
  when (new.deleted_at is not null) execute function delete_user_ai_provider_keys();
