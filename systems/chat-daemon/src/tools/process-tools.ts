/**
 * Tools that run commands in the chat's workspace (spec agents 6.3). A process belongs to the workspace:
 * a call that comes again after a crash finds the one that it started, and a command that takes longer
 * than its call goes on.
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { WAIT_MS_MAX, type ProcessInfo } from "@atelier/contract/rpc/workspace/processes";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { fail, ok, type Result } from "@atelier/base/result";
import { z } from "zod";
import { inWorkspace, toOutcome, withRecovery } from "./in-workspace.ts";
import { withLiveOutput } from "./live-output.ts";
import { commandNote, splitBackground } from "./shell-command.ts";
import { toolTimeout } from "./tool-timeout.ts";
import {
  defineTool,
  toolError,
  toolValue,
  type ChatTool,
  type ToolContext,
  type ToolOutcome,
} from "./tool.ts";

const EXECUTE = "execute";
export const OUTPUT_BYTES_MAX = 32 * 1024;
const EXECUTE_TIMEOUT_MS = 10_000;
const OUTPUT_WAIT_MS = 10_000;
const LISTED_MAX = 1_000;

/** No program may wait for somebody at a terminal. */
const ENVIRONMENT = {
  ...{ ATELIER_CHAT_AGENT: "true", GIT_TERMINAL_PROMPT: "0", NO_COLOR: "1", TERM: "dumb" },
  ...{ GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true", EDITOR: "true", VISUAL: "true" },
  ...{ PAGER: "cat", GIT_PAGER: "cat" },
};

const Execute = z.object({
  command: z
    .string()
    .min(1)
    .max(128 * 1024)
    .describe("Run by sh -c"),
  model_intent: z
    .string()
    .max(200)
    .optional()
    .describe(
      "What this is for, as a short phrase that begins with a verb in -ing and is shown to the user, such as: running the tests",
    ),
  timeout: toolTimeout(1)
    .optional()
    .describe(
      "How long to wait, such as 90s or 10m; 10s when absent. The command goes on after it",
    ),
  workdir: z.string().optional().describe("Absolute, or beginning with ~/"),
  run_in_background: z.boolean().optional().describe("Do not wait at all"),
});

const ProcessOutput = z.object({
  process_id: z.string().min(1),
  wait_timeout: toolTimeout(0)
    .optional()
    .describe("How long to wait for its end; 10s when absent, 0s: do not wait"),
});

const ProcessSignal = z.object({
  process_id: z.string().min(1),
  signal: z.enum(["terminate", "kill"]),
});

export function processTools(): readonly ChatTool[] {
  return [execute(), processOutput(), processList(), processSignal()];
}

/** Processes of one chat, and of one call: what was started in the foreground ends with its turn. */
function groupOf(chatId: string, callId: string): string {
  return `${chatId}/${callId}`;
}

function execute(): ChatTool {
  return defineTool({
    name: EXECUTE,
    description:
      "Runs a shell command in the workspace and waits for its end. What takes longer than the timeout goes on and can be followed with process_output. For servers and watchers pass run_in_background.",
    input: Execute,
    run: runExecute,
    cancel: cancelExecute,
  });
}

/** A start may be on its way while nothing is to be seen yet. */
const LOOK_AGAIN_MS = 500;

async function cancelExecute(context: ToolContext): Promise<void> {
  const { effect, callId, chat, signal, clock } = context;
  const workspace = await context.workspace();
  if (!workspace.ok) return;
  const { processes } = workspace.value.services;
  const group = groupOf(chat.id, callId);
  const list = () => processes.list({ group }, { signal });
  let listed = await list();
  if (listed.ok && listed.value.processes.length === 0) {
    await clock.sleep(LOOK_AGAIN_MS, signal);
    listed = await list();
  }
  if (!listed.ok) return;
  const running = listed.value.processes.filter(({ state }) => state === "running");
  for (const { id } of running) {
    const stop = { ...effect, callId: `${callId}:stop` };
    await processes.signal({ id, signal: "SIGKILL", effect: stop }, { signal });
  }
}

async function runExecute(
  input: z.output<typeof Execute>,
  context: ToolContext,
): Promise<ToolOutcome> {
  const { command, isBackground } = splitBackground(input.command);
  const inBackground = isBackground || input.run_in_background === true;
  const { effect, signal, clock, chat, callId } = context;
  const startedMs = clock.monotonicMs();
  const started = await inWorkspace(context, ({ processes }) =>
    processes.start(
      {
        ...{ command, environment: ENVIRONMENT, effect },
        workingDirectory: input.workdir ?? "",
        // One in the background is not among those that a stopped turn ends.
        group: inBackground ? chat.id : groupOf(chat.id, callId),
      },
      { signal },
    ),
  );
  if (!started.ok) return started.failure;
  const { process, replayed } = started.value;
  if (inBackground) {
    return toolValue({ success: true, exit_code: 0, background_process_id: process.id });
  }
  const timeoutMs = input.timeout ?? EXECUTE_TIMEOUT_MS;
  const spentMs = replayed ? clock.now().getTime() - Date.parse(process.startedAt) : 0;
  const waitMs = Math.min(timeoutMs, Math.max(0, timeoutMs - spentMs));
  const ended = await shownWhileRunning(context, process.id, () =>
    finished(context, process.id, waitMs),
  );
  if (!ended.ok) return ended.failure;
  const { info, output } = ended.value;
  const wallMs = Math.round(clock.monotonicMs() - startedMs);
  const duration = { wall_duration_ms: replayed ? durationOf(info, wallMs) : wallMs };
  const note = commandNote(command);
  return toolValue({
    ...verdictOf(info, timeoutMs),
    ...output,
    ...duration,
    ...(note !== null && { note }),
  });
}

async function shownWhileRunning<Value>(
  context: ToolContext,
  processId: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const workspace = await context.workspace();
  if (!workspace.ok) return work();
  const { toolCallId, clock } = context;
  const publish = (part: MessagePart): void => context.publish(part);
  const { processes } = workspace.value.services;
  const command = { processes, processId, toolCallId, toolName: EXECUTE, clock, publish };
  return withLiveOutput(command, work);
}

function processOutput(): ChatTool {
  return defineTool({
    name: "process_output",
    description: "The output of a process that goes on in the background, and how it ended.",
    input: ProcessOutput,
    run: async ({ process_id: id, wait_timeout: waitMs = OUTPUT_WAIT_MS }, context) => {
      const ended = await finished(context, id, waitMs);
      if (!ended.ok) return ended.failure;
      const { info, output } = ended.value;
      return info.state === "running"
        ? toolValue({ success: true, ...output, note: "The process is still running." })
        : toolValue({ ...verdictOf(info, waitMs), ...output });
    },
  });
}

function processList(): ChatTool {
  return defineTool({
    name: "process_list",
    description: "The processes that this chat started in the workspace.",
    input: z.object({}),
    run: async (_input, context) => {
      const { signal, chat } = context;
      const listed = await inWorkspace(context, ({ processes }) =>
        processes.list({ limit: LISTED_MAX }, { signal }),
      );
      if (!listed.ok) return listed.failure;
      const own = listed.value.processes.filter(({ group }) => group.split("/")[0] === chat.id);
      return toolValue({
        processes: own.map(({ id, command, state, exitCode, startedAt }) => ({
          ...{ process_id: id, command, status: state, exit_code: exitCode },
          started_at: startedAt,
        })),
      });
    },
  });
}

function processSignal(): ChatTool {
  return defineTool({
    name: "process_signal",
    description: "Ends a process with all that it started: terminate asks it to, kill does it.",
    input: ProcessSignal,
    run: async ({ process_id: id, signal: wanted }, context) => {
      const { effect, signal } = context;
      const sent = await inWorkspace(context, ({ processes }) =>
        processes.signal(
          { id, signal: wanted === "kill" ? "SIGKILL" : "SIGTERM", effect },
          { signal },
        ),
      );
      return sent.ok ? toolValue({ ok: true, status: sent.value.process.state }) : sent.failure;
    },
  });
}

type Output = { readonly output?: string; readonly truncated?: boolean };

/** Waits for the process's end, at most so long, and reads what it wrote. */
async function finished(
  context: ToolContext,
  id: string,
  waitMs: number,
): Promise<Result<{ readonly info: ProcessInfo; readonly output: Output }, ToolOutcome>> {
  const workspace = await context.workspace();
  if (!workspace.ok) return fail(toolError(workspace.failure));
  const { processes } = workspace.value.services;
  const info = await waited(context, processes, id, waitMs);
  if (!info.ok) return fail(lost(info.failure, id));
  const { signal } = context;
  const read = await withRecovery(context, () =>
    processes.output({ id, maxBytes: OUTPUT_BYTES_MAX }, { signal }),
  );
  if (!read.ok) return fail(lost(read.failure, id));
  const { head, omittedBytes, tail } = read.value;
  if (omittedBytes === 0) return ok({ info: info.value, output: { output: head + tail } });
  const output = `${head}\n\n[… ${omittedBytes} bytes left out …]\n\n${tail}`;
  return ok({ info: info.value, output: { output, truncated: true } });
}

/** In pieces: one call waits only so long. */
async function waited(
  context: ToolContext,
  processes: WorkspaceServices["processes"],
  id: string,
  waitMs: number,
): Promise<Result<ProcessInfo, WorkspaceFailure>> {
  const { clock, signal } = context;
  const untilMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const leftMs = Math.max(0, Math.min(WAIT_MS_MAX, untilMs - clock.monotonicMs()));
    const timeoutMs = Math.round(leftMs);
    const answer = await withRecovery(context, () => processes.wait({ id, timeoutMs }, { signal }));
    const isOver = clock.monotonicMs() >= untilMs;
    if (!answer.ok || answer.value.state !== "running" || isOver) return answer;
  }
}

