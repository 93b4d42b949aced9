/**
 * What chats cost: until the first word, between steps, while they stream, while somebody only looks on,
 * and in lists; beside the same without chats, taking turns in one run.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startChatLane, type ChatLane } from "./chat/chat-lane.ts";
import type { Floor } from "./chat/floor.ts";
import {
  countStatements,
  measureFirstText,
  measureStep,
  type ChatFigures,
} from "./chat/latency.ts";
import { measureRelay } from "./chat/relay.ts";
import { fillChats, measureJournal, measureList } from "./chat/stores.ts";
import {
  chatsPerCore,
  measureBareSockets,
  measureIdleViewers,
  measureStreams,
  measureTakeover,
} from "./chat/streams.ts";
import { warmUntilSteady, type Probe } from "./chat/warm-up.ts";
import { figureOf, figureText, numberText, ratioText, ratios, tableOf } from "./figures.ts";
import { describeMachine, findDisturbance } from "./gateway/machine.ts";
import { writeIntoDocument } from "./gateway/performance-page.ts";
import { addSample, figureIn, toPlain, valuesIn, type Samples } from "./gateway/samples.ts";

const ROOT = join(import.meta.dirname, "..");
const RESULTS = join(import.meta.dirname, "results");
const LANE = "chat";

/** `of`: the same without chats, or a smaller one of its kind. */
const GOALS = [
  { text: "added until the first text, p50 ms", figure: "added first text p50", limit: 5 },
  { text: "added until the first text, p99 ms", figure: "added first text p99", limit: 25 },
  { text: "between two steps, p50 ms", figure: "step p50", limit: 10 },
  { text: "round trips of a step", figure: "round trips", limit: 4 },
  { text: "streaming chats per core", figure: "chats per core", limit: 500, isFloor: true },
  { text: "event loop p99 ms with them", figure: "event loop p99 at the most streams", limit: 25 },
  { text: "kB per watched idle stream", figure: "kB per watched idle stream", limit: 25 },
  { text: "journal, parts/s", figure: "journal parts/s", limit: 20_000, isFloor: true },
  { text: "journal, flush p99 ms", figure: "journal flush p99", limit: 50 },
  { text: "first page of the list, p95 ms", figure: "list first p95", limit: 50 },
  { text: "takeover after a kill, p99 s", figure: "takeover p99", limit: 10 },
] as const;

const RATIOS = [
  ["first text: in a chat, of direct", "chat first text p50", "direct first text p50"],
  ["first text: in a chat, of the floor", "chat first text p50", "floor first text p50"],
  ["deep page, of the first", "list deep p50", "list first p50"],
  ["idle stream, of a bare socket", "kB per watched idle stream", "kB per bare socket"],
] as const;

const USAGE = `npm run bench -- chat [options]

Measures a whole server with recording, a Postgres that syncs, a scripted model, and viewers on WebSockets.

  --only a,b         which of these (default: all)
    first text         added until the first text of an answer
    step               between two steps of a turn
    journal            parts kept for viewers, and how long each waits
    streams            chats that stream at 20 parts/s with two viewers each
    relay              how much later a word is at a viewer of another server
    idle               memory of viewers of whom nothing happens
    list               the first and a deep page of many chats
    count              round trips to the database in a step
    takeover           from a server's end until another drives its chats
  --warm-up N        turns at most that are served before, until they become no faster (default 3000)
  --rounds N         of each (default 5; 3 for streams, relay and takeover)
  --turns N          of the first text, a round (default 40)
  --steps N          of a turn, a round (default 40)
  --streams a,b      how many at once (default 5,10,20)
  --seconds N        of journal and streams (default 5)
  --viewers N        idle ones (default 1000)
  --chats N          in the list (default 100000)
  --write-docs       also puts the tables into docs/performance-chats.md

Tables go to stdout, raw figures to bench/results/.`;

