/** What a workspace's machine is, how it does, and its context files (contract, workspace/machine). */
import type { Clock } from "@atelier/base/clock";
import { fail, ok } from "@atelier/base/result";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import {
  MACHINE_OPERATIONS,
  type MachineStats,
  type WorkspaceMachine,
} from "@atelier/contract/rpc/workspace/machine";
import { arch, hostname, platform, release, userInfo } from "node:os";
import { readContextFiles } from "./context-files-io.ts";
import { measureAgain, measureOnce, type StatsDeps } from "./machine-stats-io.ts";

export type MachineOptions = {
  readonly homeDirectory: string;
  /** Where processes start unless they say otherwise. */
  readonly directory: string;
  readonly shell: string;
  readonly agentVersion: string;
  readonly agentStartedAt: Date;
  /** Names of abilities that work on this machine now. */
  readonly findAbilities: () => Promise<readonly string[]>;
  /** Where `/proc` and `/sys` are: `/`. */
  readonly systemRoot: string;
  readonly clock: Clock;
};

const WATCHES_MAX = 128;

export function openMachine(options: MachineOptions): WorkspaceMachine {
  const { homeDirectory, directory, systemRoot, clock } = options;
  const stats: StatsDeps = { homeDirectory, systemRoot, clock };
  let watches = 0;

  return implement(MACHINE_OPERATIONS, {
    info: async () =>
      ok({
        hostname: hostname(),
        os: platform(),
        arch: arch(),
        kernel: release(),
        user: userName(),
        home: homeDirectory,
        directory,
        shell: options.shell,
        agentVersion: options.agentVersion,
        agentStartedAt: options.agentStartedAt.toISOString(),
        abilities: [...(await options.findAbilities())],
      }),
    stats: async (_, signal) => ok(await measureOnce(stats, signal)),
    watchStats: async ({ intervalMs }, signal) =>
      watches < WATCHES_MAX
        ? ok(counted(measureAgain(stats, intervalMs, signal)))
        : fail({ code: "busy", message: "Too many watch this machine." }),
    contextFiles: (input) =>
      readContextFiles({ homeDirectory, defaultDirectory: directory }, input.directory),
  });

  async function* counted(events: AsyncIterable<MachineStats>): AsyncGenerator<MachineStats> {
    watches += 1;
    try {
      yield* events;
    } finally {
      watches -= 1;
    }
  }
}

/** Containers may run as a user who has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}
