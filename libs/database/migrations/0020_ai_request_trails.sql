-- How requests were served. They lie with the request, so they cost no row and go when it goes. A server of
-- the version before records without them: of what it ends nothing is known.

-- Why the last attempt had its key. Null: none was made, or nothing is known.
alter table ai_interceptions add column key_reason text;
-- Attempts, and what the gateway did by itself. Null with a reason: one attempt that served.
alter table ai_interceptions add column trail jsonb;
