/** The real server with everything on, a token and a provider, for the benchmarks to load. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgresServer } from "@atelier/testkit/postgres-server";
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";

export type MeasuredServer = AsyncDisposable & {
  readonly port: number;
  readonly pid: number;
  readonly token: string;
};

export type MeasuredServerOptions = {
  readonly upstreamUrl: string;
  readonly key: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Beside those that switch everything on. */
  readonly args?: readonly string[];
};

/** Limits and breakers work for every request, and stop none. */
const EVERYTHING_ON = [
  // One in twenty clients leaves in some runs, and each would be a line.
  "--log-level=error",
  "--ai-gateway-circuit-breaker-enabled=true",
  "--ai-gateway-rate-limit=1000000",
  "--ai-gateway-max-concurrency=100000",
  "--ai-gateway-max-concurrency-per-user=100000",
];

/** With a database of its own, which is on disk and safe. */
export async function startMeasuredServer(options: MeasuredServerOptions): Promise<MeasuredServer> {
  const server = await startServer(options);
  try {
    return toMeasured(server, await setUp(server, options));
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

export type ServerRestart = AsyncDisposable & { start(): Promise<MeasuredServer> };

/** Sets a server up and ends it, so that it can be started again on the same data. */
export async function prepareServerRestart(
  options: MeasuredServerOptions,
  way: "running database" | "own database",
): Promise<ServerRestart> {
  await using started = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "atelier-bench-"));
  started.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  let place: Place = { dataDir };
  if (way === "running database") {
    const { host, port, user, database } = started.use(await startPostgresServer());
    const query = new URLSearchParams({ host, port: String(port), user });
    place = { dataDir, postgresUrl: `postgres:///${database}?${query.toString()}` };
  }
  const first = await startServer(options, place);
  let token = "";
  try {
    token = await setUp(first, options);
  } finally {
    await first[Symbol.asyncDispose]();
  }
  const resources = started.move();
  return {
    start: async () => toMeasured(await startServer(options, place), token),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Place = { readonly dataDir?: string; readonly postgresUrl?: string };

function startServer(
  { env = {}, args = [] }: MeasuredServerOptions,
  place: Place = {},
): Promise<RealServer> {
  return startRealServer({ args: [...EVERYTHING_ON, ...args], env, ...place });
}

/** Answers the token to call models with. */
async function setUp(server: RealServer, options: MeasuredServerOptions): Promise<string> {
  const { session, token } = await setUpFirstUser(server);
  const created = await server.api("POST", "/api/v2/ai/providers", {
    token: session,
    body: {
      type: "openai",
      name: "mock",
      base_url: options.upstreamUrl,
      // Two, so that there is something to choose.
      api_keys: [options.key, `${options.key}-2`],
    },
  });
  if (created.status !== 201) throw new Error(`provider: ${JSON.stringify(created.body)}`);
  return token;
}

function toMeasured(server: RealServer, token: string): MeasuredServer {
  return {
    port: server.port,
    pid: server.child.pid ?? 0,
    token,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
