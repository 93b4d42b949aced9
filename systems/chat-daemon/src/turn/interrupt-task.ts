/**
 * Ends a turn that the user stopped: keeps what had been shown of the answer, answers every open call,
 * stops what runs in the foreground, and hands on to the queue (spec agents 5.9).
 */
import type { ChatRow, NewMessage, StoredMessage } from "../state/chat-row.ts";
import { unansweredCalls } from "./decision.ts";
import type { EpisodeSoFar } from "./live-episode.ts";
import { interruptedResults, partialAnswer } from "./partial-step.ts";
import { cancelTools } from "./tool-step-actions.ts";
import type { TaskEnd, TurnDeps, TurnRun } from "./turn-deps.ts";

/** How long the interruption waits for tools to end; they are told all the same. */
const CANCEL_MS_MAX = 2_000;

/** Rejects when the database is away, or by a bug: whoever runs the task repeats it. */
export async function runInterruption(deps: TurnDeps, run: TurnRun): Promise<TaskEnd> {
  try {
    return await interruptOnce(deps, run);
  } catch (error) {
    if (run.signal.aborted) return "cancelled";
    throw error;
  }
}

async function interruptOnce(deps: TurnDeps, run: TurnRun): Promise<TaskEnd> {
  const read = await deps.machine.readFenced(run.chatId, run.fence);
  if (!read.ok) return "stale";
  const { chat, messages } = read.value;
  const episode =
    chat.generationAttempt === 0
      ? { parts: [], modelInvokedAt: null }
      : await deps.episodes.closeAndRead({
          ...{ chatId: run.chatId, historyVersion: run.fence.historyVersion },
          generationAttempt: chat.generationAttempt,
        });
  const open = unansweredCalls(messages);
  const cancelled =
    open === null || open.calls.length === 0
      ? Promise.resolve()
      : cancelTools(deps, chat, { messageId: open.row.id, calls: open.calls });
  await atMost(deps, cancelled, run.signal);
  const partial = partialRows(chat, messages, episode, deps.clock.now());
  const finished = await deps.machine.changeFenced(run.chatId, run.fence, (locked) =>
    locked.finishInterruption(partial.length === 0 ? null : partial),
  );
  if (!finished.ok) return "stale";
  deps.turnEnded(run.chatId, "finished");
  return "done";
}

/** Empty: nothing is kept. */
export function partialRows(
  chat: Pick<ChatRow, "lastModelConfigId">,
  messages: readonly StoredMessage[],
  { parts, modelInvokedAt }: EpisodeSoFar,
  now: Date,
): readonly NewMessage[] {
  const open = unansweredCalls(messages);
  if (open !== null && open.calls.length > 0) {
    return interruptedResults(open.calls, parts).map((result): NewMessage => ({
      role: "tool",
      content: [result],
    }));
  }
  const content = partialAnswer(parts, now.toISOString());
  if (content.length === 0) return [];
  const calls = content.filter(
    (part) => part.type === "tool-call" && part.provider_executed !== true,
  );
  const runtimeMs = modelInvokedAt === null ? null : now.getTime() - modelInvokedAt.getTime();
  return [
    { role: "assistant", content, modelConfigId: chat.lastModelConfigId, runtimeMs },
    ...interruptedResults(
      calls.filter((part) => part.type === "tool-call"),
      parts,
    ).map((result): NewMessage => ({ role: "tool", content: [result] })),
  ];
}

async function atMost(deps: TurnDeps, work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const follow = (): void => ended.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  const timeout = deps.clock.sleep(CANCEL_MS_MAX, ended.signal);
  timeout.catch(() => {});
  try {
    await Promise.race([work, timeout]);
  } finally {
    signal.removeEventListener("abort", follow);
    ended.abort();
  }
}
