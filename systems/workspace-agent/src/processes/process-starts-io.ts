/**
 * Starts processes so that one call starts at most one, whatever is killed in between, and so that
 * the answer is true: started, provably not started, or lost.
 *
 * The directory of a stamped start is named after its call. A repeat that finds it claimed adopts
 * the process; one that finds it unclaimed starts it, and if a keeper of the first try is still on
 * its way, the claim lets one of both through. After a start of the machine the directory proves
 * nothing any more, because it may not have reached the disk.
 */
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { StartProcess } from "@atelier/contract/rpc/workspace/processes";
import type { ChildProcess } from "node:child_process";
import type { EffectAttempt } from "../effects/effect-journal-io.ts";
import { KnownProcess, type KnownProcessDeps } from "./known-process-io.ts";
import { environmentOf } from "./process-environment.ts";
import {
  findArguments,
  findWorkingDirectory,
  launchKeeper,
  type WorkspaceDirectories,
} from "./process-launch-io.ts";
import { inputHashOf, processIdOf, toShown, type StartRecord } from "./process-record.ts";

export type ProcessStartsDeps = KnownProcessDeps &
  WorkspaceDirectories & {
    readonly random: Random;
    readonly baseEnvironment: Readonly<Record<string, string | undefined>>;
    readonly shell: string;
    readonly runningMax: number;
    readonly bootId: string;
  };

export type Started = { readonly process: KnownProcess; readonly isRepeat: boolean };
type Outcome = Promise<Result<Started, WorkspaceFailure>>;

/** From a keeper's start to its claim. A machine that is slower than that has other problems. */
const CLAIM_MS_MAX = 10_000;
/** A script without a first line that names its shell is run by the keeper's own, and never told. */
const EXEC_MS_MAX = 200;
const LOOK_MS_MAX = 32;

const OTHER_INPUT: WorkspaceFailure = {
  code: "conflict",
  message: "Another process was started with this idempotency key.",
};
const LOST: WorkspaceFailure = {
  code: "effect_lost",
  message: "The machine stopped while this process was started; whether it ran is not known.",
};
const TOO_SLOW: WorkspaceFailure = {
  code: "busy",
  message: "The machine did not start the process in time; nothing was started.",
};

export class ProcessStarts {
  readonly #deps: ProcessStartsDeps;
  readonly #known: Map<string, KnownProcess>;
  readonly #turns = new Map<string, Promise<void>>();
  /** Those that will run in a moment. */
  #launching = 0;

  /** Adds what it starts to the known ones. */
  constructor(known: Map<string, KnownProcess>, deps: ProcessStartsDeps) {
    this.#known = known;
    this.#deps = deps;
  }

  async start(input: StartProcess, attempt: EffectAttempt): Outcome {
    const id = processIdOf(input, () => this.#deps.random.uuid());
    return this.#inTurn(id, () => this.#start(input, id, attempt));
  }

  /** Whether it is known now: a keeper claimed its start. */
  async adopt(id: string): Promise<boolean> {
    return this.#inTurn(id, async () => (await this.#find(id)) !== null);
  }

  /** Resolves when nothing is being started. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#turns.values());
  }

  /** Of one process, one after the other: the second of two starts finds what the first started. */
  async #inTurn<Value>(id: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(work);
    const settled = turn.then(
      () => {},
      () => {}, // Its own caller hears it.
    );
    this.#turns.set(id, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    }
  }

