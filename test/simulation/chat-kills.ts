/**
 * `npm run simulate -- chat-kills [--runs N] [--seed N] [--lanes N] [--only text]`: chats at work, struck at
 * each moment of a turn in each way, N times each. Prints a table, and fails where a message, a word that
 * somebody saw or an effect was lost or came twice, a chat does not come to rest, or a moment was never
 * struck.
 */
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { comesLate, isPatient, MOMENTS, type ScenarioName } from "./chat-kills-moments.ts";
import { runVolley, type Cell, type Volley, type VolleyEnd } from "./chat-kills-volley.ts";
import { CHAT_STRIKES, ChatKillsWorld, type ChatStrike } from "./chat-kills-world.ts";
import { inLanes, quantileMs } from "./in-lanes.ts";

const RUNS_DEFAULT = 1;
const LANES_DEFAULT = 4;
const WORLDS_MAX = 5;
/** One strike in so many is followed by another. */
const AGAIN_ONCE_IN = 4;
const AGAIN_MS_MAX = 4_000;
/** Chats of one volley. */
const PATIENT_MAX = 6;
const IMPATIENT_MAX = 7;
/** A chat may pass its moment by, or be driven by the server that was not struck. */
const TRIES_MAX = 12;

const SCENARIOS = Object.keys(MOMENTS) as readonly ScenarioName[];
const CELLS: readonly Cell[] = SCENARIOS.flatMap((scenario) =>
  Object.keys(MOMENTS[scenario]).map((moment) => ({ scenario, moment })),
);

export async function runChatKills(argv: readonly string[]): Promise<number> {
  const all: VolleyEnd[] = [];
  let broken = 0;
  let pool: CellPool | null = null;
  const defaults = { runs: RUNS_DEFAULT, lanes: LANES_DEFAULT };
  const { options } = await inLanes(argv, defaults, async (lane, { index, database }) => {
    const { seed, runs, only, signal, seconds } = lane;
    const own = (pool ??= new CellPool(new SeededDraws(seed), { times: runs, only }));
    const onEnd = (end: VolleyEnd): void => {
      all.push(end);
      own.took(end);
      console.log(`${all.length} ${endText(end)}; ${own.left} left (${seconds()} s)`);
      for (const each of end.violations) console.log(`VIOLATED ${each}`);
    };
    const next = (): Volley | null => (signal.aborted ? null : own.next());
    const onBroken = (error: unknown): void => {
      if (signal.aborted) return; // All of it ends.
      broken += 1;
      console.log(`BROKEN lane ${index} begins anew:`, error);
    };
    await keptUp(onBroken, database, { next, seed: seed + index, onEnd });
  });
  const { seed, lanes, seconds } = options;
  const { neverStruck = [], made = "" } = (pool as CellPool | null) ?? {};
  console.log(chatKillsTable(all, `seed ${seed}, ${seconds()} s, ${lanes} lanes, ${made}`));
  for (const each of neverStruck) console.log(`NEVER STRUCK ${each}`);
  const isSound = all.every(({ violations }) => violations.length === 0);
  return isSound && broken + neverStruck.length === 0 ? 0 : 1;
}

/** A world that breaks is a failure, and another one goes on with what is left. */
async function keptUp(
  onBroken: (error: unknown) => void,
  first: TestDatabase,
  options: ChatKillsOptions,
): Promise<void> {
  for (let world = 0; world < WORLDS_MAX; world += 1) {
    await using other = world === 0 ? null : await testDatabase();
    // Keys of chats tell one world's from another's.
    const seed = options.seed + world * 1_000;
    try {
      await simulateChatKills(other ?? first, { ...options, seed });
      return;
    } catch (error) {
      onBroken(error);
    }
  }
}

export type ChatKillsOptions = {
  /** Null: that is all. */
  readonly next: () => Volley | null;
  readonly seed: number;
  readonly onEnd: (end: VolleyEnd) => void;
};

/** The database is migrated, and empty. */
export async function simulateChatKills(
  database: TestDatabase,
  { next, seed, onEnd }: ChatKillsOptions,
): Promise<readonly VolleyEnd[]> {
  await using resources = new AsyncDisposableStack();
  const world = await ChatKillsWorld.start(database, resources);
  const draws = new SeededDraws(seed);
  const ends: VolleyEnd[] = [];
  for (let volley = next(); volley !== null; volley = next()) {
    const end = await runVolley(world, volley, { key: `s${seed}r${ends.length}`, draws });
    ends.push(end);
    onEnd(end);
  }
  return ends;
}

/** Servers that do not reach each other: where one of them asks the other. */
function isMeant({ scenario }: Cell, strike: ChatStrike): boolean {
  return strike !== "servers parted" || scenario === "elsewhere";
}

type Wanted = { readonly cell: Cell; readonly strike: ChatStrike; times: number; tries: number };

/** All pairs of a moment and a strike that are still to be made. */
class CellPool {
  readonly #wanted: readonly Wanted[];
  readonly #draws: SeededDraws;

