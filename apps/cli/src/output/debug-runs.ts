/** Recorded model calls, as people read them. */
import {
  DEBUG_KIND_WORDS,
  DEBUG_STATUS_WORDS,
  debugAttemptOutcome,
  debugDurationMs,
  debugRunTitle,
} from "@atelier/contract/chat/debug-words";
import type { ChatDebugRun, ChatDebugStep, DebugStatus } from "@atelier/contract/http/chat-debug";
import { compactNumber, fields, heading, since, table, type Cell, type Look } from "./people.ts";
import { terminalSafe } from "./terminal-safe.ts";

export function debugRunsText(
  look: Look,
  {
    is_recorded: isRecorded,
    runs,
  }: { readonly is_recorded: boolean; readonly runs: readonly ChatDebugRun[] },
): string {
  const state = isRecorded
    ? "Model calls of this chat are recorded."
    : "Model calls of this chat are not recorded.";
  if (runs.length === 0) return `${state} Nothing is there.`;
  const rows = runs.map((run): Cell[] => [
    run.id,
    DEBUG_KIND_WORDS[run.kind],
    statusCell(run.status),
    since(look, run.started_at),
    durationText(debugDurationMs(run)),
    String(run.summary.step_count),
    run.model,
    run.summary.error ?? run.summary.title,
  ]);
  const columns = [
    ...[{ title: "RUN", isWhole: true }, { title: "KIND" }, { title: "STATE" }],
    ...[{ title: "STARTED" }, { title: "TOOK" }, { title: "STEPS", align: "right" as const }],
    ...[{ title: "MODEL" }, { title: "ABOUT" }],
  ];
  return `${table(look, columns, rows)}\n\n${state}`;
}

export function debugRunText(
  look: Look,
  run: ChatDebugRun & { readonly steps: readonly ChatDebugStep[] },
): string {
  const head = fields(look, [
    ["Run", run.id],
    ["Kind", DEBUG_KIND_WORDS[run.kind]],
    ["About", debugRunTitle(run)],
    ["State", statusCell(run.status)],
    ["Model", `${run.model} (${run.provider})`],
    ["Started", since(look, run.started_at)],
    ["Took", durationText(debugDurationMs(run))],
  ]);
  return [head, ...run.steps.map((step) => stepText(look, step))].join("\n\n");
}

function stepText(look: Look, step: ChatDebugStep): string {
  const { usage, error, attempts } = step;
  const pairs: [string, Cell][] = [
    ["  State", statusCell(step.status)],
    ["  Took", durationText(debugDurationMs(step))],
  ];
  if (usage !== null) pairs.push(["  Tokens", tokensText(usage)]);
  if (error !== null) pairs.push(["  Error", { text: error.message, tone: "bad" }]);
  const lines = attempts.map((attempt) => {
    const took = durationText(attempt.duration_ms);
    const { method, url } = attempt;
    return `    ${terminalSafe(`${method} ${url}: ${debugAttemptOutcome(attempt)}`)} (${took})`;
  });
  const left = step.is_outline ? ["    (its attempts were left out: the run is too long)"] : [];
  const purpose = terminalSafe(String(step.metadata["purpose"] ?? step.operation));
  return [
    heading(look, `Step ${step.step_number}: ${purpose}`),
    fields(look, pairs),
    ...lines,
    ...left,
  ].join("\n");
}

function tokensText(usage: NonNullable<ChatDebugStep["usage"]>): string {
  const parts = [
    `${compactNumber(usage.input_tokens ?? 0)} in`,
    `${compactNumber(usage.output_tokens ?? 0)} out`,
    `${compactNumber(usage.cache_read_tokens ?? 0)} read from cache`,
  ];
  return parts.join(", ");
}

function statusCell(status: DebugStatus): Cell {
  const tone = status === "error" ? "bad" : status === "completed" ? "good" : "plain";
  return { text: DEBUG_STATUS_WORDS[status], tone };
}

function durationText(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}
