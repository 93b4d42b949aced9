-- What each chat changed in the repositories of its workspace, as last looked at. One row for a root chat:
-- what its children change is its change too.

create table chat_diff_statuses (
  chat_id uuid primary key references chats (id) on delete cascade,
  -- A chat that moved to another workspace changed nothing there yet: the row counts for this one only.
  workspace_id uuid not null references workspaces (id),
  -- Commits and directories below are of this machine.
  agent_id uuid not null,
  additions bigint not null check (additions >= 0),
  deletions bigint not null check (deletions >= 0),
  changed_files bigint not null check (changed_files >= 0),
  -- More changed than was counted.
  is_cut boolean not null,
  -- Of the one repository, or of the one that changed most. Empty: none, as on a detached head.
  git_branch text not null,
  git_remote_origin text not null,
  -- Of that branch, compared with its upstream.
  ahead bigint not null,
  behind bigint not null,
  -- Top directory of each repository → the commit that the chat found there; null: it found nothing.
  -- Empty: there is no repository, and so nothing to be shown.
  bases jsonb not null check (jsonb_typeof(bases) = 'object'),
  refreshed_at timestamptz not null
);
create index chat_diff_statuses_workspace on chat_diff_statuses (workspace_id);

-- Workspaces are deleted softly, also by servers of the version before. What was changed there is gone.
create function forget_diffs_of_workspace() returns trigger language plpgsql as $$
begin
  delete from chat_diff_statuses where workspace_id = new.id;
  return null;
end $$;
create trigger workspaces_forget_diffs
  after update of deleted_at on workspaces for each row
  when (new.deleted_at is not null) execute function forget_diffs_of_workspace();
