/**
 * A workspace agent in a process of its own, for tests that kill it: waits for one line on stdin,
 * opens its services, makes all calls of the line at once, and reports each answer as a line. Kills
 * itself after the given time, if nobody else does.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  NOTHING_FORGOTTEN,
  openAgent,
  testEffect,
  type TestDirectories,
} from "./processes-testkit.ts";

export type KilledAgentOrder = {
  readonly directories: TestDirectories;
  readonly calls: readonly { readonly callId: string; readonly command: string }[];
  readonly diesAfterMs: number;
};

export type KilledAgentAnswer = { readonly callId: string; readonly processId: string };

export type KilledAgent = {
  /** Resolves when it is dead, with what it had answered. */
  obey(order: KilledAgentOrder, killAfterMs: number | null): Promise<KilledAgentAnswer[]>;
  /** For one that is not needed. */
  dismiss(): Promise<void>;
};

/** Loads its code at once, and touches nothing before it gets an order. */
export function spawnKilledAgent(): KilledAgent {
  const child = spawn(process.execPath, [import.meta.filename], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  return {
    obey: async (order, killAfterMs) => {
      const answers: KilledAgentAnswer[] = [];
      const lines = createInterface({ input: child.stdout });
      lines.on("line", (line) => {
        if (line !== "begun") answers.push(JSON.parse(line) as KilledAgentAnswer);
        else if (killAfterMs !== null) killAfter(child, killAfterMs);
      });
      const closed = once(lines, "close");
      child.stdin.end(`${JSON.stringify(order)}\n`);
      const [, signal] = await exited;
      await closed;
      assert.equal(signal, "SIGKILL", "it ends only by being killed");
      return answers;
    },
    dismiss: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function killAfter(child: ChildProcess, delayMs: number): void {
  const killAtMs = performance.now() + delayMs;
  const look = (): void => {
    if (performance.now() >= killAtMs) child.kill("SIGKILL");
    else setImmediate(look);
  };
  look();
}

/** What runs in the process that is killed. */
async function obey(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { directories, calls, diesAfterMs } = JSON.parse(line) as KilledAgentOrder;
    const { processes } = await openAgent(directories, { limits: NOTHING_FORGOTTEN });
    process.stdout.write("begun\n");
    const diesAtMs = performance.now() + diesAfterMs;
    const look = (): void => {
      if (performance.now() >= diesAtMs) process.kill(process.pid, "SIGKILL");
      setImmediate(look);
    };
    look();
    for (const { callId, command } of calls) {
      const report = async (): Promise<void> => {
        const answer = await processes.start({ command, effect: testEffect(callId) });
        assert.ok(answer.ok, JSON.stringify(answer));
        const answered = { callId, processId: answer.value.process.id };
        process.stdout.write(`${JSON.stringify(answered)}\n`);
      };
      report().catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
    }
  }
}

if (import.meta.main) await obey();
