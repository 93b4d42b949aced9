/**
 * Goes on from what viewers had seen of an answer when the server that wrote it died (design 5): the
 * text is committed, and the model is asked to continue behind it. Nothing that somebody read is lost.
 */
import { commitStep, type ActionEnd } from "./attempt-actions.ts";
import { partialAnswer } from "./partial-step.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import type { TurnDeps, TurnRun } from "./turn-deps.ts";

const CONTINUE =
  "The connection broke while you were writing the answer above. Continue exactly where it breaks off, without repeating any of it and without mentioning the break. If it was complete, go on with the work.";

/** Null: nothing had been shown, or the attempt had failed in a way that its successor knows of. */
export async function recoverPartial(
  deps: TurnDeps,
  run: TurnRun,
  { chat, model }: PreparedTurn,
): Promise<ActionEnd | null> {
  // An attempt that failed left the time of the next one behind.
  if (chat.generationAttempt === 0 || chat.retryState !== null) return null;
  const { parts } = await deps.episodes.closeAndRead({
    ...{ chatId: run.chatId, historyVersion: run.fence.historyVersion },
    generationAttempt: chat.generationAttempt,
  });
  const shown = partialAnswer(parts, deps.clock.now().toISOString());
  const kept = shown.filter(({ type }) => type === "text" || type === "reasoning");
  if (!kept.some(({ type }) => type === "text")) return null;
  deps.log.info({ chatId: run.chatId }, "an answer goes on from what had been shown of it");
  const { configId: modelConfigId } = model;
  return commitStep(
    deps,
    run,
    [
      { role: "assistant", content: kept, modelConfigId },
      {
        ...{ role: "user", visibility: "model" },
        content: [{ type: "text", text: CONTINUE }],
      },
    ],
    { isLast: false },
  );
}
