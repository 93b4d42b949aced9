/** What runs in a workspace: its processes, terminals, and how much of the machine they take. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { PROCESS_SIGNALS } from "../rpc/workspace/processes.ts";
import { NoQuery, Timestamp } from "./common.ts";
import { MACHINE_FAILURES } from "./workspace-files.ts";
import { WorkspaceAgentParams } from "./workspaces.ts";

export const PROCESS_OUTPUT_BYTES_MAX = 1024 * 1024;

export const WorkspaceProcess = z.object({
  id: z.string(),
  /** As a shell would read it, cut. */
  command: z.string(),
  working_directory: z.string(),
  /** The id of the chat that started it, or empty. */
  group: z.string(),
  pid: z.int().nullable(),
  /** `lost`: it ended and nobody saw how. */
  state: z.enum(["running", "exited", "lost"]),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  started_at: Timestamp,
  ended_at: Timestamp.nullable(),
  /** All bytes written so far. */
  output_bytes: z.object({ stdout: z.number(), stderr: z.number() }),
});

export const WorkspaceTerminal = z.object({
  id: z.uuid(),
  /** Empty: the login shell. */
  command: z.string(),
  title: z.string(),
  viewers: z.int(),
  started_at: Timestamp,
  state: z.enum(["running", "exited"]),
});

export const WorkspaceStats = z.object({
  at: Timestamp,
  /** Cores in use, such as 1.5; of a container, its own. */
  cpu_cores_used: z.number(),
  cpu_cores: z.number(),
  memory_bytes_used: z.number(),
  memory_bytes: z.number(),
  /** Of the disk that holds the home directory. */
  disk_bytes_used: z.number(),
  disk_bytes: z.number(),
  load1: z.number(),
});

/** Output of a process, as it comes. */
export const ProcessOutputPiece = z.object({
  text: z.string(),
  /** Where the text begins, and where the next one will, in bytes of the process's whole output. */
  from: z.number(),
  to: z.number(),
});

export const ProcessParams = WorkspaceAgentParams.extend({
  process: z.string().regex(/^[0-9a-z-]{1,64}$/),
});
export const TerminalParams = WorkspaceAgentParams.extend({ terminal: z.uuid() });

/** Processes may write both into one: that is `stdout` then. */
export const OutputStream = z.enum(["stdout", "stderr"]).default("stdout");

export const listWorkspaceProcesses = endpoint({
  tag: "workspaces",
  summary: "Processes that the workspace agent started: running ones first, newest first",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/processes",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: z.strictObject({
    /** Only those of this chat. */
    group: z.string().max(128).optional(),
    limit: z.coerce.number().int().min(1).max(1_000).default(100),
  }),
  body: null,
  success: { status: 200, body: z.object({ processes: z.array(WorkspaceProcess) }) },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const getWorkspaceProcessOutput = endpoint({
  tag: "workspaces",
  summary: "What a process of a workspace wrote: head and tail",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/processes/:process/output",
  access: "workspace:connect",
  params: ProcessParams,
  query: z.strictObject({
    stream: OutputStream,
    bytes_max: z.coerce
      .number()
      .int()
      .min(1)
      .max(PROCESS_OUTPUT_BYTES_MAX)
      .default(128 * 1024),
  }),
  body: null,
  success: {
    status: 200,
    /** Of the bytes between head and tail only the number is told; 0: head is everything. */
    body: z.object({
      head: z.string(),
      omitted_bytes: z.number(),
      tail: z.string(),
      total_bytes: z.number(),
    }),
  },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const signalWorkspaceProcess = endpoint({
  tag: "workspaces",
  summary: "Send a signal to a process of a workspace and to all that it started",
  method: "POST",
  path: "/api/v2/workspaceagents/:agent/processes/:process/signal",
  access: "workspace:connect",
  params: ProcessParams,
  query: NoQuery,
  body: z.strictObject({ signal: z.enum(PROCESS_SIGNALS) }),
  success: { status: 200, body: WorkspaceProcess },
  failures: MACHINE_FAILURES,
  audit: { action: "write", resource: "workspace_process" },
});

export const getWorkspaceStats = endpoint({
  tag: "workspaces",
  summary: "How much of its machine a workspace takes now",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/stats",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: WorkspaceStats },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const listWorkspaceTerminals = endpoint({
  tag: "workspaces",
  summary: "Terminals of a workspace, oldest first",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/terminals",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ terminals: z.array(WorkspaceTerminal) }) },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const closeWorkspaceTerminal = endpoint({
  tag: "workspaces",
  summary: "End a terminal of a workspace and all that runs in it",
  method: "DELETE",
  path: "/api/v2/workspaceagents/:agent/terminals/:terminal",
  access: "workspace:connect",
  params: TerminalParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: MACHINE_FAILURES,
  audit: { action: "delete", resource: "workspace_terminal" },
});
