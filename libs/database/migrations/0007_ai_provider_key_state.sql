-- Keys that an operator takes out of service, and puts back, without forgetting them.

-- Set: disabled since then. A server of the version before goes on using the key until it is replaced.
alter table ai_provider_keys add column disabled_at timestamptz;
