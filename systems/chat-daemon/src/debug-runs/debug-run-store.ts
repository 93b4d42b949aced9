/** Recorded calls of models in Postgres. */
import type { Sql } from "@atelier/database/database";
import type {
  ChatDebugAttempt,
  ChatDebugRun,
  ChatDebugStep,
  DebugOperation,
  DebugRunKind,
  DebugStatus,
} from "@atelier/contract/http/chat-debug";
import { sql } from "kysely";
import type { BeginningRow, EndRow } from "./debug-record.ts";

/** What of this transaction takes longer fails. */
export async function limitStatements(db: Sql, ms: number): Promise<void> {
  await sql`select set_config('statement_timeout', ${String(ms)}, true)`.execute(db);
}

/** A run that goes on, and a step that is tried again, are in progress again. */
export async function insertBeginning(db: Sql, row: BeginningRow): Promise<void> {
  const { runId, stepId, call, at } = row;
  const { chat } = call;
  await sql`
    insert into chat_debug_runs (id, chat_id, root_chat_id, parent_chat_id, model_config_id,
      trigger_message_id, history_tip_message_id, kind, status, provider, model, summary,
      started_at, updated_at)
    values (${runId}, ${chat.id}, ${chat.rootChatId}, ${chat.parentChatId}, ${call.modelConfigId},
      ${call.triggerMessageId}, ${call.historyTipMessageId}, ${call.kind}, 'in_progress',
      ${call.provider}, ${call.model}, jsonb_build_object('title', ${row.title}::text), ${at}, ${at})
    on conflict (id) do update set status = 'in_progress', finished_at = null,
      model_config_id = excluded.model_config_id, provider = excluded.provider,
      model = excluded.model, updated_at = excluded.updated_at`.execute(db);
  await settleSteps(db, runId, { at, but: stepId });
  await sql`
    insert into chat_debug_steps (id, run_id, chat_id, step_number, operation, status,
      history_tip_message_id, normalized_request, metadata, stored_bytes, started_at, updated_at)
    values (${stepId}, ${runId}, ${chat.id},
      (select coalesce(max(step_number), 0) + 1 from chat_debug_steps where run_id = ${runId}),
      ${call.operation}, 'in_progress', ${call.historyTipMessageId}, ${row.request}::jsonb,
      ${row.metadata}::jsonb, octet_length(${row.request}), ${at}, ${at})
    on conflict (id) do update set status = 'in_progress', finished_at = null,
      normalized_request = excluded.normalized_request, metadata = excluded.metadata,
      updated_at = excluded.updated_at`.execute(db);
  await summarise(db, runId, at);
}

/** False: nothing is known of its beginning. */
export async function updateEnd(db: Sql, row: EndRow): Promise<boolean> {
  const { runId, stepId, at, status } = row;
  const { numAffectedRows } = await sql`
    update chat_debug_steps set status = ${status}, finished_at = ${at}, updated_at = ${at},
      normalized_response = ${row.response}::jsonb, usage = ${row.usage}::jsonb,
      attempts = attempts || ${row.attempts}::jsonb,
      attempt_count = attempt_count + ${row.attemptCount}::int, error = ${row.error}::jsonb,
      stored_bytes = stored_bytes + octet_length(${row.attempts})
        + coalesce(octet_length(${row.response}), 0)
    where id = ${stepId}`.execute(db);
  if (numAffectedRows !== 1n) return false;
  if (row.endsRun) await updateRunEnd(db, runId, { status, at });
  await summarise(db, runId, at);
  return true;
}

/** Only if it goes on. */
export async function updateRunEnd(
  db: Sql,
  runId: string,
  { status, at }: { readonly status: Exclude<DebugStatus, "in_progress">; readonly at: Date },
): Promise<void> {
  await sql`
    update chat_debug_runs set status = ${status}, finished_at = ${at}, updated_at = ${at}
    where id = ${runId} and status = 'in_progress'`.execute(db);
  await settleSteps(db, runId, { at, but: null });
}

/**
 * Runs that nobody records into any more: their server died, or the chat went on without them. A turn is
 * over when its chat does not work; what else there is, is over soon.
 */
export async function interruptStaleRuns(
  db: Sql,
  { before, at }: { readonly before: Date; readonly at: Date },
): Promise<number> {
  const { rows } = await sql`
    with stale as (
      update chat_debug_runs r set status = 'interrupted', finished_at = ${at}, updated_at = ${at}
      where r.status = 'in_progress' and r.updated_at < ${before}
        and (r.kind <> 'chat_turn' or not exists (
          select from chats c where c.id = r.chat_id and c.status in ('running', 'interrupting')
            and not exists (
              select from chat_debug_runs later where later.chat_id = r.chat_id
                and later.kind = 'chat_turn' and later.started_at > r.started_at)))
      returning r.id
    ), steps as (
      update chat_debug_steps set status = 'interrupted', finished_at = ${at}, updated_at = ${at}
      where status = 'in_progress' and run_id in (select id from stale)
    )
    select id from stale`.execute(db);
  return rows.length;
}

/** Those that began before, and those of chats that are gone; how many. */
export async function deleteRuns(
  db: Sql,
  { before, max }: { readonly before: Date | null; readonly max: number },
): Promise<number> {
  const { rows } = await sql`
    delete from chat_debug_runs where id in (
      select r.id from chat_debug_runs r
      where r.started_at < ${before} or not exists (select from chats c where c.id = r.chat_id)
      limit ${max} for update skip locked
    ) returning id`.execute(db);
  return rows.length;
}

