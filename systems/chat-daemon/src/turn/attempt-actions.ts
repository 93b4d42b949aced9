/**
 * One attempt at an action of a turn: counted first, under the fence, unless it was with the reading; then
 * shown live under its own number, which is closed whatever happens.
 */
import { ok, type Result } from "@atelier/base/result";
import type { NewMessage } from "../state/chat-row.ts";
import type { LiveEpisode } from "./live-episode.ts";
import { classifyModelError, type Classified } from "./model-error.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import type { TurnDeps, TurnEnd, TurnRun } from "./turn-deps.ts";

/** What became of an action. `failed`: try again, or end the turn with the error. */
export type ActionEnd =
  | { readonly kind: "done" }
  | { readonly kind: "stale" }
  | { readonly kind: "failed"; readonly attempt: number; readonly failure: Classified };

const DONE: ActionEnd = { kind: "done" };
const STALE: ActionEnd = { kind: "stale" };

/** Errors of the database are no failures of the attempt: `work` marks what is. */
export class AttemptFailed extends Error {
  override readonly name = "AttemptFailed";
}

export async function inAttempt(
  deps: TurnDeps,
  run: TurnRun,
  prepared: Pick<PreparedTurn, "attempt" | "model">,
  work: (episode: LiveEpisode, attempt: number) => Promise<ActionEnd>,
): Promise<ActionEnd> {
  const attempt = prepared.attempt ?? (await countAttempt(deps, run));
  if (attempt === null) return STALE;
  // Whoever stopped it has closed its episode.
  run.signal.throwIfAborted();
  const { historyVersion } = run.fence;
  const episode = deps.episodes.createEpisode({
    ...{ chatId: run.chatId, historyVersion, generationAttempt: attempt },
  });
  try {
    return await work(episode, attempt);
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof AttemptFailed)) throw error;
    const failure = classifyModelError(error.cause, prepared.model.provider);
    const { chatId } = run;
    deps.log.info({ err: error.cause, chatId, attempt, kind: failure.error.kind }, "a step failed");
    return { kind: "failed", attempt, failure };
  } finally {
    episode.close();
  }
}

/** Null: stale. */
async function countAttempt({ machine }: TurnDeps, run: TurnRun): Promise<number | null> {
  const counted = await machine.recordAttemptFenced(run.chatId, run.fence);
  return counted.ok ? counted.value.attempt : null;
}

/** What the provider does wrong fails the attempt; everything else throws as it is. */
export async function ofProvider<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw new AttemptFailed("call a model", { cause: error });
  }
}

/** Commits a step; `isLast`: the turn ends with it, in the same transaction. */
export async function commitStep(
  deps: TurnDeps,
  run: TurnRun,
  messages: readonly NewMessage[],
  { isLast }: { readonly isLast: boolean },
): Promise<ActionEnd> {
  if (!isLast) return storeStep(deps, run, messages);
  const ended = await deps.machine.changeFenced(run.chatId, run.fence, async (chat) => {
    const stored = messages.length === 0 ? ok([]) : await chat.commitStep(messages);
    return stored.ok ? chat.finishTurn() : stored;
  });
  return endedBy(deps, run, ended, "finished");
}

async function storeStep(
  deps: TurnDeps,
  run: TurnRun,
  messages: readonly NewMessage[],
): Promise<ActionEnd> {
  const { machine, log, beside } = deps;
  const stored = await machine.commitStepFenced(run.chatId, run.fence, messages, { beside });
  if (stored.ok) return DONE;
  if (stored.failure.kind !== "files_refused") return STALE;
  // A file that is gone by now must not cost the step: it would be done again and again.
  log.warn({ chatId: run.chatId, detail: stored.failure.detail }, "a step lost its files");
  const rest = messages.map(({ content, ...message }) => ({
    ...message,
    content: content.filter(({ type }) => type !== "file"),
  }));
  const again = await machine.commitStepFenced(run.chatId, run.fence, rest, { beside });
  return again.ok ? DONE : STALE;
}

/** A transition that ends the turn. A refused one means that the chat has moved on. */
export function endedBy(
  deps: TurnDeps,
  run: TurnRun,
  transition: Result<unknown, unknown>,
  end: TurnEnd,
): ActionEnd {
  if (!transition.ok) return STALE;
  deps.turnEnded(run.chatId, end);
  return DONE;
}