  /** `only`: parts of names of scenarios, moments or strikes, with `|` between them. */
  constructor(
    draws: SeededDraws,
    { times, only }: { readonly times: number; readonly only: string },
  ) {
    this.#draws = draws;
    this.#wanted = CELLS.flatMap((cell) =>
      CHAT_STRIKES.filter((strike) => isMeant(cell, strike)).map((strike) => ({
        cell,
        strike,
        times,
        tries: TRIES_MAX * times,
      })),
    ).filter(({ cell, strike }) => {
      const name = `${cell.scenario}, ${cell.moment}: ${strike}`;
      return only.split("|").some((part) => name.includes(part));
    });
    if (this.#wanted.length === 0) throw new Error("no moment and no strike has such a name");
  }

  get left(): number {
    return this.#wanted.reduce((total, { times }) => total + Math.max(0, times), 0);
  }

  /** In words. */
  get made(): string {
    const all = this.#wanted.length;
    return `${this.#wanted.filter(({ times }) => times <= 0).length} of ${all} pairs made`;
  }

  get neverStruck(): readonly string[] {
    return this.#wanted
      .filter(({ times, tries }) => times > 0 && tries <= 0)
      .map(({ cell, strike }) => `${cell.scenario}, ${cell.moment}: ${strike}`);
  }

  next(): Volley | null {
    const draws = this.#draws;
    const open = this.#wanted.filter(({ times, tries }) => times > 0 && tries > 0);
    if (open.length === 0) return null;
    const { strike } = draws.pick(open);
    const chosen = this.#choose(open.filter((each) => each.strike === strike));
    for (const each of chosen) each.tries -= 1;
    const again = { strike: draws.pick(CHAT_STRIKES), afterMs: draws.below(AGAIN_MS_MAX) };
    return {
      ...{ strike, cells: chosen.map(({ cell }) => cell) },
      bystander: chosen.length > 1 ? null : draws.pick(SCENARIOS),
      again: draws.once(AGAIN_ONCE_IN) ? again : null,
    };
  }

  #choose(open: readonly Wanted[]): readonly Wanted[] {
    const some = (of: Wanted[], max: number): readonly Wanted[] => {
      const chosen: Wanted[] = [];
      while (chosen.length < max && of.length > 0) {
        chosen.push(...of.splice(this.#draws.below(of.length), 1));
      }
      return chosen;
    };
    const isRecovery = this.#draws.pick(open).cell.scenario === "recovery";
    const own = open.filter(({ cell }) => (cell.scenario === "recovery") === isRecovery);
    const patient = own.filter(({ cell }) => isPatient(cell));
    const impatient = own.filter(({ cell }) => !isPatient(cell));
    const isLate = impatient.length > 0 && comesLate(this.#draws.pick(impatient).cell);
    const together = impatient.filter(({ cell }) => comesLate(cell) === isLate);
    // Each of these ends its own driver first: one could end what another one is held by.
    if (isRecovery) return some(impatient.length > 0 ? impatient : patient, 1);
    // On the way between servers there is one connection for all: what is held there holds up the others.
    const [elsewhere, rest] = [true, false].map((isElsewhere) =>
      together.filter(({ cell }) => (cell.scenario === "elsewhere") === isElsewhere),
    );
    const relayed = some(elsewhere ?? [], 1);
    return [
      ...some(patient, PATIENT_MAX),
      ...relayed,
      ...some(rest ?? [], IMPATIENT_MAX - relayed.length),
    ];
  }

  took({ volley, struck }: VolleyEnd): void {
    for (const each of this.#wanted) {
      if (each.strike === volley.strike && struck.includes(each.cell)) each.times -= 1;
    }
  }
}

function endText({ volley, struck, restMs }: VolleyEnd): string {
  const { cells, strike, again } = volley;
  const then = again === null ? "" : `, then ${again.strike}`;
  const named = struck.map(({ scenario, moment }) => `${scenario}, ${moment}`).join("; ");
  return `${strike}${then} ${struck.length} of ${cells.length} [${named}] ${restMs.toFixed(0)} ms`;
}

function chatKillsTable(ends: readonly VolleyEnd[], title: string): string {
  const sum = (of: readonly VolleyEnd[], pick: (end: VolleyEnd) => number): number =>
    of.reduce((total, end) => total + pick(end), 0);
  const rows = CHAT_STRIKES.map((strike) => {
    const own = ends.filter(({ volley, struck }) => volley.strike === strike && struck.length > 0);
    const timesMs = own.map(({ restMs }) => restMs);
    const [half, most, longest] = [0.5, 0.95, 1].map((share) => quantileMs(timesMs, share));
    const chats = sum(own, ({ struck }) => struck.length);
    const moments = new Set(own.flatMap(({ struck }) => struck)).size;
    const violations = sum(own, (end) => end.violations.length);
    return `| ${strike} | ${own.length} | ${chats} | ${moments} | ${half} | ${most} | ${longest} | ${violations} |`;
  });
  const violated = ends.filter(({ violations }) => violations.length > 0);
  return [
    `${title}: ${ends.length} strikes, ${sum(ends, (end) => end.chats)} chats, ${sum(ends, (end) => end.wordsSeen)} words seen live, ${sum(ends, (end) => end.effects)} effects, ${sum(ends, (end) => end.effectsUnknown)} told to be unknown, ${sum(ends, (end) => end.violations.length)} violations in ${violated.length} strikes`,
    "",
    "| struck | strikes | chats at their moments | moments | p50 ms to rest | p95 ms | most ms | violations |",
    "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ...rows,
  ].join("\n");
}
