/**
 * Drives a running chat one action further: decides from its committed history what comes next, does
 * it, and commits it. Whoever runs the chat starts the next task when the history has moved, so nothing
 * that counts is kept in memory between actions, and a crash anywhere costs at most the action that was
 * running.
 */
import type { ChatError, ChatRetry } from "@atelier/contract/chat/chat-words";
import { fail, ok, type Result } from "@atelier/base/result";
import { isDatabaseUnavailable } from "@atelier/database/database";
import { endedBy, type ActionEnd } from "./attempt-actions.ts";
import { compact } from "./compaction-actions.ts";
import type { TurnDecision } from "./decision.ts";
import { generateStep } from "./generate-actions.ts";
import { TurnHeadStart, type BegunTurn } from "./head-start-actions.ts";
import type { Classified } from "./model-error.ts";
import {
  decideNext,
  prepareFailed,
  prepareTurn,
  type PreparedTurn,
} from "./prepare-turn-actions.ts";
import { recoverPartial } from "./recovery-actions.ts";
import { GENERATION_RETRIES_MAX, retryDelayMs } from "./retry-delay.ts";
import { cancelAbandoned, executeTools } from "./tool-step-actions.ts";
import type { ReadChat, TakenChat } from "../state/chat-machine.ts";
import type { TaskEnd, TurnDeps, TurnRun } from "./turn-deps.ts";
import { pinWorkspaceContext } from "./workspace-context-actions.ts";

const PREPARE_ATTEMPTS = 3;
const PREPARE_DELAY_MS = 200;

/**
 * Resolves when one action is done, or the chat has nothing for this task any more. Rejects when the
 * database is away, or by a bug: whoever runs the task repeats it.
 */
export async function runGeneration(deps: TurnDeps, run: TurnRun): Promise<TaskEnd> {
  let mayChain = true;
  try {
    for (;;) {
      run.signal.throwIfAborted();
      const ended = await oneAction(deps, run, { mayChain });
      if (ended.kind !== "failed") return ended.kind;
      if (ended.failure.isChainBroken) mayChain = false;
      const isOver = await waitForRetry(deps, run, ended);
      if (isOver !== null) return isOver;
    }
  } catch (error) {
    if (run.signal.aborted) return "cancelled";
    throw error;
  }
}

async function oneAction(
  deps: TurnDeps,
  run: TurnRun,
  options: { readonly mayChain: boolean },
): Promise<ActionEnd> {
  const read = await beginAction(deps, run);
  if (read === null) return { kind: "stale" };
  deps.actionBegan(read.chat);
  try {
    const begun = read.headStart instanceof TurnHeadStart ? await read.headStart.take() : null;
    if (begun !== null) return await goOn(deps, run, read, begun);
    const prepared = await prepareWithRetries(deps, run, async () => prepareTurn(deps, read));
    if (!prepared.ok) return await finishWithError(deps, run, prepared.failure);
    const decision = decideNext(prepared.value);
    return await act(deps, run, { prepared: prepared.value, decision, ...options });
  } finally {
    read.headStart?.drop();
  }
}

/** The model is asked already. */
async function goOn(
  deps: TurnDeps,
  run: TurnRun,
  { chat, messages: rows }: ReadChat,
  { prepared: foreseen, options }: BegunTurn,
): Promise<ActionEnd> {
  const prepared = { ...foreseen, chat, rows };
  await cancelAbandoned(deps, prepared);
  return generateStep(deps, run, prepared, { options });
}

/** Null: stale. What was read with the chat's taking has its first attempt counted already. */
async function beginAction(deps: TurnDeps, run: TurnRun): Promise<TakenChat | null> {
  const taken = run.takeRead?.() ?? null;
  if (taken !== null) return taken;
  const begun = await deps.machine.beginFenced(run.chatId, run.fence, deps.beside);
  return begun.ok ? { ...begun.value, headStart: null } : null;
}