function lost(failure: WorkspaceFailure, id: string): ToolOutcome {
  if (failure.code === "not_found") {
    return toolError(
      `The workspace does not know the process ${id}: it is lost, and its outcome unknown.`,
    );
  }
  if (failure.code === "disconnected") {
    return toolError(
      `The workspace cannot be reached: ${failure.message} The process ${id} may go on; look at it with process_output.`,
    );
  }
  return toOutcome(failure);
}

type Verdict = {
  readonly success: boolean;
  readonly exit_code: number;
  readonly error?: string;
  readonly background_process_id?: string;
};

function verdictOf(info: ProcessInfo, timeoutMs: number): Verdict {
  if (info.state === "running") {
    return {
      ...{ success: false, exit_code: -1, background_process_id: info.id },
      error: `command timed out after ${timeoutMs / 1_000}s; it is still running`,
    };
  }
  if (info.state === "lost") {
    const error = "the process ended and nobody saw how: the machine stopped, or it was killed";
    return { success: false, exit_code: -1, error };
  }
  if (info.exitCode === null) {
    return { success: false, exit_code: -1, error: `ended by ${info.signal ?? "a signal"}` };
  }
  return { success: info.exitCode === 0, exit_code: info.exitCode };
}

function durationOf({ startedAt, endedAt }: ProcessInfo, otherwise: number): number {
  return endedAt === null ? otherwise : Date.parse(endedAt) - Date.parse(startedAt);
}
