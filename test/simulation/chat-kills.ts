/**
 * `npm run simulate -- chat-kills [--runs N] [--seed N] [--lanes N]`: chats at work, struck at each moment of a turn
 * in each way. Prints a table, and fails where a message, a word that somebody saw or an effect was lost or came
 * twice, or a chat does not come to rest.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { startPostgresServer, TEST_POSTGRES_VARIABLE } from "@atelier/testkit/postgres-server";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { KillsChat, MOMENTS, type ScenarioName } from "./chat-kills-chat.ts";
import { judge } from "./chat-kills-judge.ts";
import { CHAT_STRIKES, ChatKillsWorld, type ChatStrike } from "./chat-kills-world.ts";

export type Cell = {
  readonly scenario: ScenarioName;
  readonly moment: string;
  readonly strike: ChatStrike;
  /** Soon after, to whoever has the chat by then. */
  readonly again: { readonly strike: ChatStrike; readonly afterMs: number } | null;
};

export type RunEnd = {
  readonly cell: Cell;
  /** False: the moment did not come, as when another strike was quicker. */
  readonly isStruck: boolean;
  /** From the strike to the rest of all chats. */
  readonly restMs: number;
  readonly chats: number;
  readonly effects: number;
  readonly effectsUnknown: number;
  readonly wordsSeen: number;
  readonly violations: readonly string[];
};

const RUNS_DEFAULT = 400;
const LANES_DEFAULT = 2;
const SEED_MAX = 2 ** 31;
/** After the moment was seen: what comes right after it is struck as well. */
const DELAY_MS_MAX = 60;
/** One strike in so many is followed by another. */
const AGAIN_ONCE_IN = 4;
const AGAIN_MS_MAX = 4_000;
const BYSTANDER_MS_MAX = 1_500;

export const CELLS: readonly Cell[] = Object.entries(MOMENTS).flatMap(([scenario, moments]) =>
  Object.keys(moments).flatMap((moment) =>
    CHAT_STRIKES.map((strike) => ({
      ...{ scenario: scenario as ScenarioName, moment, strike },
      again: null,
    })),
  ),
);

export async function runChatKills(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ runs: { type: "string" }, seed: { type: "string" }, lanes: { type: "string" } },
      only: { type: "string" },
    },
  });
  const seed = Number(values.seed ?? randomInt(SEED_MAX));
  const runs = Number(values.runs ?? RUNS_DEFAULT);
  const lanes = Number(values.lanes ?? LANES_DEFAULT);
  const startedMs = performance.now();
  const seconds = (): string => ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(`seed ${seed}`);
  // What is killed is started again many times: its code is compiled once.
  const codeCache = mkdtempSync(join(tmpdir(), "atelier-code-"));
  process.env["NODE_COMPILE_CACHE"] = codeCache;
  await using postgres = await startPostgresServer();
  const { [Symbol.asyncDispose]: _, ...connection } = postgres;
  process.env[TEST_POSTGRES_VARIABLE] = JSON.stringify(connection);
  const cells = drawCells(seed, runs, values.only ?? "");
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  let done = 0;
  const onEnd = ({ cell, restMs, violations, isStruck }: RunEnd): void => {
    done += 1;
    const what = `${cell.scenario}, ${cell.moment}: ${cell.strike}${cell.again === null ? "" : `, then ${cell.again.strike}`}`;
    console.log(
      `${done} ${what}${isStruck ? "" : " (missed)"} ${restMs.toFixed(0)} ms (${seconds()} s)`,
    );
    for (const each of violations) console.log(`VIOLATED ${each}`);
  };
  const ends = await Promise.all(
    Array.from({ length: lanes }, async (_unused, lane) => {
      await using database = await testDatabase();
      const own = cells.filter((_cell, i) => i % lanes === lane);
      const { signal } = interrupt;
      return await simulateChatKills(database, { cells: own, seed: seed + lane, onEnd, signal });
    }),
  );
  console.log(chatKillsTable(ends.flat(), `seed ${seed}, ${seconds()} s, ${lanes} lanes`));
  rmSync(codeCache, { recursive: true, force: true });
  return ends.flat().some(({ violations }) => violations.length > 0) ? 1 : 0;
}

/** Every cell before any comes again. `only`: a part of the name of a moment or a strike. */
function drawCells(seed: number, runs: number, only: string): readonly Cell[] {
  const draws = new SeededDraws(seed);
  const wanted = CELLS.filter(({ moment, strike }) => `${moment}: ${strike}`.includes(only));
  if (wanted.length === 0) throw new Error("no moment and no strike has such a name");
  const cells: Cell[] = [];
  let bag: Cell[] = [];
  while (cells.length < runs) {
    if (bag.length === 0) bag = [...wanted];
    const [cell] = bag.splice(draws.below(bag.length), 1);
    if (cell === undefined) continue; // The bag is not empty.
    const again = { strike: draws.pick(CHAT_STRIKES), afterMs: draws.below(AGAIN_MS_MAX) };
    cells.push(draws.once(AGAIN_ONCE_IN) ? { ...cell, again } : cell);
  }
  return cells;
}

export type ChatKillsOptions = {
  readonly cells: readonly Cell[];
  readonly seed: number;
  readonly onEnd: (end: RunEnd) => void;
  /** Ends it early, with what was found until then. */
  readonly signal: AbortSignal;
};

