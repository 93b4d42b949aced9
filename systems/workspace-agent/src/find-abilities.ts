/**
 * What this machine's workspace agent can do, found out by doing it: what is listed works now. What is
 * not listed answers `unsupported`, or with a failure that says why.
 */
import type { WorkspacePorts } from "@atelier/contract/rpc/workspace/ports";
import { watch } from "node:fs";
import { runGit, type GitDeps } from "./git/run-git-io.ts";

export type AbilityProbes = {
  readonly hasTerminals: boolean;
  readonly ports: WorkspacePorts;
  readonly git: GitDeps;
};

/** Names as the services are called; `watching`: of files and of git. Always in the same order. */
export async function findAbilities(probes: AbilityProbes): Promise<readonly string[]> {
  const [hasGit, listsPorts] = await Promise.all([canRunGit(probes.git), canListPorts(probes)]);
  const found = {
    files: true,
    git: hasGit,
    machine: true,
    ports: listsPorts,
    processes: process.platform !== "win32",
    terminals: probes.hasTerminals,
    watching: canWatch(probes.git.homeDirectory),
  };
  return Object.entries(found)
    .filter(([, has]) => has)
    .map(([name]) => name);
}

const GIT_VERSION_BYTES_MAX = 1_024;

async function canRunGit(git: GitDeps): Promise<boolean> {
  const { signal } = new AbortController();
  const args = ["--version"];
  const ran = await runGit(git, {
    ...{ directory: git.homeDirectory, args, bytesMax: GIT_VERSION_BYTES_MAX, signal },
  });
  return ran.ok;
}

async function canListPorts({ ports }: AbilityProbes): Promise<boolean> {
  return (await ports.list({})).ok;
}

/** The system's limit may be used up, and some file systems tell of no change. */
function canWatch(directory: string): boolean {
  try {
    watch(directory).close();
    return true;
  } catch {
    return false;
  }
}
