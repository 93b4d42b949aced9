/**
 * The processes service of a workspace agent (contract, workspace/processes).
 *
 * A process does not depend on the agent: it writes to files, and a keeper beside it notes how it
 * ends. So the agent may be ended, killed and replaced at any moment; the next one finds every process
 * in its directory, running or ended, with all output.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import { implement, type HandlersOf } from "@atelier/contract/rpc/workspace/implement";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import {
  PROCESS_OPERATIONS,
  type ProcessInfo,
  type WorkspaceProcesses,
} from "@atelier/contract/rpc/workspace/processes";
import { join } from "node:path";
import type { EffectAttempt, EffectJournal } from "../effects/effect-journal-io.ts";
import type { KnownProcess } from "./known-process-io.ts";
import { HoleMaker } from "./output-hole-io.ts";
import type { OutputLimits } from "./output-window.ts";
import { compareListed } from "./process-record.ts";
import { ProcessStarts } from "./process-starts-io.ts";
import { ProcessStore } from "./process-store-io.ts";
import { openProcessTable } from "./process-tree-io.ts";
import { ProcessUpkeep, type UpkeepLimits } from "./process-upkeep-io.ts";

export type ProcessesDeps = {
  /** The agent's own: a directory is made in it, which no two agents share. */
  readonly stateDirectory: string;
  readonly homeDirectory: string;
  /** Where processes run that name no directory. */
  readonly workspaceDirectory: string;
  readonly baseEnvironment: Readonly<Record<string, string | undefined>>;
  readonly journal: EffectJournal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly limits?: Partial<ProcessLimits>;
  readonly shell?: string;
  readonly holes?: HoleMaker;
};

export type ProcessLimits = OutputLimits & UpkeepLimits & { readonly runningMax: number };

const MEBIBYTE = 1024 * 1024;

/** Guesses, except the age: as long as the effect journal remembers. */
const LIMITS: ProcessLimits = {
  headBytesMax: MEBIBYTE,
  tailBytesMax: 8 * MEBIBYTE,
  slackBytesMax: 4 * MEBIBYTE,
  runningMax: 256,
  endedMax: 200,
  endedAgeMsMax: 7 * 24 * 3_600_000,
  endedBytesMax: 1024 * MEBIBYTE,
};

/** A keeper whose agent was killed claims its start within milliseconds. */
const UNCLAIMED_MS_MAX = 60_000;
/** Longer than the effect journal remembers, which takes the directory for a proof. */
const UNCLAIMED_STAMPED_MS_MAX = 8 * 24 * 3_600_000;

const UNKNOWN: WorkspaceFailure = {
  code: "not_found",
  message: "There is no such process: it never was, or it ended and was forgotten.",
};
const NO_INPUT: WorkspaceFailure = {
  code: "conflict",
  message: "This process has no open input.",
};

export async function openProcesses(
  deps: ProcessesDeps,
): Promise<WorkspaceProcesses & AsyncDisposable> {
  const store = new ProcessStore(join(deps.stateDirectory, "processes"));
  const table = openProcessTable(process.platform);
  const limits = { ...LIMITS, ...deps.limits };
  const outputs = { limits, holes: deps.holes ?? new HoleMaker() };
  const known = new Map<string, KnownProcess>();
  const starts = new ProcessStarts(known, {
    ...deps,
    store,
    table,
    outputs,
    shell: deps.shell ?? "/bin/sh",
    runningMax: limits.runningMax,
    bootId: await table.bootId(),
  });
  const unclaimed = await adoptAll(store, starts, deps.clock);
  const halfKilled = [...known.values()].filter(({ isHalfKilled }) => isHalfKilled);
  await Promise.all(halfKilled.map((each) => each.signal("SIGKILL")));
  if (known.size > 0) deps.log.info({ processes: known.size }, "processes adopted");
  const upkeep = new ProcessUpkeep(
    { known, unclaimed, starts },
    { ...deps, store, table, outputs, limits },
  );
  upkeep.run();
  const service = implement(PROCESS_OPERATIONS, handlersOf(known, starts, upkeep, deps));
  const close = async (): Promise<void> => {
    await upkeep.close();
    await starts.idle();
    for (const each of known.values()) each.close();
  };
  return { ...service, [Symbol.asyncDispose]: close };
}

