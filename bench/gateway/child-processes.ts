/**
 * Starts programs for a measurement, on the processors that they are meant for, and ends them with
 * everything that they have started.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isPostgres, treeOf } from "../process-tree.ts";
import type { Placement } from "./machine.ts";

export type ProgramOptions = {
  /** As taskset takes them. Null: wherever the kernel likes. */
  readonly processors: string | null;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

export type Program = AsyncDisposable & { readonly child: ChildProcess; readonly pid: number };

export type TalkingProgram = Program & {
  /** The end of what it has printed. */
  readonly said: () => string;
};

/** For a program to end by itself. */
const END_MS = 3_000;
const PORT_MS_MAX = 60_000;
/** What a program says is kept for its failure's message. */
const OUTPUT_CHARS_MAX = 4_000;

export function startProgram(
  command: string,
  args: readonly string[],
  { processors, env, cwd }: ProgramOptions,
): TalkingProgram {
  const [file = "", ...rest] = pinned([command, ...args], processors);
  const child = spawn(file, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let said = "";
  const keep = (text: string): void => {
    said = (said + text).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.on("error", (error) => keep(`${command}: ${error.message}`));
  return {
    child,
    pid: child.pid ?? 0,
    said: () => said,
    [Symbol.asyncDispose]: () => endProgram(child),
  };
}

/** taskset becomes the program itself, so the process id is the program's. */
export function pinned(command: readonly string[], processors: string | null): readonly string[] {
  return processors === null ? command : ["taskset", "-c", processors, ...command];
}

async function endProgram(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const tree = treeOf(child.pid).map(({ pid }) => pid);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await Promise.race([exited, sleep(END_MS, undefined, { ref: false })]);
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await exited;
  for (const pid of tree) killIfAlive(pid, child.pid);
}

/** Workers that outlive their master. */
function killIfAlive(pid: number, master: number): void {
  if (pid === master) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended with its master, as it should.
  }
}

/** Moves a running server to its processor, and the database that it has started to the others. */
export function pinServer(pid: number, placement: Placement): void {
  if (placement === null) return;
  for (const each of treeOf(pid)) {
    const processors = isPostgres(each) ? placement.others : placement.gateway;
    // All threads; what they start later stays where they are.
    spawnSync("taskset", ["-a", "-c", "-p", processors, String(each.pid)]);
  }
}

/** Of a program that says `port 1234` when it listens. */
export async function printedPort({ child, said }: TalkingProgram): Promise<number> {
  const found = Promise.withResolvers<number>();
  const look = (): void => {
    const port = /^port (\d+)$/m.exec(said())?.[1];
    if (port !== undefined) found.resolve(Number(port));
  };
  child.stdout?.on("data", look);
  child.on("close", () => {
    found.reject(new Error(`a program ended before it listened: ${said()}`));
  });
  look();
  const late = sleep(PORT_MS_MAX, null, { ref: false });
  const port = await Promise.race([found.promise, late]);
  if (port === null) throw new Error(`a program does not listen: ${said()}`);
  return port;
}

/** For programs that must be told one. Free now; whoever takes it first has it. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
