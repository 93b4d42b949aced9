/** A processes service over directories of its own, with real processes, for tests. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import type { WorkspaceProcesses } from "@atelier/contract/rpc/workspace/processes";
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEffectJournal } from "../effects/effect-journal-io.ts";
import { openProcesses, type ProcessesDeps } from "./processes-io.ts";

export type TestAgent = {
  readonly processes: WorkspaceProcesses;
  /** The agent ends; its processes do not. */
  stop(): Promise<void>;
};

export type TestMachine = AsyncDisposable & {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly workspaceDirectory: string;
  /** One at a time: stop it before the next. */
  startAgent(overrides?: Partial<ProcessesDeps>): Promise<TestAgent>;
};

/** At its end all processes that it started are dead and all files gone. */
export async function testMachine(): Promise<TestMachine> {
  const directory = await mkdtemp(join(tmpdir(), "atelier-processes-"));
  const stateDirectory = join(directory, "state");
  const workspaceDirectory = join(directory, "workspace");
  await mkdir(workspaceDirectory);
  let running: TestAgent | null = null;
  const startAgent = async (overrides: Partial<ProcessesDeps> = {}): Promise<TestAgent> => {
    assert.equal(running, null, "one agent at a time");
    running = await openAgent({ directory, stateDirectory, workspaceDirectory }, overrides);
    const agent = running;
    const stopAndForget = async (): Promise<void> => {
      running = null;
      await agent.stop();
    };
    return { processes: agent.processes, stop: stopAndForget };
  };
  return {
    directory,
    stateDirectory,
    workspaceDirectory,
    startAgent,
    [Symbol.asyncDispose]: async () => {
      await running?.stop();
      running = null;
      const last = await startAgent();
      await killAll(last.processes);
      await last.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export type TestDirectories = {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly workspaceDirectory: string;
};

export async function openAgent(
  { directory, stateDirectory, workspaceDirectory }: TestDirectories,
  overrides: Partial<ProcessesDeps> = {},
): Promise<TestAgent> {
  const [clock, random, log] = [systemClock, systemRandom, silentLogger];
  const journal = await openEffectJournal(stateDirectory, { clock, log });
  const processes = await openProcesses({
    stateDirectory,
    homeDirectory: directory,
    workspaceDirectory,
    baseEnvironment: { PATH: process.env["PATH"], HOME: directory },
    journal,
    clock,
    random,
    log,
    ...overrides,
  });
  const stop = async (): Promise<void> => {
    await processes[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
  };
  return { processes, stop };
}

async function killAll(processes: WorkspaceProcesses): Promise<void> {
  const listed = await processes.list({ limit: 1_000 });
  assert.ok(listed.ok);
  const ids = listed.value.processes.map(({ id }) => id);
  await Promise.all(ids.map((id) => processes.signal({ id, signal: "SIGKILL" })));
}

/** For machines on which more processes end than are usually kept. */
export const NOTHING_FORGOTTEN = { endedMax: 100_000 };

export function testEffect(callId: string, fence = 1): Effect {
  return { chatId: "chat", callId, inputHash: "a".repeat(64), fence };
}

/** Whether a process lives that is not a zombie. */
export async function isLiving(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}
