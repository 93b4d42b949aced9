-- How much of a model provider's keys may be used at the same time.

-- Calls under way with one key, in each server. Null: no limit. A server of the version before knows of none.
alter table ai_providers add column max_concurrency_per_key integer
  check (max_concurrency_per_key > 0);
