/**
 * Builds and runs the load driver and the mock upstream: the C programs in `bench/native` where
 * there is a compiler, else their slower twins on Node.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pinned } from "./child-processes.ts";

/** Whom to ask, and as whom. */
export type Target = {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  /** `name: value`, beside the usual ones. */
  readonly headers: readonly string[];
};

export type Load = {
  readonly model: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly seconds: number;
  /** Before anything is recorded. */
  readonly warmSeconds?: number;
  /** Requests per second, however long answers take. Absent: each connection asks when it can. */
  readonly ratePerSecond?: number;
  /** Connections begin one after the other within this time. */
  readonly staggerSeconds?: number;
  /** Ends after so many. */
  readonly requestsMax?: number;
  /** Of requests that are given up by the client. */
  readonly abortPercent?: number;
};

export type Quantiles = {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

/** Times are microseconds. */
export type LoadReport = {
  readonly done: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly aborted: number;
  readonly openAtEnd: number;
  readonly chunks: number;
  readonly ratePerSecond: number;
  readonly latency: Quantiles | null;
  /** To the first byte of the body. */
  readonly firstByte: Quantiles | null;
  /** From the upstream's write to the driver's read. */
  readonly chunkDelay: Quantiles | null;
};

export type LoadTools = {
  readonly mock: readonly string[];
  readonly load: readonly string[];
  /** What limits the figures. Null: nothing does. */
  readonly caveat: string | null;
};

const NATIVE = join(import.meta.dirname, "../native");

export function buildLoadTools(directory: string, mockKey: string): LoadTools {
  mkdirSync(directory, { recursive: true });
  const build = (name: string): string | null => {
    const out = join(directory, name);
    const made = spawnSync("cc", ["-O2", "-w", "-o", out, join(NATIVE, `${name}.c`), "-lm"]);
    return made.status === 0 ? out : null;
  };
  const [mock, load] = [build("mock"), build("load")];
  if (mock !== null && load !== null) {
    return { mock: [mock, "-p", "0", "-k", mockKey], load: [load], caveat: null };
  }
  const script = (name: string): string[] => [process.execPath, join(import.meta.dirname, name)];
  return {
    mock: [...script("mock-upstream.ts"), mockKey],
    load: script("node-load.ts"),
    caveat:
      "No C compiler: driver and upstream run on Node and cost more than what is measured. They " +
      "bound every rate, held stream and latency; only CPU per request is comparable.",
  };
}

export type LoadRunner = {
  readonly command: readonly string[];
  readonly processors: string | null;
  readonly signal: AbortSignal;
};

export async function runLoad(
  { command, processors, signal }: LoadRunner,
  target: Target,
  load: Load,
): Promise<LoadReport> {
  const [file = "", ...args] = pinned([...command, ...loadArguments(target, load)], processors);
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  let [text, complaint] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaint += chunk));
  await once(child, "close");
  if (text === "") throw new Error(`the load driver failed: ${complaint}`);
  return parseReport(text);
}

export function loadArguments(target: Target, load: Load): string[] {
  const flags: [string, number | string | undefined][] = [
    ["-p", target.port],
    ["-P", target.path],
    ["-k", target.token],
    ["-M", load.model],
    ["-c", load.connections],
    ["-d", load.seconds],
    ["-w", load.warmSeconds ?? 0],
    ["-B", load.bodyBytes],
    ["-r", load.ratePerSecond],
    ["-S", load.staggerSeconds],
    ["-N", load.requestsMax],
    ["-K", load.abortPercent],
  ];
  return [
    ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
    ...target.headers.flatMap((header) => ["-H", header]),
  ];
}

type PrintedQuantiles = { n: number; p50: number; p99: number; max: number };

/** The line that both drivers print. */
export function parseReport(text: string): LoadReport {
  // Our own program's line.
  const printed = JSON.parse(text) as Record<string, number> &
    Partial<Record<"lat" | "ttfb" | "chunk_delay", PrintedQuantiles>>;
  const quantiles = (value: PrintedQuantiles | undefined): Quantiles | null =>
    value === undefined ? null : { n: value.n, p50: value.p50, p99: value.p99, max: value.max };
  return {
    done: printed["done"] ?? 0,
    errors: printed["errors"] ?? 0,
    non2xx: printed["non2xx"] ?? 0,
    aborted: printed["aborted"] ?? 0,
    openAtEnd: printed["open_at_end"] ?? 0,
    chunks: printed["markers"] ?? 0,
    ratePerSecond: printed["rps"] ?? 0,
    latency: quantiles(printed.lat),
    firstByte: quantiles(printed.ttfb),
    chunkDelay: quantiles(printed.chunk_delay),
  };
}
