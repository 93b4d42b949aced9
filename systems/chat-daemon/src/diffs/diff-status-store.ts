/** What chats changed in their workspaces, in Postgres: one row for each root chat. */
import type { Sql } from "@atelier/database/database";
import type { ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import { sql } from "kysely";
import { chatWatchChannel } from "../state/chat-machine.ts";
import type { Bases, DiffStatus } from "./diff-status.ts";

/** A root chat on one machine. */
export type DiffPlace = {
  readonly chatId: string;
  readonly ownerId: string;
  readonly workspaceId: string;
  readonly agentId: string;
};

/** Undefined: nobody looked at this machine for the chat yet. */
export async function findBases(
  db: Sql,
  { chatId, workspaceId, agentId }: DiffPlace,
): Promise<Bases | undefined> {
  const row = await db
    .selectFrom("chat_diff_statuses")
    .select("bases")
    .where("chat_id", "=", chatId)
    .where("workspace_id", "=", workspaceId)
    .where("agent_id", "=", agentId)
    .executeTakeFirst();
  return row?.bases as Bases | undefined; // As it was stored.
}

const DIFF_STATUS_CHANGE: ChatNewsKind = "diff_status_change";

/**
 * Keeps it, and tells the owner's lists where it is another than before: one statement. What an earlier
 * look found first stays found first. Nothing happens where the chat is gone, or works elsewhere by now.
 */
export async function saveDiffStatus(
  db: Sql,
  { chatId, ownerId, workspaceId, agentId }: DiffPlace,
  { status, now }: { readonly status: DiffStatus; readonly now: Date },
): Promise<void> {
  const news = JSON.stringify({ kind: DIFF_STATUS_CHANGE, chat_id: chatId });
  await sql`
    with before as (
      select * from chat_diff_statuses where chat_id = ${chatId}
    ), saved as (
      insert into chat_diff_statuses as d (chat_id, workspace_id, agent_id, additions, deletions,
        changed_files, is_cut, git_branch, git_remote_origin, ahead, behind, bases, refreshed_at)
      select c.id, c.workspace_id, ${agentId}::uuid, ${status.additions}::bigint,
        ${status.deletions}::bigint, ${status.changedFiles}::bigint, ${status.isCut}::boolean,
        ${status.branch}::text, ${status.remoteOrigin}::text, ${status.ahead}::bigint,
        ${status.behind}::bigint, ${JSON.stringify(status.bases)}::jsonb, ${now}::timestamptz
      from chats c where c.id = ${chatId} and c.workspace_id = ${workspaceId}
      on conflict (chat_id) do update set
        workspace_id = excluded.workspace_id, agent_id = excluded.agent_id,
        additions = excluded.additions, deletions = excluded.deletions,
        changed_files = excluded.changed_files, is_cut = excluded.is_cut,
        git_branch = excluded.git_branch, git_remote_origin = excluded.git_remote_origin,
        ahead = excluded.ahead, behind = excluded.behind, refreshed_at = excluded.refreshed_at,
        bases = case when d.agent_id <> excluded.agent_id then excluded.bases else (
          select coalesce(jsonb_object_agg(key,
            case when d.bases ? key then d.bases -> key else value end), '{}')
          from jsonb_each(excluded.bases)) end
      returning d.*
    )
    select pg_notify(${chatWatchChannel(ownerId)}, ${news})
    from saved left join before using (chat_id)
    where row(saved.agent_id, saved.additions, saved.deletions, saved.changed_files, saved.is_cut,
        saved.git_branch, saved.git_remote_origin, saved.ahead, saved.behind, saved.bases)
      is distinct from row(before.agent_id, before.additions, before.deletions,
        before.changed_files, before.is_cut, before.git_branch, before.git_remote_origin,
        before.ahead, before.behind, before.bases)`.execute(db);
}
