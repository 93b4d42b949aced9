/**
 * One process as the agent knows it, whether this agent started it or an earlier one did: its state,
 * its outputs, signals to it. The truth stands in its directory; this looks there, and writes there
 * what the keeper could not write any more.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { ProcessInfo } from "@atelier/contract/rpc/workspace/processes";
import type { ChildProcess } from "node:child_process";
import { ProcessInput } from "./process-input-io.ts";
import { ProcessOutput, type OutputDeps } from "./process-output-io.ts";
import {
  endOf,
  KILLED_STATUS,
  lifeOf,
  toExit,
  toProcessInfo,
  type ProcessState,
  type ProcessTraces,
  type StartRecord,
} from "./process-record.ts";
import type { ProcessStore } from "./process-store-io.ts";
import { killTree, signalTree, type ProcessTable, type Tree } from "./process-tree-io.ts";

export type KnownProcessDeps = {
  readonly store: ProcessStore;
  readonly table: ProcessTable;
  readonly outputs: OutputDeps;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A keeper that has claimed its start writes who it is in the next moment, or was killed. */
const NAMELESS_MS_MAX = 10_000;

export class KnownProcess {
  readonly start: StartRecord;
  readonly stdout: ProcessOutput;
  readonly stderr: ProcessOutput;
  readonly #deps: KnownProcessDeps;
  readonly #over = new AbortController();
  #traces: ProcessTraces;
  #state: ProcessState = { kind: "running" };
  #input: ProcessInput | null = null;
  /** Tells its end by itself: it is a child of this agent. */
  #isChild = false;
  /** How a child of this agent said that it ended, where its word on disk is missing. */
  #childStatus: number | null = null;
  #settling: Promise<void> = Promise.resolve();

  private constructor(
    start: StartRecord,
    traces: ProcessTraces,
    outputs: readonly [ProcessOutput, ProcessOutput],
    deps: KnownProcessDeps,
  ) {
    this.start = start;
    this.#traces = traces;
    [this.stdout, this.stderr] = outputs;
    this.#deps = deps;
  }

  /** From its directory, in which a keeper has claimed the start. */
  static async load(start: StartRecord, deps: KnownProcessDeps): Promise<KnownProcess> {
    const directory = deps.store.directoryOf(start.id);
    const [traces, stdout, stderr] = await Promise.all([
      deps.store.readTraces(start.id),
      ProcessOutput.open(directory, "stdout", deps.outputs),
      ProcessOutput.open(directory, "stderr", deps.outputs),
    ]);
    const loaded = new KnownProcess(start, traces, [stdout, stderr], deps);
    await loaded.settle();
    return loaded;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get input(): ProcessInput | null {
    return this.#input;
  }

  /** Aborts when the process has ended. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get tree(): Tree {
    const { id } = this.start;
    const { keeper, command } = this.#traces;
    return { id, marker: this.#deps.store.directoryOf(id), keeper, command };
  }

  /** Killed by the agent that was itself killed before it was done. */
  get isHalfKilled(): boolean {
    return this.#state.kind === "running" && this.#traces.isKilled;
  }

  /** Running, and nobody will tell when it ends. */
  get needsLook(): boolean {
    return this.#state.kind === "running" && !this.#isChild;
  }

  info(): ProcessInfo {
    const pid = this.#traces.command?.pid ?? this.#traces.keeper?.pid ?? null;
    const outputBytes = { stdout: this.stdout.size(), stderr: this.stderr.size() };
    return toProcessInfo(this.start, this.#state, pid, outputBytes);
  }

  /** The keeper is a child of this agent, which so hears of its end at once. */
  async attach(child: ChildProcess): Promise<void> {
    // Another keeper won: this one has not started anything.
    if (child.pid !== this.#traces.keeper?.pid) return;
    if (child.stdin !== null) this.#input = new ProcessInput(child.stdin);
    this.#isChild = true;
    const end = async (): Promise<void> => {
      this.#isChild = false;
      this.#childStatus = child.exitCode;
      await this.settle();
    };
    if (child.exitCode !== null || child.signalCode !== null) return end();
    child.once("exit", () => {
      end().catch((error: unknown) => {
        this.#deps.log.error({ error, id: this.start.id }, "the end of a process was not noted");
      });
    });
  }

  /** Looks whether it has ended. Calls take turns. */
  async settle(): Promise<void> {
    const turn = this.#settling.then(() => this.#settle());
    this.#settling = turn.catch(() => {}); // Its own caller hears it.
    return turn;
  }

  /** To the whole tree, also to what is left of one that has ended. */
  async signal(signal: NodeJS.Signals): Promise<Result<ProcessInfo, WorkspaceFailure>> {
    const { store, table, clock } = this.#deps;
    if (signal !== "SIGKILL") {
      await signalTree(table, this.tree, signal, clock);
      return ok(this.info());
    }
    // First on disk: whoever comes after this agent completes it, and knows why the process ended.
    if (this.#state.kind === "running") await store.mark(this.start.id, "killed");
    const survivors = await killTree(table, this.tree, clock);
    if (survivors.length > 0) {
      const pids = `${survivors.slice(0, 10).join(", ")}${survivors.length > 10 ? " …" : ""}`;
      return fail({
        code: "failed",
        message: `${survivors.length} processes did not die: ${pids}. They may belong to another user.`,
      });
    }
    await this.settle();
    return ok(this.info());
  }

  close(): void {
    this.#input?.close();
  }

  async #settle(): Promise<void> {
    if (this.#state.kind !== "running") return;
    const { store } = this.#deps;
    const { id } = this.start;
    let end = endOf((this.#traces = await store.readTraces(id)));
    if (end === null && !(await this.#isLiving())) {
      // It may have written down its end and died between the two looks.
      this.#traces = await store.readTraces(id);
      end = endOf(this.#traces) ?? (await this.#noteEnd());
    }
    if (end === null) return;
    this.#state = end;
    this.#input?.close();
    this.#over.abort();
  }

  async #isLiving(): Promise<boolean> {
    const life = lifeOf(this.#traces);
    if (life.length > 0) return (await this.#deps.table.livingOf(life)).size > 0;
    return this.#deps.clock.now().getTime() - this.start.startedAtMs < NAMELESS_MS_MAX;
  }

  /** Nobody else will. */
  async #noteEnd(): Promise<ProcessState> {
    const { store, clock, log } = this.#deps;
    const { id } = this.start;
    const endedAtMs = clock.now().getTime();
    const status = this.#traces.isKilled ? KILLED_STATUS : this.#childStatus;
    try {
      await (status === null ? store.mark(id, "lost") : store.writeExit(id, status));
    } catch (error) {
      // The disk is full: this agent knows it all the same.
      log.warn({ error, id }, "the end of a process could not be written down");
    }
    if (status === null) return { kind: "lost", endedAtMs };
    return { kind: "exited", ...toExit(status), endedAtMs };
  }
}