  async #find(id: string): Promise<KnownProcess | null> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const start = await this.#deps.store.readStart(id);
    if (start === null || !(await this.#deps.store.readTraces(id)).isClaimed) return null;
    const adopted = await KnownProcess.load(start, this.#deps);
    this.#known.set(id, adopted);
    return adopted;
  }

  async #start(input: StartProcess, id: string, attempt: EffectAttempt): Outcome {
    const inputHash = inputHashOf(input);
    const known = await this.#find(id);
    if (known !== null && known.start.inputHash !== inputHash) return fail(OTHER_INPUT);
    if (known !== null) return ok({ process: known, isRepeat: true });
    if (attempt.noted !== null && !(await this.#isProvablyUnstarted(id, attempt.noted))) {
      return fail(LOST);
    }
    const running = [...this.#known.values()].filter(({ state }) => state.kind === "running");
    const { runningMax } = this.#deps;
    if (running.length + this.#launching >= runningMax) {
      const message = `${runningMax} processes run already (the most at a time): end one first.`;
      return fail({ code: "busy", message });
    }
    this.#launching += 1;
    try {
      return await this.#launch(input, { id, inputHash }, attempt);
    } finally {
      this.#launching -= 1;
    }
  }

  async #launch(
    input: StartProcess,
    { id, inputHash }: Pick<StartRecord, "id" | "inputHash">,
    attempt: EffectAttempt,
  ): Outcome {
    const place = await this.#findPlace(input, id);
    if (!place.ok) return place;
    const prepared = await this.#deps.store.prepare({
      id,
      inputHash,
      command: toShown(input.command),
      workingDirectory: place.value.workingDirectory,
      group: input.group,
      startedAtMs: this.#deps.clock.now().getTime(),
    });
    if (!prepared.ok) return prepared;
    if (prepared.value.inputHash !== inputHash) return fail(OTHER_INPUT);
    await attempt.note({ bootId: this.#deps.bootId });
    const child = await launchKeeper(place.value);
    if (!child.ok) return this.#undo(id, attempt, child.failure);
    if (!(await this.#isStarted(id, child.value))) return this.#undo(id, attempt, TOO_SLOW);
    const started = await KnownProcess.load(prepared.value, this.#deps);
    await started.attach(child.value);
    this.#known.set(id, started);
    return ok({ process: started, isRepeat: false });
  }

  async #isProvablyUnstarted(id: string, noted: unknown): Promise<boolean> {
    // It is this class' own note, and the journal checks its lines.
    const { bootId } = noted as { readonly bootId: string };
    return bootId === this.#deps.bootId && (await this.#deps.store.readStart(id)) !== null;
  }

  async #findPlace(input: StartProcess, id: string) {
    const { shell, baseEnvironment, store } = this.#deps;
    const directory = store.directoryOf(id);
    const environment = environmentOf({ id, directory }, baseEnvironment, input.environment);
    const workingDirectory = await findWorkingDirectory(input.workingDirectory, this.#deps);
    if (!workingDirectory.ok) return workingDirectory;
    const path = environment["PATH"] ?? "/usr/bin:/bin";
    const argv = await findArguments(input.command, shell, workingDirectory.value, path);
    if (!argv.ok) return argv;
    return ok({
      directory,
      shell,
      argv: argv.value,
      workingDirectory: workingDirectory.value,
      environment,
      input: input.input,
      output: input.output,
    });
  }

  /** Waits until the command is there. False: it is not, and never will be. */
  async #isStarted(id: string, child: ChildProcess): Promise<boolean> {
    const { store, table, clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    for (let lookMs = 1; ; lookMs = Math.min(lookMs * 2, LOOK_MS_MAX)) {
      const hasExited = child.exitCode !== null || child.signalCode !== null;
      const { isClaimed, keeper, command, exit } = await store.readTraces(id);
      const tookMs = clock.monotonicMs() - startedMs;
      if (exit !== null) return true;
      if (command !== null && keeper !== null) {
        // Until then the command is a shell, in which a signal may get lost.
        const program = table.programOf(command.pid);
        if (program === "" || program !== table.programOf(keeper.pid) || tookMs > EXEC_MS_MAX)
          return true;
      }
      const isLate = tookMs > CLAIM_MS_MAX;
      if (isClaimed && isLate) return true;
      if (!isClaimed && (hasExited || isLate) && (await store.revoke(id))) return false;
      await clock.sleep(lookMs, NEVER);
    }
  }

  /** Nothing was started, so a later try begins anew. */
  async #undo(id: string, attempt: EffectAttempt, failure: WorkspaceFailure): Outcome {
    // In this order: a revoked directory is no proof of a start, a missing one would be one of loss.
    await attempt.note(null);
    await this.#deps.store.remove(id);
    return fail(failure);
  }
}

const NEVER = new AbortController().signal;