/** The database is migrated, and empty. */
export async function simulateChatKills(
  database: TestDatabase,
  { cells, seed, onEnd, signal }: ChatKillsOptions,
): Promise<readonly RunEnd[]> {
  await using resources = new AsyncDisposableStack();
  const world = await ChatKillsWorld.start(database, resources);
  const draws = new SeededDraws(seed);
  const ends: RunEnd[] = [];
  for (const [index, cell] of cells.entries()) {
    if (signal.aborted) break;
    const end = await runCell(world, cell, `s${seed}r${index}`, draws);
    ends.push(end);
    onEnd(end);
  }
  return ends;
}

async function runCell(
  world: ChatKillsWorld,
  cell: Cell,
  key: string,
  draws: SeededDraws,
): Promise<RunEnd> {
  const none = { chats: 0, effects: 0, effectsUnknown: 0, wordsSeen: 0 };
  let restMs = 0;
  let isStruck = false;
  try {
    const bystanderMs = draws.below(BYSTANDER_MS_MAX);
    const delayMs = draws.once(2) ? 0 : draws.below(DELAY_MS_MAX);
    const others = Object.keys(MOMENTS) as ScenarioName[];
    const bystander = withChat(world, `${key}y`, draws.pick(others), bystanderMs);
    const aimed = await KillsChat.create(world, `${key}z`, cell.scenario);
    const rested = new AbortController();
    const struck = strikeAt(world, aimed, cell, { delayMs, signal: rested.signal, draws });
    struck.catch(() => {}); // It is thrown where it is awaited.
    await holdChat(aimed).finally(() => rested.abort());
    const struckMs = await struck;
    isStruck = struckMs !== null;
    const chats = [aimed, await bystander];
    restMs = performance.now() - (struckMs ?? performance.now());
    const judgements = await Promise.all(chats.map((chat) => judge(world, chat)));
    for (const chat of chats) chat[Symbol.dispose]();
    const sum = (pick: "effects" | "effectsUnknown" | "wordsSeen"): number =>
      judgements.reduce((total, each) => total + each[pick], 0);
    const [effects, effectsUnknown, wordsSeen] = [
      sum("effects"),
      sum("effectsUnknown"),
      sum("wordsSeen"),
    ];
    const violations = judgements.flatMap((each) => each.violations);
    return {
      cell,
      isStruck,
      restMs,
      chats: chats.length,
      effects,
      effectsUnknown,
      wordsSeen,
      violations,
    };
  } catch (error) {
    const violations = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    return { cell, isStruck, restMs, ...none, violations };
  } finally {
    await world.recovered();
  }
}

async function withChat(
  world: ChatKillsWorld,
  key: string,
  scenario: ScenarioName,
  afterMs: number,
): Promise<KillsChat> {
  await sleep(afterMs);
  const chat = await KillsChat.create(world, key, scenario);
  await holdChat(chat);
  return chat;
}

/** It is asked all its scenario asks, rests, answers once more, and rests. */
async function holdChat(chat: KillsChat): Promise<void> {
  await chat.perform();
  await chat.rest();
  await chat.send("z", "talk");
  await chat.rest();
}

/** When it was struck; null: the moment did not come. */
async function strikeAt(
  world: ChatKillsWorld,
  chat: KillsChat,
  { moment, strike, again }: Cell,
  {
    delayMs,
    signal,
    draws,
  }: { readonly delayMs: number; readonly signal: AbortSignal; readonly draws: SeededDraws },
): Promise<number | null> {
  const isNow = MOMENTS[chat.scenario][moment] ?? (() => true);
  try {
    await chat.until(moment, isNow, signal);
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
  await sleep(delayMs);
  const struckMs = performance.now();
  const draw = (limit: number): number => draws.below(limit);
  await world.strike(strike, chat.id, draw);
  if (again !== null) {
    await sleep(again.afterMs);
    await world.strike(again.strike, chat.id, draw);
  }
  return struckMs;
}

export function chatKillsTable(ends: readonly RunEnd[], title: string): string {
  const sum = (of: readonly RunEnd[], pick: (end: RunEnd) => number): number =>
    of.reduce((total, end) => total + pick(end), 0);
  const rows = CHAT_STRIKES.map((strike) => {
    const own = ends.filter((end) => end.cell.strike === strike && end.isStruck);
    const sorted = own.map(({ restMs }) => restMs).toSorted((a, b) => a - b);
    const at = (share: number): string =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "-";
    const moments = new Set(own.map(({ cell }) => cell.moment)).size;
    const violations = sum(own, (end) => end.violations.length);
    return `| ${strike} | ${own.length} | ${moments} | ${at(0.5)} | ${at(0.95)} | ${at(1)} | ${violations} |`;
  });
  const missed = ends.filter(({ isStruck }) => !isStruck).length;
  const violated = ends.filter(({ violations }) => violations.length > 0);
  return [
    `${title}: ${ends.length} runs (${missed} missed their moment), ${sum(ends, (end) => end.chats)} chats, ${sum(ends, (end) => end.wordsSeen)} words seen live, ${sum(ends, (end) => end.effects)} effects, ${sum(ends, (end) => end.effectsUnknown)} told to be unknown, ${sum(ends, (end) => end.violations.length)} violations in ${violated.length} runs`,
    "",
    "| struck | runs | moments | p50 ms to rest | p95 ms | most ms | violations |",
    "| --- | --: | --: | --: | --: | --: | --: |",
    ...rows,
  ].join("\n");
}