/** Answers with those that nobody has claimed: a keeper may still be on its way. */
async function adoptAll(
  store: ProcessStore,
  starts: ProcessStarts,
  clock: Clock,
): Promise<Set<string>> {
  const unclaimed = new Set<string>();
  const adopt = async (id: string): Promise<void> => {
    if (await starts.adopt(id)) return;
    const start = await store.readStart(id);
    const keptMs = id.startsWith("p-") ? UNCLAIMED_MS_MAX : UNCLAIMED_STAMPED_MS_MAX;
    const isKept = start !== null && clock.now().getTime() - start.startedAtMs < keptMs;
    if (isKept) unclaimed.add(id);
    else if (await store.revoke(id)) await store.remove(id);
  };
  await Promise.all((await store.list()).map(adopt));
  return unclaimed;
}

function handlersOf(
  known: ReadonlyMap<string, KnownProcess>,
  starts: ProcessStarts,
  upkeep: ProcessUpkeep,
  { journal, clock }: Pick<ProcessesDeps, "journal" | "clock">,
): HandlersOf<typeof PROCESS_OPERATIONS> {
  const find = async <Value>(
    id: string,
    work: (found: KnownProcess) => Promise<Result<Value, WorkspaceFailure>>,
  ): Promise<Result<Value, WorkspaceFailure>> => {
    const found = known.get(id);
    return found === undefined ? fail(UNKNOWN) : work(found);
  };
  return {
    start: async (input) => {
      let isRepeat = false;
      const outcome = await journal.run(input.effect, async (attempt) => {
        const started = await starts.start(input, attempt);
        if (!started.ok) return started;
        ({ isRepeat } = started.value);
        return ok({ process: started.value.process.info() });
      });
      upkeep.wake();
      return outcome.ok ? ok(toCurrent(outcome.value, known, isRepeat)) : outcome;
    },
    get: ({ id }) => find(id, async (found) => ok(found.info())),
    list: async ({ group, limit }) => {
      const listed = [...known.values()]
        .filter(({ start }) => group === undefined || start.group === group)
        .toSorted(compareListed)
        .slice(0, limit);
      return ok({ processes: listed.map((each) => each.info()) });
    },
    wait: ({ id, timeoutMs }, signal) =>
      find(id, async (found) => {
        if (!found.over.aborted) {
          // Resolves early by its end, and rejects by the caller's signal only.
          await clock
            .sleep(timeoutMs, AbortSignal.any([found.over, signal]))
            .catch(() => signal.throwIfAborted());
        }
        return ok(found.info());
      }),
    output: ({ id, stream, maxBytes }) =>
      find(id, async (found) => {
        const text = await found[stream].read(maxBytes);
        return text === null ? fail(UNKNOWN) : ok(text);
      }),
    follow: ({ id, stream, offset }, signal) =>
      find(id, async (found) => {
        const fromOffset = found[stream].startFor(offset);
        const bytes = found[stream].follow(fromOffset, found.over, { clock, signal });
        return ok({ value: { fromOffset }, bytes });
      }),
    writeInput: ({ id, endInput }, bytes, signal) =>
      find(id, async ({ input }) =>
        input === null ? fail(NO_INPUT) : input.feed(bytes, endInput, signal),
      ),
    signal: ({ id, signal, effect }) =>
      journal.run(effect, (attempt) => find(id, (found) => sendOnce(found, signal, attempt))),
  };
}

/** What was noted was about to be sent, and perhaps was. Killing again does no harm. */
async function sendOnce(
  target: KnownProcess,
  signal: NodeJS.Signals,
  attempt: EffectAttempt,
): Promise<Result<{ readonly process: ProcessInfo }, WorkspaceFailure>> {
  const isUnknown = attempt.noted !== null && signal !== "SIGKILL";
  if (isUnknown && target.state.kind === "running") return fail(SIGNAL_LOST);
  await attempt.note({ isSending: true });
  const sent = await target.signal(signal);
  return sent.ok ? ok({ process: sent.value }) : sent;
}

const SIGNAL_LOST: WorkspaceFailure = {
  code: "effect_lost",
  message: "The workspace agent ended while it sent this signal; whether it arrived is not known.",
};

/** The journal tells how it was; a process that is still known is told as it is. */
function toCurrent(
  recorded: { readonly process: ProcessInfo; readonly replayed: boolean },
  known: ReadonlyMap<string, KnownProcess>,
  isRepeat: boolean,
): { process: ProcessInfo; replayed: boolean } {
  const current = known.get(recorded.process.id)?.info() ?? recorded.process;
  return { process: current, replayed: recorded.replayed || isRepeat };
}
