-- Whose key serves chats with a provider. The values that are there before: one's own key goes first, and
-- the company's serves everybody else.

alter table ai_providers add column central_api_key_enabled boolean not null default true;
alter table ai_providers add column allow_user_api_key boolean not null default true;
-- The company's key serves those who may have one of their own, and have none.
alter table ai_providers add column allow_central_api_key_fallback boolean not null default true;
alter table ai_providers add constraint ai_providers_key_policy check (
  (central_api_key_enabled or allow_user_api_key)
  and (not allow_central_api_key_fallback or (central_api_key_enabled and allow_user_api_key))
);
