/**
 * What has to be done for processes again and again: outputs that grow too large are cut, ends that
 * nobody tells are noticed, ended processes are forgotten. Takes no input but the processes
 * themselves; what a kill interrupts, the next pass does.
 */
import type { ProcessOutput } from "./process-output-io.ts";
import type { KnownProcess, KnownProcessDeps } from "./known-process-io.ts";
import { chooseForgotten, lifeOf } from "./process-record.ts";
import type { ProcessStarts } from "./process-starts-io.ts";
import { livingTrees } from "./process-tree-io.ts";

export type UpkeepLimits = {
  readonly endedMax: number;
  readonly endedAgeMsMax: number;
  /** Of the outputs of ended processes. */
  readonly endedBytesMax: number;
};

/** While something runs: how late an adopted end is noticed, and how much a flood writes uncut. */
const PASS_MS = 100;
/** A flood has just been cut: it will go on. */
const FLOOD_PASS_MS = 20;
/** While nothing runs; and how often descendants of ended processes are looked at. */
const IDLE_PASS_MS = 5_000;
export class ProcessUpkeep {
  readonly #known: Map<string, KnownProcess>;
  readonly #unclaimed: Set<string>;
  readonly #starts: ProcessStarts;
  readonly #deps: KnownProcessDeps & { readonly limits: UpkeepLimits };
  /** Of ended processes whose descendants write on. */
  readonly #growing = new Map<ProcessOutput, number>();
  readonly #sizes = new Map<ProcessOutput, number>();
  #pause = new AbortController();
  #isClosing = false;
  #loop: Promise<void> = Promise.resolve();
  #lookedAtAllMs = Number.NEGATIVE_INFINITY;

  constructor(
    processes: {
      readonly known: Map<string, KnownProcess>;
      /** Directories without a claim: a keeper may still be on its way to one. */
      readonly unclaimed: Set<string>;
      readonly starts: ProcessStarts;
    },
    deps: KnownProcessDeps & { readonly limits: UpkeepLimits },
  ) {
    this.#known = processes.known;
    this.#unclaimed = processes.unclaimed;
    this.#starts = processes.starts;
    this.#deps = deps;
  }

  run(): void {
    this.#loop = this.#run();
  }

  /** Something has started: a pause for idleness is over. */
  wake(): void {
    this.#pause.abort();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#pause.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    let pauseMs = 0;
    while (!this.#isClosing) {
      this.#pause = new AbortController();
      await clock.sleep(pauseMs, this.#pause.signal).catch(() => {}); // Woken.
      if (this.#isClosing) return;
      try {
        pauseMs = await this.#pass();
      } catch (error) {
        log.error({ error }, "the upkeep of processes failed");
        pauseMs = IDLE_PASS_MS;
      }
    }
  }

  /** How long to pause after it. */
  async #pass(): Promise<number> {
    const all = [...this.#known.values()];
    const running = all.filter(({ state }) => state.kind === "running");
    await this.#noticeEnds(running);
    const nowMs = this.#deps.clock.monotonicMs();
    const isForAll = nowMs - this.#lookedAtAllMs >= IDLE_PASS_MS;
    const looked = (isForAll ? all : running).flatMap(({ stdout, stderr }) => [stdout, stderr]);
    const hasCut = await this.#cutOutputs(new Set([...looked, ...this.#growing.keys()]), nowMs);
    if (isForAll) {
      this.#lookedAtAllMs = nowMs;
      await this.#adoptLate();
    }
    if (isForAll || all.length - running.length > this.#deps.limits.endedMax) await this.#forget();
    if (hasCut) return FLOOD_PASS_MS;
    return running.length > 0 || this.#growing.size > 0 ? PASS_MS : IDLE_PASS_MS;
  }

  async #noticeEnds(running: readonly KnownProcess[]): Promise<void> {
    const watched = running.filter(({ needsLook }) => needsLook);
    // The first that is known lives longest: the keeper.
    const keepers = watched.map(({ tree }) => lifeOf(tree)[0]).filter((each) => each !== undefined);
    const living = await this.#deps.table.livingOf(keepers);
    const quiet = watched.filter(({ tree }) => !living.has(lifeOf(tree)[0]?.pid ?? 0));
    await Promise.all(quiet.map((each) => each.settle()));
  }

  async #cutOutputs(outputs: ReadonlySet<ProcessOutput>, nowMs: number): Promise<boolean> {
    let hasCut = false;
    for (const output of outputs) {
      const size = output.size();
      if (size > (this.#sizes.get(output) ?? 0)) this.#growing.set(output, nowMs);
      this.#sizes.set(output, size);
      if (nowMs - (this.#growing.get(output) ?? nowMs) > IDLE_PASS_MS) this.#growing.delete(output);
      if (await output.cut()) hasCut = true;
    }
    return hasCut;
  }

  async #adoptLate(): Promise<void> {
    for (const id of this.#unclaimed) {
      if (await this.#starts.adopt(id)) this.#unclaimed.delete(id);
    }
  }

  /** What still has living descendants is kept: they write to its files. */
  async #forget(): Promise<void> {
    const { store, table, limits, clock } = this.#deps;
    const ended = [...this.#known.values()].flatMap((each) => {
      const { start, state, stdout, stderr } = each;
      if (state.kind === "running") return [];
      const keptBytes = stdout.keptBytes() + stderr.keptBytes();
      return [{ id: start.id, endedAtMs: state.endedAtMs, keptBytes, each }];
    });
    const chosen = chooseForgotten(ended, {
      countMax: limits.endedMax,
      bytesMax: limits.endedBytesMax,
      endedAfterMs: clock.now().getTime() - limits.endedAgeMsMax,
    });
    const trees = ended.filter(({ id }) => chosen.includes(id)).map(({ each }) => each.tree);
    const living = await livingTrees(table, trees);
    for (const id of chosen.filter((each) => !living.has(each))) {
      const forgotten = this.#known.get(id);
      this.#known.delete(id);
      for (const output of [forgotten?.stdout, forgotten?.stderr]) {
        if (output !== undefined) {
          this.#sizes.delete(output);
          this.#growing.delete(output);
        }
      }
      await store.remove(id);
    }
  }
}
