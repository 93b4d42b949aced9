/**
 * The two upstream clients side by side: CPU per exchange of a process that does nothing else, against
 * plain, TLS and HTTP/2 servers. Rounds alternate, so that a noisy moment hits all alike.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { figureOf, figureText, tableOf } from "./figures.ts";
import type { Load } from "./upstream-load.ts";

const LANES = [
  ["undici, plain", "undici", "plain"],
  ["raw, plain", "raw", "plain"],
  ["undici, TLS, HTTP/1.1", "undici", "tls"],
  ["raw, TLS, HTTP/1.1", "raw", "tls"],
  ["undici, TLS, HTTP/2", "undici", "h2"],
] as const;

const WORKLOADS = [
  { name: "2 kB, JSON answer", path: "/json", bodyBytes: 2_048, exchanges: 6_000, connections: 8 },
  { name: "100 events at once", path: "/stream", bodyBytes: 2_048, exchanges: 2_500, connections: 8 },
  { name: "100 events, paced, 100 streams", path: "/paced", bodyBytes: 2_048, exchanges: 300, connections: 100 },
  { name: "400 kB, JSON answer", path: "/json", bodyBytes: 400_000, exchanges: 1_000, connections: 8 },
] as const; // prettier-ignore

type Mock = { plain: number; tls: number; h2: number; ca: string };

export async function runUpstreamBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
    },
  });
  const child = spawn(process.execPath, [join(import.meta.dirname, "upstream-mock.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const mock = await readyLine(child.stdout);
    const samples = new Map<string, number[]>();
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      for (const { name, ...workload } of WORKLOADS) {
        for (const [lane, client, port] of round % 2 === 0 ? LANES.toReversed() : LANES) {
          const scheme = port === "plain" ? "http" : "https";
          const origin = `${scheme}://localhost:${mock[port]}`;
          const cpuUs = await measure({ client, origin, ca: mock.ca, ...workload });
          const key = `${name}\n${lane}`;
          samples.set(key, [...(samples.get(key) ?? []), cpuUs]);
        }
      }
      console.error(`round ${round} of ${values.rounds} done`);
    }
    const rows = LANES.map(([lane]) => [
      lane,
      ...WORKLOADS.map(({ name }) => figureText(figureOf(samples.get(`${name}\n${lane}`) ?? []))),
    ]);
    console.log(tableOf(["CPU µs per exchange", ...WORKLOADS.map(({ name }) => name)], rows));
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

async function readyLine(stdout: NodeJS.ReadableStream): Promise<Mock> {
  for await (const line of createInterface({ input: stdout })) {
    if (line.startsWith("ready ")) return JSON.parse(line.slice(6)) as Mock; // Our own process.
  }
  throw new Error("the mock ended before it listened");
}

async function measure(load: Load): Promise<number> {
  const script = join(import.meta.dirname, "upstream-load.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(load)]);
  return Number(stdout);
}
