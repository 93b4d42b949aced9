/** A program that serves as a lane, and the search for programs on this machine. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TalkingProgram } from "./child-processes.ts";
import { LaneMissing, type RunningLane } from "./lane.ts";

/** Ends the program again where it does not come to listen. */
export async function laneOf(
  program: TalkingProgram,
  target: () => Promise<RunningLane["target"]>,
): Promise<RunningLane> {
  try {
    return {
      target: await target(),
      pid: program.pid,
      hasEnded: () => program.child.exitCode !== null || program.child.signalCode !== null,
      said: () => program.said(),
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** What `<command> <args>` prints, on one line. Throws `LaneMissing` where there is no such command. */
export function versionOf(command: string, args: readonly string[], remedy: string): string {
  const run = spawnSync(command, args, { encoding: "utf8" });
  if (run.error !== undefined || run.status !== 0) {
    throw new LaneMissing(`${command} is not on PATH: ${remedy}`);
  }
  return `${run.stdout}${run.stderr}`.trim().split("\n")[0] ?? "";
}

/** Installs into a folder of its own, once; a folder that exists is complete. */
export function installOnce(
  directory: string,
  name: string,
  install: (staging: string) => readonly (readonly string[])[],
): string {
  const place = join(directory, name);
  if (existsSync(place)) return place;
  const staging = `${place}.${process.pid}`;
  mkdirSync(staging, { recursive: true });
  console.error(`installing ${name} into ${directory} …`);
  try {
    for (const [command = "", ...args] of install(staging)) {
      const run = spawnSync(command, args, { encoding: "utf8", cwd: staging });
      if (run.error !== undefined || run.status !== 0) {
        const reason = run.error?.message ?? `${run.stdout}${run.stderr}`.trim().split("\n").at(-1);
        throw new LaneMissing(`${name} could not be installed: ${reason}`);
      }
    }
    renameSync(staging, place);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return place;
}
