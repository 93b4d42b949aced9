/** Sums up a chat's history into a boundary, by one call of a model without tools (spec agents 5.10). */
import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Clock } from "@atelier/base/clock";
import { SUMMARY_INSTRUCTION } from "../prompt/built-in-prompt.ts";
import { unansweredUserRows } from "../prompt/history-row.ts";
import { commitStep, inAttempt, ofProvider, type ActionEnd } from "./attempt-actions.ts";
import { contextUsage } from "./compaction-need.ts";
import { boundaryRows, summaryCall } from "./compaction-rows.ts";
import { isComplete } from "./decision.ts";
import { callOptions } from "./generate-actions.ts";
import { ClassifiedError } from "./model-error.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import { generatedAnswer, recordTurnCall } from "./recorded-turn-actions.ts";
import type { TurnDeps, TurnRun } from "./turn-deps.ts";

export const SUMMARY_TIMEOUT_MS = 90_000;

export async function compact(
  deps: TurnDeps,
  run: TurnRun,
  prepared: PreparedTurn,
  source: "automatic" | "manual",
): Promise<ActionEnd> {
  const { rows, limits } = prepared;
  const unanswered = unansweredUserRows(rows);
  const compaction = {
    ...{ source, thresholdPercent: limits.thresholdPercent },
    usage: contextUsage(rows, limits),
  };
  // What goes wrong is told of the provider that was asked.
  const asked = { attempt: prepared.attempt, model: prepared.summaryModel ?? prepared.model };
  return inAttempt(deps, run, asked, async (episode, attempt) => {
    const callId = `chat_summarized_${deps.random.uuid()}`;
    episode.addPart("assistant", summaryCall(callId, compaction));
    const leftOut = new Set(unanswered.map(({ id }) => id));
    const summed = { ...prepared, attempt, rows: rows.filter(({ id }) => !leftOut.has(id)) };
    const summary = await ofProvider(() => summarise(deps, run, summed));
    const boundary = boundaryRows(summary, {
      ...{ callId, compaction, unanswered, hasMoreToDo: !isComplete(rows) },
      ...{ modelConfigId: prepared.model.configId },
    });
    return commitStep(deps, run, boundary, { isLast: false });
  });
}

async function summarise(
  deps: TurnDeps,
  run: TurnRun,
  prepared: PreparedTurn & { readonly attempt: number },
): Promise<string> {
  const { summaryModel } = prepared;
  const model = summaryModel ?? prepared.model;
  // The turn's own model keeps its tools, so that its cache serves the call.
  const asked = summaryModel === null ? prepared : { ...prepared, model, promptTools: [] };
  const options = await callOptions(deps, asked, null);
  const instruction: LanguageModelV4Prompt = [
    { role: "user", content: [{ type: "text", text: SUMMARY_INSTRUCTION }] },
  ];
  const request: LanguageModelV4CallOptions = {
    ...options,
    prompt: [...options.prompt, ...instruction],
    ...(asked.promptTools.length > 0 && { toolChoice: { type: "none" } }),
  };
  const { signal } = run;
  const call = {
    model,
    options: request,
    signal,
    operation: "generate",
    purpose: "summary",
  } as const;
  const result = await recordTurnCall(deps.recorder, prepared, call, {
    run: () =>
      withTimeout(deps.clock, signal, (abortSignal) =>
        model.model.doGenerate({ ...request, abortSignal }),
      ),
    answerOf: generatedAnswer,
  });
  const texts = result.content.map((part) => (part.type === "text" ? part.text : ""));
  const summary = texts.join("").trim();
  if (summary === "") {
    throw new ClassifiedError({
      message: "The model gave no summary of the conversation.",
      ...{ kind: "generic", retryable: false },
    });
  }
  return summary;
}

async function withTimeout<Value>(
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => PromiseLike<Value>,
): Promise<Value> {
  signal.throwIfAborted();
  const call = new AbortController();
  const ended = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const abort = (reason: Error): void => {
    aborted.reject(reason);
    call.abort(reason);
  };
  const follow = (): void => abort(signal.reason as Error);
  signal.addEventListener("abort", follow, { once: true });
  const expire = async (): Promise<void> => {
    await clock.sleep(SUMMARY_TIMEOUT_MS, ended.signal);
    const seconds = SUMMARY_TIMEOUT_MS / 1_000;
    const message = `The summary took longer than ${seconds} seconds.`;
    abort(new ClassifiedError({ message, kind: "timeout", retryable: true }));
  };
  expire().catch(() => {});
  try {
    return await Promise.race([work(call.signal), aborted.promise]);
  } finally {
    ended.abort();
    signal.removeEventListener("abort", follow);
  }
}
