/**
 * Instructions and skills of a chat's workspace, read once and committed: later changes of the files do
 * not change what the model was told, nor cost its cache. Read anew when the workspace is another one.
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ContextFile } from "@atelier/contract/rpc/workspace/machine";
import { commitStep, type ActionEnd } from "./attempt-actions.ts";
import { stepsOfTurn } from "./decision.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import type { ToolWorkspace } from "../tools/tool.ts";
import type { TurnDeps, TurnRun } from "./turn-deps.ts";

const CONTEXT_TIMEOUT_MS = 5_000;

/** Null: it is pinned already, or there is none now. */
export async function pinWorkspaceContext(
  deps: TurnDeps,
  run: TurnRun,
  prepared: PreparedTurn,
): Promise<ActionEnd | null> {
  const workspace = await workspaceToPin(deps, prepared);
  if (workspace === null) return null;
  const { agentId, services } = workspace;
  const read = async (signal: AbortSignal): Promise<readonly MessagePart[] | null> => {
    const [info, context] = await Promise.all([
      services.machine.info({}, { signal }),
      services.machine.contextFiles({}, { signal }),
    ]);
    if (!info.ok || !context.ok) return null;
    return contextParts(agentId, info.value, context.value.files);
  };
  const content = await withinTime(deps, run.signal, read);
  if (content === null) return null;
  return commitStep(deps, run, [{ role: "system", visibility: "model", content }], {
    isLast: false,
  });
}

/** The chat's, where its context is not pinned and can be had. */
export async function workspaceToPin(
  deps: TurnDeps,
  { chat, rows }: PreparedTurn,
): Promise<ToolWorkspace | null> {
  // In the middle of a turn the model works with what it was told at its beginning.
  if (chat.workspaceId === null || stepsOfTurn(rows) > 0) return null;
  const workspace = await deps.workspaceOf(chat);
  if (!workspace.ok) return null;
  const pinned = rows
    .flatMap(({ role, content }) => (role === "system" ? content : []))
    .findLast((part) => part.type === "context-file");
  return pinned?.context_file_agent_id === workspace.value.agentId ? null : workspace.value;
}

/** The first part stands for the machine itself; it is there also where no file is. */
export function contextParts(
  agentId: string,
  machine: { readonly os: string; readonly directory: string },
  files: readonly ContextFile[],
): readonly MessagePart[] {
  const about = { context_file_agent_id: agentId };
  return [
    {
      ...{ type: "context-file", context_file_path: "", ...about },
      ...{ context_file_os: machine.os, context_file_directory: machine.directory },
    },
    ...files.map((file): MessagePart =>
      file.kind === "instructions"
        ? {
            ...{ type: "context-file", context_file_path: file.path, ...about },
            ...(file.isCut && { context_file_truncated: true }),
            context_file_content: file.content,
          }
        : {
            ...{ type: "skill", skill_name: file.name, skill_description: file.description },
            skill_dir: file.path.replace(/\/[^/]*$/, ""),
          },
    ),
  ];
}

/** Null: it took too long, or failed. */
async function withinTime<Value>(
  deps: TurnDeps,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value | null> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const follow = (): void => ended.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  try {
    const timeout = deps.clock.sleep(CONTEXT_TIMEOUT_MS, ended.signal).then(() => null);
    timeout.catch(() => {});
    return await Promise.race([work(ended.signal), timeout]);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn({ err: error }, "the context of a workspace could not be read");
    return null;
  } finally {
    signal.removeEventListener("abort", follow);
    ended.abort();
  }
}
