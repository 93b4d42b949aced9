/** The calls of one answer that are ours to run: together, then committed together in their order. */
import type { ToolCallPart } from "@atelier/contract/chat/message-part";
import type { Result } from "@atelier/base/result";
import type { HistoryRow } from "../prompt/history-row.ts";
import type { NewMessage, ChatRow } from "../state/chat-row.ts";
import { resultBudgetBytes } from "../tools/result-truncation.ts";
import { callContext, runToolBatch, type CallResult } from "../tools/tool-batch.ts";
import { toolNameOf } from "../tools/tool-availability.ts";
import type { ToolWorkspace } from "../tools/tool.ts";
import { commitStep, inAttempt, type ActionEnd } from "./attempt-actions.ts";
import { repetitionNotice } from "./doom-loop.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import type { TurnDeps, TurnRun } from "./turn-deps.ts";

export async function executeTools(
  deps: TurnDeps,
  run: TurnRun,
  prepared: PreparedTurn,
  { row, calls }: { readonly row: HistoryRow; readonly calls: readonly ToolCallPart[] },
): Promise<ActionEnd> {
  const { chat, rows, tools, limits } = prepared;
  return inAttempt(deps, run, prepared, async (episode) => {
    const startedMs = deps.clock.monotonicMs();
    const results = await runToolBatch(tools, calls, {
      ...{ chat, messageId: row.id, clock: deps.clock, random: deps.random, log: deps.log },
      signal: run.signal,
      workspace: workspaceOnce(deps, chat),
      resultBytesMax: resultBudgetBytes(limits.contextLimit),
      notice: (call) => repetitionNotice(rows, call),
      publish: (part) => episode.addPart("tool", part),
      started: (id) => episode.toolStarted(id),
      completed: (id) => episode.toolCompleted(id),
    });
    if (results === null) return { kind: "stale" };
    for (const { result, files } of results) {
      episode.addPart("tool", result);
      for (const file of files) episode.addPart("assistant", file);
    }
    const runtimeMs = Math.round(deps.clock.monotonicMs() - startedMs);
    const messages = results.map((each, index) => toMessage(each, index === 0 ? runtimeMs : null));
    return commitStep(deps, run, messages, { isLast: false });
  });
}

/** The user stopped the turn: what runs in the foreground ends. Best effort. */
export async function cancelTools(
  deps: TurnDeps,
  chat: ChatRow,
  { row, calls }: { readonly row: HistoryRow; readonly calls: readonly ToolCallPart[] },
  signal: AbortSignal,
): Promise<void> {
  const tools = new Map((await deps.toolsOf(chat)).map((tool) => [tool.name, tool]));
  const workspace = workspaceOnce(deps, chat);
  await Promise.all(
    calls.map(async (call) => {
      const { clock, random } = deps;
      const about = { chat, messageId: row.id, clock, random, signal, workspace };
      const context = callContext(call, { ...about, publish: () => {} });
      try {
        await tools.get(toolNameOf(call.tool_name))?.cancel?.(context);
      } catch (error) {
        deps.log.warn({ err: error, chatId: chat.id }, "a tool could not be cancelled");
      }
    }),
  );
}

/** All calls of a batch share one connection, which is made when the first of them wants it. */
function workspaceOnce(
  deps: TurnDeps,
  chat: ChatRow,
): () => Promise<Result<ToolWorkspace, string>> {
  let asked: Promise<Result<ToolWorkspace, string>> | null = null;
  return () => (asked ??= deps.workspaceOf(chat));
}

function toMessage({ result, files }: CallResult, runtimeMs: number | null): NewMessage {
  return { role: "tool", content: [result, ...files], runtimeMs };
}
