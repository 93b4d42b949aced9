/** The calls of one answer that are ours to run: together, then committed together in their order. */
import type { ToolCallPart } from "@atelier/contract/chat/message-part";
import { fail, type Result } from "@atelier/base/result";
import { isDatabaseUnavailable } from "@atelier/database/database";
import type { HistoryRow } from "../prompt/history-row.ts";
import type { NewMessage, ChatRow } from "../state/chat-row.ts";
import { resultBudgetBytes } from "../tools/result-truncation.ts";
import { callContext, runToolBatch, type CallResult } from "../tools/tool-batch.ts";
import { toolNameOf } from "../tools/tool-availability.ts";
import type { ToolWorkspace } from "../tools/tool.ts";
import { commitStep, inAttempt, type ActionEnd } from "./attempt-actions.ts";
import { repetitionNotice } from "./doom-loop.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import type { AbandonedCalls, TurnDeps, TurnRun } from "./turn-deps.ts";

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
      workspace: prepared.attempt === null ? repeatedly(deps, chat) : workspaceOnce(deps, chat),
      resultBytesMax: resultBudgetBytes(limits.contextLimit),
      isDatabaseAway: isDatabaseUnavailable,
      notice: (call) => repetitionNotice(rows, call),
      publish: (part) => episode.addPart("tool", part),
      started: (id) => episode.toolStarted(id),
      completed: (id) => episode.toolCompleted(id),
    });
    if (results === null) return { kind: "stale" };
    deps.toolsRan(chat);
    for (const { result, files } of results) {
      episode.addPart("tool", result);
      for (const file of files) episode.addPart("assistant", file);
    }
    const runtimeMs = Math.round(deps.clock.monotonicMs() - startedMs);
    const messages = results.map((each, index) => toMessage(each, index === 0 ? runtimeMs : null));
    return commitStep(deps, run, messages, { isLast: false });
  });
}

/** How long a workspace may take to end what runs there. */
const CANCEL_MS_MAX = 30_000;

/**
 * Nobody waits for these calls any more: what runs in the foreground ends. Best effort, and not cut off by
 * the chat that moves on.
 */
export async function cancelTools(
  deps: TurnDeps,
  chat: ChatRow,
  { messageId, calls }: AbandonedCalls,
): Promise<void> {
  const late = new AbortController();
  const done = new AbortController();
  deps.clock.sleep(CANCEL_MS_MAX, done.signal).then(
    () => late.abort(new Error("The workspace took too long.")),
    () => {},
  );
  const { signal } = late;
  const { clock, random } = deps;
  const workspace = workspaceOnce(deps, chat);
  const about = { chat, messageId, clock, random, signal, workspace, publish: () => {} };
  try {
    const tools = new Map((await deps.toolsOf(chat)).map((tool) => [tool.name, tool]));
    await Promise.all(
      calls.map(async (call) => {
        await tools.get(toolNameOf(call.tool_name))?.cancel?.(callContext(call, about));
      }),
    );
  } catch (error) {
    deps.log.warn({ err: error, chatId: chat.id }, "a tool could not be cancelled");
  } finally {
    done.abort();
  }
}

/**
 * After an edit: calls of answers that it took away may run on, also where another server made them. Asked
 * for when the edited message is about to be answered, and done beside that.
 */
export async function cancelAbandoned(deps: TurnDeps, { chat, rows }: PreparedTurn): Promise<void> {
  const last = rows.at(-1);
  if (chat.workspaceId === null || last?.role !== "user" || last.visibility === "model") return;
  const sinceRevision = Math.max(0, ...rows.slice(0, -1).map(({ revision }) => revision));
  for (const each of await deps.abandonedCalls(chat.id, sinceRevision)) {
    // Nobody waits for it, and it never rejects.
    cancelTools(deps, chat, each).catch(() => {});
  }
}

/**
 * All calls of a batch share one connection, which is made when the first of them wants it. Where that could
 * not be found out, because the database was away, whoever asks next asks anew.
 */
function workspaceOnce(
  deps: TurnDeps,
  chat: ChatRow,
): () => Promise<Result<ToolWorkspace, string>> {
  let asked: Promise<Result<ToolWorkspace, string>> | null = null;
  return () => {
    asked ??= deps.workspaceOf(chat).catch((error: unknown) => {
      asked = null;
      throw error;
    });
    return asked;
  };
}

/** An earlier attempt may have reached it, and had done what this one cannot ask for any more. */
function repeatedly(deps: TurnDeps, chat: ChatRow): () => Promise<Result<ToolWorkspace, string>> {
  const workspace = workspaceOnce(deps, chat);
  return async () => {
    const found = await workspace();
    if (found.ok || chat.workspaceId === null) return found;
    return fail(`${found.failure} ${MAYBE_BEGUN}`);
  };
}

const MAYBE_BEGUN =
  "The call may have been begun before: whether it took effect is not known. Look at the state of things first.";

function toMessage({ result, files }: CallResult, runtimeMs: number | null): NewMessage {
  return { role: "tool", content: [result, ...files], runtimeMs };
}