async function prepareWithRetries(
  deps: TurnDeps,
  { signal, chatId }: TurnRun,
  prepare: () => Promise<Result<PreparedTurn, ChatError>>,
): Promise<Result<PreparedTurn, ChatError>> {
  for (let attempt = 1; ; attempt += 1) {
    const prepared = await prepare().catch((error: unknown) => {
      signal.throwIfAborted();
      // Whoever runs the task waits for it: a turn must not end because the database was away for a second.
      if (isDatabaseUnavailable(error)) throw error;
      deps.log.warn({ err: error, chatId }, "a turn could not be prepared");
      return prepareFailed(error);
    });
    const isFinal = prepared.ok || !prepared.failure.retryable || attempt === PREPARE_ATTEMPTS;
    if (isFinal) return prepared.ok ? ok(prepared.value) : fail(prepared.failure);
    await deps.clock.sleep(PREPARE_DELAY_MS * 2 ** (attempt - 1), signal);
  }
}

async function act(
  deps: TurnDeps,
  run: TurnRun,
  {
    prepared,
    decision,
    mayChain,
  }: {
    readonly prepared: PreparedTurn;
    readonly decision: TurnDecision;
    readonly mayChain: boolean;
  },
): Promise<ActionEnd> {
  const { chatId, fence } = run;
  switch (decision.kind) {
    case "execute_tools":
      return executeTools(deps, run, prepared, decision);
    case "compact":
      return compact(deps, run, prepared, decision.source);
    case "enter_requires_action": {
      const entered = await deps.machine.changeFenced(chatId, fence, (chat) =>
        chat.enterRequiresAction(),
      );
      return endedBy(deps, run, entered, "requires_action");
    }
    case "finish": {
      const finished = await deps.machine.changeFenced(chatId, fence, (chat) => chat.finishTurn());
      return endedBy(deps, run, finished, "finished");
    }
    case "still_over_limit":
      return finishWithError(deps, run, STILL_OVER_LIMIT);
    case "generate":
      await cancelAbandoned(deps, prepared);
      return (
        (await recoverPartial(deps, run, prepared)) ??
        (await pinWorkspaceContext(deps, run, prepared)) ??
        (await generateStep(deps, run, prepared, { mayChain }))
      );
  }
}

const STILL_OVER_LIMIT: ChatError = {
  message: "The conversation is over its limit even after it was summed up.",
  detail:
    "What remains is the system prompt, the tools and the newest messages. Raise the model's compaction limit, shorten what is sent with every message, or start a new chat.",
  ...{ kind: "config", retryable: false },
};

/** Null: wait is over, try again. */
async function waitForRetry(
  deps: TurnDeps,
  run: TurnRun,
  { attempt, failure }: { readonly attempt: number; readonly failure: Classified },
): Promise<TaskEnd | null> {
  if (!failure.error.retryable || attempt > GENERATION_RETRIES_MAX) {
    const ended = await finishWithError(deps, run, failure.error);
    return ended.kind === "stale" ? "stale" : "done";
  }
  const delayMs = retryDelayMs(attempt, failure.retryAfterMs);
  const retry = toRetry(failure.error, attempt, delayMs, deps.clock.now());
  const recorded = await deps.machine.changeFenced(run.chatId, run.fence, (chat) =>
    chat.recordRetryState(retry),
  );
  if (!recorded.ok) return "stale";
  await deps.clock.sleep(delayMs, run.signal);
  return null;
}

function toRetry(error: ChatError, attempt: number, delayMs: number, now: Date): ChatRetry {
  const { message, kind, provider, status_code } = error;
  return {
    ...{ attempt, delay_ms: delayMs, error: message },
    ...(kind !== undefined && { kind }),
    ...(provider !== undefined && { provider }),
    ...(status_code !== undefined && { status_code }),
    retrying_at: new Date(now.getTime() + delayMs).toISOString(),
  };
}

async function finishWithError(deps: TurnDeps, run: TurnRun, error: ChatError): Promise<ActionEnd> {
  const finished = await deps.machine.changeFenced(run.chatId, run.fence, (chat) =>
    chat.finishError(error),
  );
  return endedBy(deps, run, finished, "error");
}
