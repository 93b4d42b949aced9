/**
 * What a workspace's link costs whoever works through it: keys and their echo, new connections, bytes in
 * bulk; beside bare TCP and two plain relays, taking turns in one run.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { figureOf, figureText, numberText, ratioText, tableOf } from "./figures.ts";
import { describeMachine, findDisturbance } from "./gateway/machine.ts";
import { writeIntoDocument } from "./gateway/performance-page.ts";
import { addSample, figureIn, ratioTo, toPlain, type Samples } from "./gateway/samples.ts";
import { startLinkLanes, type LinkLane } from "./workspace-link/lanes.ts";
import { LINK_MEASUREMENTS, type LinkMeasureOptions } from "./workspace-link/measurements.ts";

const ROOT = join(import.meta.dirname, "..");
const RESULTS = join(import.meta.dirname, "results");
const MB = 1024 * 1024;

const COLUMNS = [
  ...["echo p50", "echo p99", "keystroke p50", "keystroke p99", "dial p50", "dial p99"],
  ...["busy echo p50", "busy echo p99"],
] as const;
const RATES = ["download", "upload", "file read", "file write"] as const;

/** Of the workspace link's own lane. */
const GOALS = [
  { text: "echo of a key, p50 ms", figure: "keystroke p50", limit: 2, isFloor: false },
  { text: "echo of a byte to a port, p50 ms", figure: "echo p50", limit: 2, isFloor: false },
  { text: "new connection to a port, p50 ms", figure: "dial p50", limit: 5, isFloor: false },
  ...RATES.map((figure) => ({ text: `${figure}, Mbit/s`, figure, limit: 300, isFloor: true })),
] as const;

export async function runWorkspaceLinkBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      echoes: { type: "string", default: "400" },
      dials: { type: "string", default: "60" },
      megabytes: { type: "string", default: "64" },
      only: { type: "string", default: "" },
      lanes: { type: "string", default: "bare,relays,one,two" },
      "write-docs": { type: "boolean", default: false },
    },
  });
  const date = new Date().toISOString();
  const disturbance = await findDisturbance();
  await using resources = new AsyncDisposableStack();
  const { lanes, directory, pids } = await startLinkLanes(resources);
  console.error(`running: ${JSON.stringify(pids)}`);
  const options = {
    directory,
    echoes: Number(values.echoes),
    dials: Number(values.dials),
    bulkBytes: Number(values.megabytes) * MB,
  };
  const rounds = Number(values.rounds);
  const chosen = lanes.filter(({ id }) => values.lanes.split(",").includes(id));
  const samples = await takeTurns(chosen, options, { rounds, only: values.only });
  const intro = [
    `\`npm run bench -- workspace-link${args.map((each) => ` ${each}`).join("")}\`, ${date.slice(0, 10)}. ${describeMachine(null)}.`,
    `Medians ± median deviation of ${rounds} rounds in which the lanes take turns.`,
    ...(disturbance === null ? [] : [disturbance]),
  ].join("\n\n");
  const markdown = [intro, ...tables(chosen, samples), goals(samples)].join("\n\n");
  console.log(markdown);
  if (values["write-docs"]) writeIntoDocument(ROOT, markdown, "workspace-link");
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `workspace-link-${date.slice(0, 19).replaceAll(":", "-")}.json`);
  const raw = { args, date, disturbance, samples: toPlain(samples) };
  writeFileSync(file, `${JSON.stringify(raw, null, 2)}\n`);
  console.error(`raw figures in ${file}`);
}

/** Each measurement on all lanes before the next, so that a noisy moment hits all alike. */
async function takeTurns(
  lanes: readonly LinkLane[],
  options: LinkMeasureOptions,
  { rounds, only }: { readonly rounds: number; readonly only: string },
): Promise<Samples> {
  const samples: Samples = new Map();
  const wanted = LINK_MEASUREMENTS.filter(({ title }) => title.includes(only));
  // The first round pays for compiling, and is not kept.
  for (let round = -1; round < rounds; round += 1) {
    for (const { needsWorkspace, run } of wanted) {
      for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) {
        if (needsWorkspace && lane.services === null) continue;
        for (const [figure, value] of Object.entries(await run(lane, options))) {
          if (round >= 0) addSample(samples, { figure, lane: lane.id, round, value });
        }
      }
    }
    console.error(`round ${round + 1} of ${rounds} done`);
  }
  return samples;
}

function tables(lanes: readonly LinkLane[], samples: Samples): readonly string[] {
  const table = (title: string, figures: readonly string[]): readonly string[] => {
    const used = figures.filter((figure) => samples.has(figure));
    const rows = lanes.map(({ id, name }) => [
      name,
      ...used.map((figure) => cell(samples, id, figure)),
    ]);
    return used.length === 0 ? [] : [`**${title}**`, tableOf(["", ...used], rows)];
  };
  return [
    ...table("Milliseconds (of the two relays)", COLUMNS),
    ...table("Mbit/s (of the two relays)", RATES),
  ];
}

function cell(samples: Samples, lane: string, figure: string): string {
  const seen = figureIn(samples, lane, figure);
  if (seen === null) return "–";
  const ratio = figureOf(ratioTo(samples, lane, "relays", figure));
  const isOther = lane === "one" || lane === "two";
  return isOther && ratio !== null
    ? `${figureText(seen)} (${ratioText(ratio)}×)`
    : figureText(seen);
}

function goals(samples: Samples): string {
  const rows = GOALS.flatMap(({ text, figure, limit, isFloor }) => {
    const seen = figureIn(samples, "one", figure);
    if (seen === null) return [];
    const isMet = isFloor ? seen.median >= limit : seen.median <= limit;
    const verdict = isMet ? "met" : "missed";
    return [[text, `${isFloor ? "≥" : "≤"} ${numberText(limit)}`, figureText(seen), verdict]];
  });
  return `**Goals, with one server**\n\n${tableOf(["", "goal", "measured", "verdict"], rows)}`;
}
