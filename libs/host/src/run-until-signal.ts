/**
 * The life of a process: start, run until a signal to end, close everything in reverse order.
 *
 * Guarantees: whatever was started is closed, also when the start fails half-way; the end comes
 * within a deadline; a second signal ends the process at once. Exit codes: 0 after a signal, 1 after
 * a failure or a missed deadline, 128 + signal number after a second signal.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { constants } from "node:os";
import { StartError } from "./start-error.ts";

export type ProcessDeps = { readonly log: Logger; readonly clock: Clock };

type Options = {
  /** From the signal until everything must be closed. */
  readonly closeWithinMs?: number;
};

type Main = (resources: AsyncDisposableStack, signal: AbortSignal) => Promise<void>;

const CLOSE_WITHIN_DEFAULT_MS = 15_000;
const DAY_MS = 86_400_000;
/** SIGHUP: the terminal was closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `main`, which starts things and returns once they run. Put each thing into `resources` on the
 * line that creates it. Never returns: the process exits.
 */
export async function runUntilSignal(
  deps: ProcessDeps,
  main: Main,
  { closeWithinMs = CLOSE_WITHIN_DEFAULT_MS }: Options = {},
): Promise<never> {
  const resources = new AsyncDisposableStack();
  const stop = new AbortController();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  listenForEnd(deps.log, stop, end);

  // After a signal, `main` may still be starting: it is given the rest of the deadline to notice.
  const starting = start(main, resources, stop.signal).then((outcome) => {
    if (outcome === "failed") end();
  });
  await Promise.race([ended, stayAlive(deps.clock, stop.signal)]);
  stop.abort(new Error("shutting down"));

  const never = new AbortController().signal;
  const outcome = await Promise.race([
    starting.then(() => close(resources, deps.log)),
    deps.clock.sleep(closeWithinMs, never).then(() => "late" as const),
  ]);
  if (outcome === "late")
    deps.log.error({ closeWithinMs }, "closing took too long, exiting anyway");
  if (outcome !== "closed") process.exitCode = 1;
  process.exit();
}

/** A process without an open handle would end by itself. */
async function stayAlive(clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await clock.sleep(DAY_MS, signal).catch(() => {}); // Aborted: the loop ends.
}

function listenForEnd(log: Logger, stop: AbortController, end: () => void): void {
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (stop.signal.aborted) {
        log.warn({ signal: name }, "another signal, exiting at once");
        process.exit(128 + constants.signals[name]);
      }
      log.info({ signal: name }, "shutting down");
      stop.abort(new Error(`received ${name}`));
      end();
    });
  }
  // The state behind an unexpected error is unknown: the process ends, a supervisor starts another.
  const endWithFailure = (reason: unknown): void => {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    log.error({ error }, "unexpected error, shutting down");
    process.exitCode = 1;
    end();
  };
  process.on("uncaughtException", endWithFailure);
  process.on("unhandledRejection", endWithFailure);
}

async function start(
  main: Main,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<"started" | "failed"> {
  try {
    await main(resources, signal);
    return "started";
  } catch (error) {
    // Told to stop while starting, it usually throws the reason: no failure of its own.
    if (signal.aborted) return "started";
    printStartFailure(error);
    process.exitCode = 1;
    return "failed";
  }
}

/** To standard error and not to the log: this is for the person who just typed the command. */
export function printStartFailure(error: unknown): void {
  const text = error instanceof StartError ? error.message : describeBug(error);
  process.stderr.write(`\nCould not start: ${text}\n`);
}

function describeBug(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\nCaused by: ${describeBug(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

async function close(resources: AsyncDisposableStack, log: Logger): Promise<"closed" | "failed"> {
  try {
    await resources.disposeAsync();
    return "closed";
  } catch (error) {
    log.error({ error }, "closing failed");
    return "failed";
  }
}
