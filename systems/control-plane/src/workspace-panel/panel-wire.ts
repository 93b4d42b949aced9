/** What a machine says, in the words of our API. */
import type * as files from "@atelier/contract/http/workspace-files";
import type * as git from "@atelier/contract/http/workspace-git";
import type * as processes from "@atelier/contract/http/workspace-processes";
import type { ListeningPort } from "@atelier/contract/http/workspaces";
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import type { GitState } from "@atelier/contract/rpc/workspace/git";
import type { MachineStats } from "@atelier/contract/rpc/workspace/machine";
import type { ListeningPort as MachinePort } from "@atelier/contract/rpc/workspace/ports";
import type { ProcessInfo } from "@atelier/contract/rpc/workspace/processes";
import type { TerminalInfo } from "@atelier/contract/rpc/workspace/terminals";
import type { z } from "zod";

export function toWireFile(info: FileInfo): z.input<typeof files.WorkspaceFile> {
  const { path, name, kind, size, mode, modifiedAt, target } = info;
  return { path, name, kind, size, mode, modified_at: modifiedAt, target };
}

export function toWireGitState(state: GitState): z.input<typeof git.WorkspaceGitState> {
  const { root, branch, commit, upstream, ahead, behind, remoteUrl, isCut } = state;
  return {
    ...{ root, branch, commit, upstream, ahead, behind, remote_url: remoteUrl, is_cut: isCut },
    files: state.files.map(({ path, status, from, added, removed, isBinary }) => ({
      ...{ path, status, from, added, removed, is_binary: isBinary },
    })),
  };
}

export function toWireProcess(info: ProcessInfo): z.input<typeof processes.WorkspaceProcess> {
  const { id, command, workingDirectory, group, pid, state, exitCode, signal } = info;
  return {
    ...{ id, command, working_directory: workingDirectory, group, pid, state, signal },
    exit_code: exitCode,
    started_at: info.startedAt,
    ended_at: info.endedAt,
    output_bytes: info.outputBytes,
  };
}

export function toWireTerminal(info: TerminalInfo): z.input<typeof processes.WorkspaceTerminal> {
  const { id, command, title, viewers, startedAt, state } = info;
  return { id, command, title, viewers, started_at: startedAt, state };
}

export function toWireStats(stats: MachineStats): z.input<typeof processes.WorkspaceStats> {
  return {
    at: stats.at,
    cpu_cores_used: stats.cpuCoresUsed,
    cpu_cores: stats.cpuCores,
    memory_bytes_used: stats.memoryBytesUsed,
    memory_bytes: stats.memoryBytes,
    disk_bytes_used: stats.diskBytesUsed,
    disk_bytes: stats.diskBytes,
    load1: stats.load1,
  };
}

export function toWirePort(listening: MachinePort): z.input<typeof ListeningPort> {
  const { port, address, processName, pid } = listening;
  return { port, network: "tcp", address, process_name: processName, pid };
}
