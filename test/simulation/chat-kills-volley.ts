/**
 * One strike: several chats are made, each is held at a moment of its own, and when all are there, or some
 * for long enough, what they hang on is struck. Then each must do all it was asked, and rest.
 *
 * Some moments can be held for long, and wait for the others; those that cannot come last.
 */
import type { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { setTimeout as sleep } from "node:timers/promises";
import { Aim } from "./chat-kills-aim.ts";
import { KillsChat } from "./chat-kills-chat.ts";
import { judge, type Judgement } from "./chat-kills-judge.ts";
import { isPatient, MOMENTS, type Moment, type ScenarioName } from "./chat-kills-moments.ts";
import type { Side } from "./chat-kills-side.ts";
import type { ChatKillsWorld, ChatStrike, Struck } from "./chat-kills-world.ts";

/** A chat at a moment of its scenario. */
export type Cell = { readonly scenario: ScenarioName; readonly moment: string };

export type Volley = {
  readonly strike: ChatStrike;
  readonly cells: readonly Cell[];
  /** It is aimed at at no moment. */
  readonly bystander: ScenarioName | null;
  /** Soon after, to whoever has one of the chats by then. */
  readonly again: { readonly strike: ChatStrike; readonly afterMs: number } | null;
};

export type VolleyEnd = {
  readonly volley: Volley;
  /** Those that were at their moments, and hung on what was struck. */
  readonly struck: readonly Cell[];
  /** From the strike until all of them rest. */
  readonly restMs: number;
  readonly chats: number;
  readonly effects: number;
  readonly effectsUnknown: number;
  readonly wordsSeen: number;
  readonly violations: readonly string[];
};

/** After a moment was seen: what comes right after it is struck as well. */
const DELAY_MS_MAX = 60;
/** For the first at its moment. */
const WAIT_FIRST_MS_MAX = 90_000;
/** For the other patient ones, and then for the impatient: servers give a silent database up after 45 s. */
const WAIT_PATIENT_MS_MAX = 18_000;
const WAIT_LAST_MS_MAX = 20_000;
/** For others once the first that cannot be held for long is there: transactions may hang for 8 s. */
const WAIT_IMPATIENT_MS_MAX = 4_000;
/** Who stops a command waits for two seconds until it is heard of. */
const WAIT_STOP_MS_MAX = 1_000;
const LABEL_MS_MAX = 3_000;
const NEVER: Moment = { kind: "seen", isNow: () => false };
const LETTERS = "ABCDEFGHIJKLM";

type Shot = {
  readonly cell: Cell;
  readonly aim: Aim<Side>;
  readonly chat: Promise<KillsChat>;
  /** When it rests; then its moment comes no more. */
  readonly restedMs: Promise<number>;
  readonly signal: AbortSignal;
};

export async function runVolley(
  world: ChatKillsWorld,
  volley: Volley,
  { key, draws }: { readonly key: string; readonly draws: SeededDraws },
): Promise<VolleyEnd> {
  const { bystander } = volley;
  world.comesLate(await lateSide(world, volley, draws));
  const shots: Shot[] = [];
  const ready = new Map<Shot, Side | null>();
  const shootAll = (isWanted: (cell: Cell) => boolean): readonly Shot[] => {
    const cells = volley.cells.flatMap((cell, index) =>
      isWanted(cell) ? [{ cell, letter: LETTERS[index] }] : [],
    );
    const shot = cells.map(({ cell, letter }) => shoot(world, cell, `${key}${letter}`));
    shots.push(...shot);
    return shot;
  };
  const patient = shootAll(isPatient);
  await waitFor(patient, ready, WAIT_FIRST_MS_MAX, () => WAIT_PATIENT_MS_MAX);
  const impatient = shootAll((cell) => !isPatient(cell));
  if (bystander !== null) shots.push(shoot(world, { scenario: bystander, moment: "" }, `${key}Y`));
  const lastMs = ready.size > 0 ? WAIT_LAST_MS_MAX : WAIT_FIRST_MS_MAX;
  await waitFor(impatient, ready, lastMs, ({ aim: { moment }, cell }) => {
    if (cell.moment.startsWith("stop of")) return WAIT_STOP_MS_MAX;
    if (moment.kind !== "seen") return WAIT_IMPATIENT_MS_MAX;
    return draws.once(2) ? 0 : draws.below(DELAY_MS_MAX);
  });
  world.comesLate(null);
  const { struck, atMs } = await strikeTogether(world, volley, { shots, ready, draws });
  const rested = await Promise.allSettled(shots.map(({ restedMs }) => restedMs));
  // What was paused goes on, and may still do harm.
  await world.recovered();
  const judged = await Promise.all(
    shots.map((shot, index) => judgementOf(world, shot, rested[index])),
  );
  world.aimAt([]);
  const timesMs = rested.flatMap((end, index) =>
    end.status === "fulfilled" && isIn(struck, shots[index]) ? [end.value] : [],
  );
  const sum = (pick: "effects" | "effectsUnknown" | "wordsSeen"): number =>
    judged.reduce((total, each) => total + each[pick], 0);
  return {
    ...{ volley, struck, chats: shots.length },
    restMs: Math.max(0, ...timesMs) - (timesMs.length === 0 ? 0 : atMs),
    ...{ effects: sum("effects"), effectsUnknown: sum("effectsUnknown") },
    wordsSeen: sum("wordsSeen"),
    violations: judged.flatMap(({ violations }) => violations),
  };
}

/** Chats go to the other one. */
async function lateSide(
  world: ChatKillsWorld,
  { cells }: Volley,
  draws: SeededDraws,
): Promise<Side> {
  const drawn = world.anySide(draws.below(2));
  if (!cells.some(({ scenario }) => scenario === "elsewhere")) return drawn;
  // They know the way from before.
  world.cutRelays();
  return (await world.sideOfAgent()) ?? drawn;
}

function isIn(cells: readonly Cell[], shot: Shot | undefined): boolean {
  return shot !== undefined && cells.includes(shot.cell);
}

/** Makes a chat, asks of it what its scenario asks, lets it rest, answer once more, and rest. */
function shoot(world: ChatKillsWorld, cell: Cell, key: string): Shot {
  const aim = new Aim<Side>(MOMENTS[cell.scenario][cell.moment] ?? NEVER, key);
  world.aimAt([...world.aims, aim]);
  const over = new AbortController();
  const chat = KillsChat.create(world, key, cell.scenario);
  const hold = async (): Promise<number> => {
    const made = await chat;
    await made.perform();
    await made.rest();
    // It is made when the chat has rested, and not where it goes on before.
    if (cell.moment.startsWith("label")) await Promise.race([aim.hit, sleep(LABEL_MS_MAX)]);
    await made.send("z", "talk");
    await made.rest();
    return performance.now();
  };
  const restedMs = hold().finally(() => over.abort());
  restedMs.catch(() => {}); // It is thrown where it is awaited.
  return { cell, aim, chat, restedMs, signal: over.signal };
}

async function judgementOf(
  world: ChatKillsWorld,
  { chat, cell }: Shot,
  rested: PromiseSettledResult<number> | undefined,
): Promise<Judgement> {
  if (rested?.status === "fulfilled") {
    const made = await chat;
    const judgement = await judge(world, made);
    made[Symbol.dispose]();
    return judgement;
  }
  // Its viewers would come back for ever.
  chat.then(
    (made) => made[Symbol.dispose](),
    () => {},
  );
  const error: unknown = rested?.reason;
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const violations = [`${cell.scenario}, ${cell.moment}: ${told}`];
  return { violations, effects: 0, effectsUnknown: 0, wordsSeen: 0 };
}

type Aiming = {
  readonly shots: readonly Shot[];
  /** With whose wire the moment came on, where that is known. */
  readonly ready: ReadonlyMap<Shot, Side | null>;
  readonly draws: SeededDraws;
};

async function strikeTogether(
  world: ChatKillsWorld,
  { strike, again }: Volley,
  { shots, ready, draws }: Aiming,
): Promise<{ readonly struck: readonly Cell[]; readonly atMs: number }> {
  const chats = await Promise.all(
    [...ready].map(async ([shot, side]) => ({
      shot,
      driver: side ?? (await world.driverOf(shot.aim.chatId ?? (await shot.chat).id)),
    })),
  );
  const drivers = chats.flatMap(({ driver }) => driver ?? []);
  const driver = mostOf(drivers) ?? world.anySide(draws.below(2));
  const draw = (limit: number): number => draws.below(limit);
  const atMs = performance.now();
  const struck = chats.length === 0 ? null : world.strike(strike, driver, draw);
  const own = chats.filter((each) => strike === "agent killed" || each.driver === driver);
  for (const { aim } of shots) {
    const isOwn = struck !== null && own.some(({ shot }) => shot.aim === aim);
    if (isOwn) release(aim, strike, struck);
    else aim.release("pass");
  }
  if (struck === null) return { struck: [], atMs };
  const one = own[draws.below(own.length)];
  if (again !== null && one !== undefined) {
    await sleep(again.afterMs);
    const { chatId } = one.shot.aim;
    const present = (chatId === null ? undefined : await world.driverOf(chatId)) ?? driver;
    world.strike(again.strike, present, draw);
  }
  return { struck: own.map(({ shot }) => shot.cell), atMs };
}

/** Until all of them are at their moments, or past them, or `restMs` after one of them is there. */
async function waitFor(
  shots: readonly Shot[],
  ready: Map<Shot, Side | null>,
  waitMs: number,
  restMs: (shot: Shot) => number,
): Promise<void> {
  if (shots.length === 0) return;
  const enough = new AbortController();
  const fire = Promise.withResolvers<undefined>();
  const within = (delayMs: number): void => {
    // Aborted: nobody waits any more.
    sleep(delayMs, undefined, { signal: enough.signal }).then(fire.resolve, () => {});
  };
  within(waitMs);
  const waits = shots.map(async (shot) => {
    const came = await momentOf(shot);
    if (came === null) return;
    // Also when it comes too late for this wait: it may still be there when it is struck.
    ready.set(shot, came.side);
    if (!enough.signal.aborted) within(restMs(shot));
  });
  Promise.all(waits).then(() => fire.resolve(undefined), fire.reject);
  await fire.promise.finally(() => enough.abort());
}

/** Null: it does not come any more. */
async function momentOf({
  aim,
  cell,
  chat,
  signal,
}: Shot): Promise<{ readonly side: Side | null } | null> {
  const { moment } = aim;
  if (moment === NEVER) return null;
  try {
    if (moment.kind === "seen") {
      await (await chat).until(cell.moment, moment.isNow, signal);
      return { side: null };
    }
    const over = new Promise<"over">((resolve) => {
      signal.addEventListener("abort", () => resolve("over"), { once: true });
    });
    const hit = await Promise.race([aim.hit, over]);
    if (hit === "over") return null;
    if (moment.kind === "carried out" || moment.kind === "carried out elsewhere") {
      await (await chat).until(cell.moment, moment.isNow, signal);
    }
    return { side: hit };
  } catch {
    // It was created by nobody, or did not get on: that is told where it is to rest.
    return null;
  }
}

/** Bytes are lost with whom they came from or went to; from one that is paused they come later. */
function release(aim: Aim<Side>, strike: ChatStrike, struck: Struck): void {
  const { kind } = aim.moment;
  if (!isConcerned(kind, strike)) return aim.release("pass");
  // They were for it, and the driver's own are its successor's to say.
  if (strike === "other server killed") return aim.release("drop");
  struck.releasedAt.then(
    () => aim.release(struck.fate),
    () => aim.release("drop"),
  );
}

/** Whether what is held is on a connection that is struck. */
function isConcerned(kind: Moment["kind"], strike: ChatStrike): boolean {
  switch (kind) {
    case "asked":
    case "answered":
      return strike.startsWith("driver") || strike === "database cut";
    case "dispatched":
    case "carried out":
      return strike === "agent killed";
    case "relayed":
    case "carried out elsewhere":
      return strike !== "agent killed" && strike !== "database cut";
    case "seen":
    case "model":
    case "remote":
    case "remote list":
      return false;
  }
}

function mostOf(sides: readonly Side[]): Side | undefined {
  const count = (side: Side): number => sides.filter((each) => each === side).length;
  return sides.toSorted((one, other) => count(other) - count(one))[0];
}