type Options = {
  readonly warmUp: number;
  readonly rounds: number;
  readonly turns: number;
  readonly steps: number;
  readonly streams: readonly number[];
  readonly seconds: number;
  readonly viewers: number;
  readonly chats: number;
};

export async function runChatBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "warm-up": { type: "string", default: "3000" },
      rounds: { type: "string", default: "5" },
      turns: { type: "string", default: "40" },
      steps: { type: "string", default: "40" },
      streams: { type: "string", default: "5,10,20" },
      seconds: { type: "string", default: "5" },
      viewers: { type: "string", default: "1000" },
      chats: { type: "string", default: "100000" },
      only: { type: "string", default: "" },
      "write-docs": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const options: Options = {
    warmUp: Number(values["warm-up"]),
    rounds: Number(values.rounds),
    turns: Number(values.turns),
    steps: Number(values.steps),
    streams: values.streams.split(",").map(Number),
    seconds: Number(values.seconds),
    viewers: Number(values.viewers),
    chats: Number(values.chats),
  };
  const names = values.only === "" ? MEASUREMENTS.map(({ name }) => name) : values.only.split(",");
  const unknown = names.filter((name) => !MEASUREMENTS.some((each) => each.name === name));
  if (unknown.length > 0) {
    console.error(`--only knows no ${unknown.join(", ")}; see --help`);
    process.exitCode = 2;
    return;
  }
  const date = new Date().toISOString();
  const disturbance = await findDisturbance();
  const samples: Samples = new Map();
  const notes: string[] = [];
  await using resources = new AsyncDisposableStack();
  const lane = await startChatLane(resources);
  const wanted = MEASUREMENTS.filter(({ name }) => names.includes(name));
  if (options.warmUp > 0 && wanted.some(({ isOfTurns }) => isOfTurns)) {
    const probes = await warmUntilSteady(lane, options.warmUp);
    const [{ firstText, step }] = probes;
    for (const [figure, value] of [
      ["added first text p50, just started", firstText],
      ["step p50, just started", step],
    ] as const) {
      addSample(samples, { figure, lane: LANE, round: 0, value });
    }
    notes.push(warming(probes));
    console.error(`warm after ${probes.at(-1)?.turns} turns`);
  }
  for (const { name, rounds = options.rounds, prepare, run } of wanted) {
    const prepared = await prepare?.(lane, options);
    // The first round pays for compiling, and is not kept.
    for (let round = rounds === options.rounds ? -1 : 0; round < rounds; round += 1) {
      const figures = await run({ lane, options, notes, prepared });
      if (round < 0) continue;
      for (const [figure, value] of Object.entries(figures)) {
        addSample(samples, { figure, lane: LANE, round, value });
      }
    }
    console.error(`${name} measured`);
  }
  const intro = [
    `\`npm run bench -- chat${args.map((each) => ` ${each}`).join("")}\`, ${date.slice(0, 10)}. ${describeMachine(null)}.`,
    `Medians ± median deviation of ${options.rounds} rounds; of 3 for streams, relay and takeover. Driver, model, viewers, server and Postgres, with sync on, share the processors.`,
    ...(disturbance === null ? [] : [disturbance]),
  ];
  const markdown = [...intro, goals(samples), comparisons(samples), all(samples)].join("\n\n");
  console.log([markdown, ...notes].join("\n\n"));
  if (values["write-docs"]) writeIntoDocument(ROOT, markdown, "chat");
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `chat-${date.slice(0, 19).replaceAll(":", "-")}.json`);
  const raw = { args, date, disturbance, notes, samples: toPlain(samples) };
  writeFileSync(file, `${JSON.stringify(raw, null, 2)}\n`);
  console.error(`raw figures in ${file}`);
}

type Run = {
  readonly lane: ChatLane;
  readonly options: Options;
  readonly notes: string[];
  readonly prepared: unknown;
};

type Measurement = {
  readonly name: string;
  /** What the first turns of a server say nothing about. */
  readonly isOfTurns?: true;
  /** Fewer than the rest have: it takes long, or counts what does not vary. */
  readonly rounds?: number;
  readonly prepare?: (lane: ChatLane, options: Options) => Promise<unknown>;
  readonly run: (run: Run) => Promise<ChatFigures>;
};

