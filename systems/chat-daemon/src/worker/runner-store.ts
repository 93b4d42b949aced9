/** The chats that a server drives, read all at once. */
import type { ChatStatus } from "@atelier/contract/chat/chat-words";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { RunnerEvent } from "./runner-decision.ts";

export type RunnerNews = RunnerEvent & { readonly chatId: string };

/** Those that are gone are absent. */
export async function listRunnerNews(
  db: Sql,
  chatIds: readonly string[],
): Promise<readonly RunnerNews[]> {
  const { rows } = await sql<{
    readonly id: string;
    readonly worker_id: string | null;
    readonly runner_id: string | null;
    readonly snapshot_version: number;
    readonly history_version: number;
    readonly generation_attempt: number;
    readonly archived: boolean;
    readonly status: ChatStatus;
  }>`
    /* by key */ select id, worker_id, runner_id, snapshot_version, history_version, generation_attempt, archived,
      status
    from chats where id = any(${[...chatIds]}::uuid[])`.execute(db);
  return rows.map((row) => ({
    chatId: row.id,
    workerId: row.worker_id,
    runnerId: row.runner_id,
    snapshotVersion: row.snapshot_version,
    historyVersion: row.history_version,
    generationAttempt: row.generation_attempt,
    archived: row.archived,
    status: row.status,
  }));
}

/** Undefined: the chat is gone, or does not wait for its client. */
export async function findActionDeadline(db: Sql, chatId: string): Promise<Date | undefined> {
  const { rows } = await sql<{ deadline: Date }>`
    select requires_action_deadline_at as deadline from chats
    where id = ${chatId} and requires_action_deadline_at is not null`.execute(db);
  return rows[0]?.deadline;
}
