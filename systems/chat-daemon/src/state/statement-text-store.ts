/** Pieces of SQL text for named statements, which the hot path runs without building or planning them. */
import { LEASE_MS } from "./lease.ts";

/** Sends a `ChatUpdate` when the statement commits. */
export function notifyUpdateText(row: string): string {
  const fields = [
    "snapshot_version",
    "worker_id",
    "runner_id",
    "history_version",
    "queue_version",
    "retry_state_version",
    "generation_attempt",
    "status",
    "archived",
  ].map((name) => `'${name}', ${row}.${name}`);
  return `pg_notify(
    'chat_update_' || replace(${row}.id::text, '-', ''),
    json_build_object('chat_id', ${row}.id, ${fields.join(", ")})::text)`;
}

/** Tells all servers when the statement commits: the chat wants a worker and has none that lives. */
export function notifyOwnershipText(row: string): string {
  return `pg_notify('chat_ownership',
      json_build_object('chat_id', ${row}.id, 'snapshot_version', ${row}.snapshot_version)::text)`;
}

/** A chat that wants a worker, whether or not one has it. */
export const WANTS_WORKER_TEXT =
  "chats.status in ('running', 'interrupting', 'requires_action') and not chats.archived";

/** As an interval. */
export const LEASE_TEXT = `interval '${LEASE_MS} milliseconds'`;

/** None that lives drives it. */
export const HAS_NO_LEASE_TEXT = `not exists (
    select 1 from chat_heartbeats
    where chat_heartbeats.chat_id = chats.id and chat_heartbeats.runner_id = chats.runner_id
      and chat_heartbeats.heartbeat_at >= clock_timestamp() - ${LEASE_TEXT})`;