const MEASUREMENTS: readonly Measurement[] = [
  {
    name: "first text",
    isOfTurns: true,
    prepare: (lane) => lane.startFloor(),
    run: ({ lane, options, prepared }) =>
      // What `prepare` has just started.
      measureFirstText(lane, options.turns, prepared as Floor),
  },
  { name: "step", isOfTurns: true, run: ({ lane, options }) => measureStep(lane, options.steps) },
  {
    name: "journal",
    run: ({ lane, options }) => measureJournal(lane, { chats: 1_250, seconds: options.seconds }),
  },
  {
    name: "streams",
    isOfTurns: true,
    rounds: 3,
    run: async ({ lane, options }) => {
      const figures: Record<string, number> = {};
      for (const chats of options.streams) {
        const { seconds } = options;
        Object.assign(figures, await measureStreams(lane, { chats, seconds }));
      }
      return { ...figures, ...chatsPerCore(options.streams, figures) };
    },
  },
  {
    name: "relay",
    rounds: 3,
    run: ({ lane, options }) => measureRelay(lane, { chats: 10, seconds: options.seconds }),
  },
  {
    name: "idle",
    run: async ({ lane, options }) => ({
      ...(await measureBareSockets(options.viewers)),
      ...(await measureIdleViewers(lane, options.viewers)),
    }),
  },
  { name: "takeover", rounds: 3, run: ({ lane }) => measureTakeover(lane, 20) },
  {
    name: "list",
    prepare: (lane, { chats }) => fillChats(lane, chats),
    run: ({ lane, prepared }) =>
      // What `prepare` has just made.
      measureList(lane, prepared as Awaited<ReturnType<typeof fillChats>>, 40),
  },
  // The last one: it ends the server.
  {
    name: "count",
    rounds: 1,
    run: async ({ lane, notes }) => {
      const { figures, statements } = await countStatements(lane);
      const rows = statements.map(([text, times]) => [
        `\`${text.replaceAll("|", "\\|")}\``,
        times.toFixed(2),
      ]);
      notes.push(tableOf(["statement", "executions per step"], rows));
      return figures;
    },
  },
];

function goals(samples: Samples): string {
  const rows = GOALS.flatMap((goal) => {
    const seen = figureIn(samples, LANE, goal.figure);
    if (seen === null) return [];
    const isFloor = "isFloor" in goal;
    const isMet = isFloor ? seen.median >= goal.limit : seen.median <= goal.limit;
    const limit = `${isFloor ? "≥" : "≤"} ${numberText(goal.limit)}`;
    return [[goal.text, limit, figureText(seen), isMet ? "met" : "missed"]];
  });
  return `**Goals**\n\n${tableOf(["", "goal", "measured", "verdict"], rows)}`;
}

function comparisons(samples: Samples): string {
  const rows = RATIOS.flatMap(([text, ours, theirs]) => {
    const ratio = figureOf(ratios(valuesIn(samples, LANE, ours), valuesIn(samples, LANE, theirs)));
    return ratio === null ? [] : [[text, `${ratioText(ratio)}×`]];
  });
  return rows.length === 0 ? "" : `**Ratios**\n\n${tableOf(["", "times"], rows)}`;
}

function warming(probes: readonly Probe[]): string {
  const rows = probes.map(({ turns, firstText, step }) => [
    numberText(turns),
    firstText.toFixed(1),
    step.toFixed(1),
  ]);
  return tableOf(["turns served before", "added first text p50, ms", "step p50, ms"], rows);
}

function all(samples: Samples): string {
  const rows = [...samples.keys()].map((figure) => [
    figure,
    figureText(figureIn(samples, LANE, figure)),
  ]);
  return `**All figures** (milliseconds where nothing else is said)\n\n${tableOf(["", "measured"], rows)}`;
}
