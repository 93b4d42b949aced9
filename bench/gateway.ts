/**
 * The gateway beside a bare `node:http` proxy and beside no proxy at all, alternating in one run.
 *
 * Measured for each workload: CPU per request of the proxy's process tree (from /proc) under load,
 * and latency with one request at a time. Ratios are between medians of the same run, because
 * absolute figures depend on the machine. A compiler builds the mock upstream and the load driver;
 * both are in `native/`.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { figureOf, figureText, ratioText, tableOf, type Figure } from "./figures.ts";
import { startMeasuredServer } from "./measured-server.ts";
import { treeCpuMs } from "./process-cpu.ts";

const HERE = import.meta.dirname;
const KEY = "sk-central-0123456789abcdef";

type Lane = {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly token: string;
  /** Null: nothing between driver and upstream. */
  readonly pid: number | null;
};

type Workload = {
  readonly name: string;
  readonly model: string;
  readonly bodyBytes: number;
  readonly connections: number;
};

const WORKLOADS: readonly Workload[] = [
  { name: "2 kB, JSON answer", model: "mock-n0", bodyBytes: 2_048, connections: 8 },
  {
    name: "2 kB, stream of 100 chunks",
    model: "mock-n100-b200-p0",
    bodyBytes: 2_048,
    connections: 8,
  },
  { name: "400 kB, JSON answer", model: "mock-n0", bodyBytes: 400_000, connections: 8 },
];

type LoadReport = {
  readonly done: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly rps: number;
  readonly lat: { readonly p50: number; readonly p99: number };
};

type Sample = {
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly rps: number;
};

export async function runGatewayBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log("npm run bench -- gateway [--rounds 5] [--seconds 2]");
    return;
  }
  await using resources = new AsyncDisposableStack();
  const native = buildNative(resources);
  const upstream = startChild(resources, native.mock, ["-p", "0", "-k", KEY]);
  const upstreamPort = await printedPort(upstream);
  const lanes = await startLanes(resources, upstreamPort);
  const samples = await measure(native.load, lanes, {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
  });
  print(lanes, samples);
  save({ command: `npm run bench -- gateway ${args.join(" ")}`, samples: [...samples] });
}

type Native = { readonly mock: string; readonly load: string };

function buildNative(resources: AsyncDisposableStack): Native {
  const dir = mkdtempSync(join(tmpdir(), "atelier-bench-"));
  resources.defer(() => rmSync(dir, { recursive: true }));
  const build = (name: string): string => {
    const out = join(dir, name);
    const made = spawnSync("cc", ["-O2", "-w", "-o", out, join(HERE, `native/${name}.c`), "-lm"]);
    if (made.status !== 0) {
      throw new Error(
        `The benchmark needs a C compiler (package gcc) for its upstream and driver: ${made.stderr?.toString() ?? "cc was not found"}`,
      );
    }
    return out;
  };
  return { mock: build("mock"), load: build("load") };
}

function startChild(
  resources: AsyncDisposableStack,
  command: string,
  args: readonly string[],
): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  resources.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

async function startLanes(resources: AsyncDisposableStack, upstreamPort: number): Promise<Lane[]> {
  const token = "abcdefghij-0123456789012345678901";
  const script = (file: string, ...rest: string[]) =>
    startChild(resources, process.execPath, [join(HERE, file), ...rest]);
  const bare = script("bare-proxy.ts", String(upstreamPort));
  const relay = script("gateway-process.ts", String(upstreamPort), token, KEY);
  const server = resources.use(
    await startMeasuredServer({ upstreamUrl: `http://127.0.0.1:${upstreamPort}/v1`, key: KEY }),
  );
  const gatewayPath = "/api/v2/ai-gateway/mock/v1/chat/completions";
  return [
    { name: "direct", port: upstreamPort, path: "/v1/chat/completions", token: KEY, pid: null },
    { name: "bare node proxy", port: await printedPort(bare), path: "/v1/chat/completions", token: KEY, pid: bare.pid ?? 0 },
    { name: "Atelier L0 (auth, relay)", port: await printedPort(relay), path: gatewayPath, token, pid: relay.pid ?? 0 },
    { name: "Atelier L1 (all, strict recording)", port: server.port, path: gatewayPath, token: server.token, pid: server.pid },
  ];
} // prettier-ignore

