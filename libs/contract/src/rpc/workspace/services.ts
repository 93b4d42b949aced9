/**
 * All services of one workspace agent, and how the rest of the server gets hold of them. There is one
 * implementation in the agent's own process and one through a link; callers cannot tell which.
 */
import type { Result } from "@atelier/base/result";
import { FILE_OPERATIONS, type WorkspaceFiles } from "./files.ts";
import { GIT_OPERATIONS, type WorkspaceGit } from "./git.ts";
import { MACHINE_OPERATIONS, type WorkspaceMachine } from "./machine.ts";
import type { WorkspaceFailure } from "./operation.ts";
import { PORT_OPERATIONS, type WorkspacePorts } from "./ports.ts";
import { PROCESS_OPERATIONS, type WorkspaceProcesses } from "./processes.ts";
import { TERMINAL_OPERATIONS, type WorkspaceTerminals } from "./terminals.ts";

export const WORKSPACE_SERVICES = {
  processes: PROCESS_OPERATIONS,
  files: FILE_OPERATIONS,
  terminals: TERMINAL_OPERATIONS,
  git: GIT_OPERATIONS,
  ports: PORT_OPERATIONS,
  machine: MACHINE_OPERATIONS,
} as const;

export type WorkspaceServices = {
  readonly processes: WorkspaceProcesses;
  readonly files: WorkspaceFiles;
  readonly terminals: WorkspaceTerminals;
  readonly git: WorkspaceGit;
  readonly ports: WorkspacePorts;
  readonly machine: WorkspaceMachine;
};

/**
 * Versions of the link's protocol. Within a major version each side takes what it does not know for
 * absent (`unsupported`); the agent names its version when it dials, and a server that does not speak
 * its major version refuses with both numbers in the text.
 */
export const LINK_PROTOCOL_VERSION = { major: 1, minor: 0 } as const;

/** Where the workspace agents are, for every other part of the server. */
export interface WorkspaceLinks {
  /**
   * The services of an agent, wherever it is connected: to this server or to another. They stay usable
   * over reconnects; while the agent is away they answer `disconnected`.
   */
  servicesOf(agentId: string): Promise<Result<WorkspaceServices, WorkspaceFailure>>;
}
