/**
 * `atelier server` and `atelier agent`: a program of ours as a child process, on the same Node.
 *
 * Signals sent to us go on to it, and its exit code is ours. Ctrl-C in a terminal reaches both by
 * itself, so it is not sent a second time, which would cut its orderly end short.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What can be started so. */
export type OwnProgram = "server" | "workspace-agent";

export function startOwnProgram(
  program: OwnProgram,
  words: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const script = fileURLToPath(import.meta.resolve(`@atelier/app-${program}/main`));
  const isAtTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, script, ...words], {
      stdio: "inherit",
      env: { ...variables },
    });
    const handlers = FORWARDED.map((name) => {
      const handler = (): void => {
        if (name !== "SIGINT" || !isAtTerminal) child.kill(name);
      };
      process.on(name, handler);
      return [name, handler] as const;
    });
    const release = (): void => {
      for (const [name, handler] of handlers) process.off(name, handler);
    };
    child.once("error", (error) => {
      release();
      reject(new Error(`start the ${program} process`, { cause: error }));
    });
    child.once("exit", (exitCode, signalName) => {
      release();
      // 128 + the signal's number, as shells say it.
      resolve(signalName === null ? (exitCode ?? 1) : 128 + constants.signals[signalName]);
    });
  });
}