/** Undefined: there is no such chat. */
export async function findOwner(db: Sql, chatId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("chats")
    .select("owner_id")
    .where("id", "=", chatId)
    .executeTakeFirst();
  return row?.owner_id;
}

/** The latest first. */
export async function listRuns(db: Sql, chatId: string, limit: number): Promise<readonly RunRow[]> {
  const { rows } = await sql<RunRow>`
    select ${RUN_COLUMNS} from chat_debug_runs where chat_id = ${chatId}
    order by started_at desc, id limit ${limit}`.execute(db);
  return rows;
}

export async function findRun(
  db: Sql,
  { chatId, runId }: { readonly chatId: string; readonly runId: string },
): Promise<RunRow | undefined> {
  const { rows } = await sql<RunRow>`
    select ${RUN_COLUMNS} from chat_debug_runs where chat_id = ${chatId} and id = ${runId}`.execute(
    db,
  );
  return rows[0];
}

/** In their order; those that would bring the answer over `bytesMax` without what they hold. */
export async function listSteps(
  db: Sql,
  runId: string,
  bytesMax: number,
): Promise<readonly StepRow[]> {
  const { rows } = await sql<StepRow>`
    select ${STEP_COLUMNS}, not fits as is_outline,
      case when fits then normalized_request end as normalized_request,
      case when fits then normalized_response end as normalized_response,
      case when fits then attempts else '[]' end as attempts
    from (
      select *, sum(stored_bytes) over (order by step_number, id) <= ${bytesMax} as fits
      from chat_debug_steps where run_id = ${runId}
    ) steps order by step_number, id`.execute(db);
  return rows;
}

export async function findStep(
  db: Sql,
  which: { readonly chatId: string; readonly runId: string; readonly stepId: string },
): Promise<StepRow | undefined> {
  const { rows } = await sql<StepRow>`
    select ${STEP_COLUMNS}, false as is_outline, normalized_request, normalized_response, attempts
    from chat_debug_steps
    where chat_id = ${which.chatId} and run_id = ${which.runId} and id = ${which.stepId}`.execute(
    db,
  );
  return rows[0];
}

const RUN_COLUMNS = sql.raw(`id, chat_id, root_chat_id, parent_chat_id, model_config_id,
  trigger_message_id, history_tip_message_id, kind, status, provider, model, summary, started_at,
  updated_at, finished_at`);
const STEP_COLUMNS = sql.raw(`id, run_id, step_number, operation, status, history_tip_message_id,
  assistant_message_id, usage, attempt_count, error, metadata, started_at, updated_at, finished_at`);

export type RunRow = {
  readonly id: string;
  readonly chat_id: string;
  readonly root_chat_id: string | null;
  readonly parent_chat_id: string | null;
  readonly model_config_id: string | null;
  readonly trigger_message_id: number | null;
  readonly history_tip_message_id: number | null;
  readonly kind: DebugRunKind;
  readonly status: DebugStatus;
  readonly provider: string;
  readonly model: string;
  readonly summary: Partial<ChatDebugRun["summary"]>;
  readonly started_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
};

export type StepRow = {
  readonly id: string;
  readonly run_id: string;
  readonly step_number: number;
  readonly operation: DebugOperation;
  readonly status: DebugStatus;
  readonly history_tip_message_id: number | null;
  readonly assistant_message_id: number | null;
  readonly normalized_request: unknown;
  readonly normalized_response: unknown;
  readonly usage: ChatDebugStep["usage"];
  readonly attempts: readonly ChatDebugAttempt[];
  readonly attempt_count: number;
  readonly error: ChatDebugStep["error"];
  readonly metadata: ChatDebugStep["metadata"];
  readonly is_outline: boolean;
  readonly started_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
};

/** What goes on no more was broken off; what was answered is a message by now. */
async function settleSteps(
  db: Sql,
  runId: string,
  { at, but }: { readonly at: Date; readonly but: string | null },
): Promise<void> {
  await sql`
    update chat_debug_steps s set
      status = case s.status when 'in_progress' then 'interrupted' else s.status end,
      finished_at = coalesce(s.finished_at, ${at}),
      assistant_message_id = case s.status when 'completed' then (
        select min(m.id) from chat_messages m
        where m.chat_id = s.chat_id and m.id > s.history_tip_message_id and m.role = 'assistant')
      end
    where s.run_id = ${runId} and s.id is distinct from ${but}::uuid
      and (s.status = 'in_progress'
        or s.status = 'completed' and s.assistant_message_id is null
          and s.metadata ->> 'purpose' = 'answer')`.execute(db);
}

async function summarise(db: Sql, runId: string, at: Date): Promise<void> {
  await sql`
    update chat_debug_runs r set updated_at = ${at}, summary = r.summary || (
      select jsonb_build_object(
        'step_count', count(*), 'attempt_count', coalesce(sum(attempt_count), 0),
        'input_tokens', coalesce(sum(
          coalesce((usage ->> 'input_tokens')::bigint, 0)
          + coalesce((usage ->> 'cache_read_tokens')::bigint, 0)
          + coalesce((usage ->> 'cache_creation_tokens')::bigint, 0)), 0),
        'output_tokens', coalesce(sum((usage ->> 'output_tokens')::bigint), 0),
        'error', (array_agg(error ->> 'message' order by step_number desc)
          filter (where error is not null))[1])
      from chat_debug_steps where run_id = ${runId})
    where r.id = ${runId}`.execute(db);
}
