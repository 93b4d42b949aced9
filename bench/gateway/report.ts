/** The tables of a run, as Markdown. */
import { differenceText, figureOf, figureText, ratioText, tableOf } from "../figures.ts";
import { GOALS, judge, limitText } from "./goals.ts";
import { addedTo, figureIn, ratioTo, type Samples } from "./samples.ts";

export type ReportedLane = { readonly id: string; readonly name: string };

export type Report = {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  /** What limits or disturbs the figures, as sentences. */
  readonly caveats: readonly string[];
  /** Program and version, or why it is missing. */
  readonly lanes: readonly (ReportedLane & { readonly version: string })[];
  readonly missing: readonly string[];
  /** Runs that went wrong. */
  readonly failures: readonly string[];
  readonly samples: Samples;
};

type Column = {
  readonly head: string;
  readonly figure: string;
  readonly as: "itself" | "added" | "× bare";
};

type Table = { readonly title: string; readonly columns: readonly Column[] };

const cost = (title: string, name: string, rate = "per second at c=8"): Table => ({
  title,
  columns: [
    { head: "CPU µs", figure: `${name} cpu`, as: "itself" },
    { head: "× bare", figure: `${name} cpu`, as: "× bare" },
    { head: "Postgres CPU µs", figure: `${name} postgres cpu`, as: "itself" },
    { head: rate, figure: `${name} rate`, as: "itself" },
  ],
});

const TABLES: readonly Table[] = [
  cost("2 kB request, JSON answer", "json"),
  cost("2 kB request, stream of 100 chunks sent at once", "stream"),
  cost("100 kB request, JSON answer", "body 100 kB"),
  cost("400 kB request, JSON answer", "body 400 kB"),
  cost("1 MB request, JSON answer", "body 1 MB"),
  cost("4 MB request, JSON answer", "body 4 MB"),
  cost("2 kB requests at an equal rate, JSON answer", "paced json", "per second"),
  {
    title: "Latency added to having nothing in between, µs",
    columns: [
      { head: "p50 at c=1", figure: "latency p50", as: "added" },
      { head: "p99 at c=1", figure: "latency p99", as: "added" },
      { head: "first token p50", figure: "ttft p50", as: "added" },
      { head: "first token p99", figure: "ttft p99", as: "added" },
      { head: "frame p50, 200 streams", figure: "frame p50", as: "added" },
      { head: "frame p99, 200 streams", figure: "frame p99", as: "added" },
    ],
  },
  {
    title: "What one processor carries",
    columns: [
      { head: "requests/s with p99 ≤ 10 ms", figure: "frontier rate", as: "itself" },
      { head: "CPU µs/frame, 200 streams", figure: "frame cpu", as: "itself" },
      { head: "streams at 20 ms", figure: "held 20 ms", as: "itself" },
      { head: "streams at 50 ms", figure: "held 50 ms", as: "itself" },
      { head: "CPU µs/frame at the most, 50 ms", figure: "held 50 ms cpu", as: "itself" },
    ],
  },
  {
    title: "Memory and start",
    columns: [
      { head: "MB after some work", figure: "memory idle", as: "itself" },
      { head: "kB per held stream", figure: "memory per stream", as: "itself" },
      { head: "plateau, lowest MB", figure: "plateau low", as: "itself" },
      { head: "highest MB", figure: "plateau high", as: "itself" },
      { head: "growth, MB/min", figure: "plateau growth", as: "itself" },
      { head: "start to first answer, ms", figure: "start", as: "itself" },
      { head: "with its own database, ms", figure: "start with its database", as: "itself" },
    ],
  },
  cost("Upstream with TLS: 2 kB request, JSON answer", "tls json"),
  cost("Upstream with TLS: stream of 100 chunks sent at once", "tls stream"),
];

export function toMarkdown(report: Report): string {
  return [
    introduction(report),
    ...TABLES.flatMap((table) => tableText(table, report)),
    goalsText(report),
    failuresText(report),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function introduction({ command, date, machine, caveats, lanes, missing }: Report): string {
  const versions = lanes.map(({ name, version }) => `${name}: ${version}`).join(". ");
  return [
    `\`${command}\`, ${date}. ${machine}.`,
    "Medians ± median deviation of rounds in which the lanes take turns. Ratios and differences are " +
      "taken round by round; one that the rounds cannot tell from none is marked *within noise*.",
    `${versions}.`,
    ...(missing.length > 0 ? [`Not measured: ${missing.join("; ")}.`] : []),
    ...caveats,
  ].join("\n\n");
}

/** Nothing where nothing of it was measured. */
function tableText({ title, columns }: Table, { samples, lanes }: Report): string[] {
  const used = columns.filter(({ figure }) => samples.has(figure));
  const rows = lanes
    .map(({ id, name }) => [name, ...used.map((column) => cellText(column, id, samples))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== "–"));
  if (rows.length === 0) return [];
  return [`**${title}**`, tableOf(["", ...used.map(({ head }) => head)], rows)];
}

function cellText({ figure, as }: Column, lane: string, samples: Samples): string {
  if (as === "itself") return figureText(figureIn(samples, lane, figure));
  if (as === "added") {
    return lane === "direct" ? "–" : differenceText(figureOf(addedTo(samples, lane, figure)));
  }
  return lane === "bare" ? "1" : ratioText(figureOf(ratioTo(samples, lane, "bare", figure)));
}

function goalsText({ samples }: Report): string {
  const rows = GOALS.map((goal) => judge(goal, samples))
    .filter(({ verdict }) => verdict !== "not measured")
    .map(({ goal, seen, verdict }) => [goal.text, limitText(goal), figureText(seen), verdict]);
  return rows.length === 0
    ? ""
    : `**Goals**\n\n${tableOf(["", "goal", "measured", "verdict"], rows)}`;
}

function failuresText({ failures }: Report): string {
  return failures.length === 0
    ? ""
    : `**Runs that failed, and are not in the figures**\n\n${failures.map((each) => `- ${each}`).join("\n")}`;
}