async function printedPort(child: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = /^port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) {
      child.stdout!.resume();
      return Number(port);
    }
  }
  throw new Error("a benchmark process ended before it listened");
}

type Samples = ReadonlyMap<string, readonly Sample[]>;

async function measure(
  load: string,
  lanes: readonly Lane[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Samples> {
  const samples = new Map<string, Sample[]>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const workload of WORKLOADS) {
      // Alternating, so that a noisy moment hits all lanes alike.
      for (const lane of round % 2 === 0 ? lanes.toReversed() : lanes) {
        const sample = await measureOnce(load, lane, workload, seconds);
        const key = `${workload.name}\n${lane.name}`;
        samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
    console.error(`round ${round} of ${rounds} done`);
  }
  return samples;
}

async function measureOnce(
  load: string,
  lane: Lane,
  workload: Workload,
  seconds: number,
): Promise<Sample> {
  const beforeMs = lane.pid === null ? 0 : treeCpuMs(lane.pid);
  // No warm-up inside: all requests count, and so does all CPU. Earlier rounds have warmed the code.
  const busy = await runLoad(load, lane, { ...workload, seconds });
  const usedMs = lane.pid === null ? 0 : treeCpuMs(lane.pid) - beforeMs;
  const alone = await runLoad(load, lane, { ...workload, connections: 1, seconds: seconds / 2 });
  return {
    cpuUs: (usedMs * 1_000) / busy.done,
    rps: busy.rps,
    p50Us: alone.lat.p50,
    p99Us: alone.lat.p99,
  };
}

async function runLoad(
  load: string,
  lane: Lane,
  { model, bodyBytes, connections, seconds }: Omit<Workload, "name"> & { readonly seconds: number },
): Promise<LoadReport> {
  const child = spawn(
    load,
    `-p ${lane.port} -P ${lane.path} -k ${lane.token} -M ${model} -c ${connections} -d ${seconds} -w 0 -B ${bodyBytes}`.split(
      " ",
    ),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  await once(child, "close");
  const report = JSON.parse(text) as LoadReport; // Our own driver's line.
  if (report.errors > 0 || report.non2xx > 0 || report.done === 0) {
    throw new Error(`${lane.name} did not serve the load: ${text}`);
  }
  return report;
}

function print(lanes: readonly Lane[], samples: Samples): void {
  for (const workload of WORKLOADS) {
    const figures = (lane: string, pick: (sample: Sample) => number): Figure =>
      figureOf((samples.get(`${workload.name}\n${lane}`) ?? []).map(pick));
    const bareCpu = figures("bare node proxy", (s) => s.cpuUs);
    const direct = figures("direct", (s) => s.p50Us);
    const rows = lanes.map(({ name, pid }) => {
      const cpu = figures(name, (s) => s.cpuUs);
      const p50 = figures(name, (s) => s.p50Us);
      return [
        name,
        pid === null ? "–" : figureText(cpu),
        pid === null ? "–" : ratioText(cpu, bareCpu),
        figureText(figures(name, (s) => s.rps)),
        (p50.median - direct.median).toFixed(0),
        (figures(name, (s) => s.p99Us).median - figures("direct", (s) => s.p99Us).median).toFixed(
          0,
        ),
      ];
    });
    console.log(`\n${workload.name}\n`);
    const head = [
      "",
      "CPU µs/request",
      "× bare",
      "requests/s at c=8",
      "added p50 µs at c=1",
      "added p99 µs at c=1",
    ];
    console.log(tableOf(head, rows));
  }
}

function save(report: object): void {
  const dir = join(HERE, "results");
  mkdirSync(dir, { recursive: true });
  const file = join(dir, "gateway.json");
  writeFileSync(file, JSON.stringify(report, null, 2));
  console.log(`\nRaw figures: ${file}`);
}
