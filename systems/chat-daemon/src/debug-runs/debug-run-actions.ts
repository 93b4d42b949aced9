/** What was recorded of a chat, as people read it. Who may read the chat was asked before. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import {
  DEBUG_RUN_BYTES_MAX,
  DEBUG_RUNS_MAX,
  type ChatDebugRun,
  type ChatDebugStep,
} from "@atelier/contract/http/chat-debug";
import type { Database } from "@atelier/database/database";
import {
  findOwner,
  findRun,
  findStep,
  listRuns,
  listSteps,
  type RunRow,
  type StepRow,
} from "./debug-run-store.ts";

export type DebugReadDeps = {
  readonly database: Database;
  /** Whether the model calls of this person's chats are recorded. */
  readonly isRecorded: (ownerId: string) => Promise<boolean>;
};

type NotFound = Failure<"resource.not_found">;
const NOT_FOUND = fail({ code: "resource.not_found" } as const);

export async function showRuns(
  { database, isRecorded }: DebugReadDeps,
  chatId: string,
): Promise<Result<{ readonly is_recorded: boolean; readonly runs: ChatDebugRun[] }, NotFound>> {
  const ownerId = await findOwner(database.sql, chatId);
  if (ownerId === undefined) return NOT_FOUND;
  const rows = await listRuns(database.sql, chatId, DEBUG_RUNS_MAX);
  return ok({ is_recorded: await isRecorded(ownerId), runs: rows.map(toRun) });
}

export async function showRun(
  { database }: DebugReadDeps,
  which: { readonly chatId: string; readonly runId: string },
  detail: "full" | "outline",
): Promise<Result<ChatDebugRun & { readonly steps: ChatDebugStep[] }, NotFound>> {
  const run = await findRun(database.sql, which);
  if (run === undefined) return NOT_FOUND;
  // Nothing is less than no bytes: an outline has no step in full.
  const bytesMax = detail === "full" ? DEBUG_RUN_BYTES_MAX : -1;
  const steps = await listSteps(database.sql, which.runId, bytesMax);
  return ok({ ...toRun(run), steps: steps.map(toStep) });
}

export async function showStep(
  { database }: DebugReadDeps,
  which: { readonly chatId: string; readonly runId: string; readonly stepId: string },
): Promise<Result<ChatDebugStep, NotFound>> {
  const step = await findStep(database.sql, which);
  return step === undefined ? NOT_FOUND : ok(toStep(step));
}

function toRun({ summary, ...row }: RunRow): ChatDebugRun {
  return {
    ...row,
    ...times(row),
    summary: {
      ...{ title: "", step_count: 0, attempt_count: 0, input_tokens: 0, output_tokens: 0 },
      error: null,
      ...summary,
    },
  };
}

function toStep(row: StepRow): ChatDebugStep {
  return { ...row, ...times(row), attempts: [...row.attempts] };
}

function times(row: Pick<RunRow, "started_at" | "updated_at" | "finished_at">) {
  return {
    started_at: row.started_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
