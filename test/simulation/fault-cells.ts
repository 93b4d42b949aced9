/**
 * The cells of a fault run: one fault of one key of five, one wire format, blocking or streaming, each
 * against a provider of its own on a real server, and what its clients saw.
 */
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { SeededDraws } from "@atelier/model-wire/seeded-draws";
import {
  setUpFirstUser,
  startRealServer,
  type FirstUser,
  type RealServer,
} from "@atelier/testkit/real-server";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ANSWER_TEXT,
  startFaultUpstream,
  type Fault,
  type FaultUpstream,
  type Wire,
} from "./fault-upstream.ts";

/** Longest wait for an answer to begin, for each attempt. Scaled down, so that a run takes minutes. */
export const ATTEMPT_MS_MAX = 2_000;
/** The server of a fault run: what an operator chooses who wants to survive faults. */
const FAULT_SERVER_ARGS: readonly string[] = [
  ...["--ai-gateway-failover", "faults"],
  ...["--ai-gateway-header-timeout", `${ATTEMPT_MS_MAX}ms`],
  ...["--ai-gateway-stream-header-timeout", `${ATTEMPT_MS_MAX}ms`],
  ...["--ai-gateway-connect-timeout", `${ATTEMPT_MS_MAX}ms`],
  "--ai-gateway-circuit-breaker-enabled",
  // Every failover is a line.
  ...["--log-level", "error"],
];
const KEYS = 5;
/** Then a client has given up: longer than every key may take to fail. */
const CLIENT_MS_MAX = ATTEMPT_MS_MAX * (KEYS + 1);

/** Where the faulty key stands: the first is the one that every request would take. */
export type Place = "first" | "drawn";

export type Cell = Wire & { readonly fault: Fault; readonly place: Place };

export type CellResult = {
  readonly cell: Cell;
  readonly providerName: string;
  /** Which of the keys was faulty, from 1. */
  readonly faultyAt: number;
  readonly requests: number;
  readonly successes: number;
  /** Requests that reached the provider, and handshakes that it broke. */
  readonly attempts: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** What went wrong, of the first failure. Empty: nothing. */
  readonly firstFailure: string;
};

export type FaultWorld = {
  readonly server: RealServer;
  readonly person: FirstUser;
  readonly upstream: FaultUpstream;
};

export type CellLoad = {
  readonly requests: number;
  /** At once. */
  readonly concurrency: number;
  readonly draws: SeededDraws;
};

export const WIRES: readonly Wire[] = (["messages", "chat_completions", "responses"] as const)
  .map((format) => [false, true].map((stream) => ({ format, stream })))
  .flat();

/** A server that trusts the upstream's certificate. Absent database: its own embedded one. */
export async function startFaultWorld(
  resources: AsyncDisposableStack,
  database: { readonly postgresUrl?: string } = {},
): Promise<FaultWorld> {
  const upstream = resources.use(await startFaultUpstream());
  const dir = mkdtempSync(join(tmpdir(), "atelier-faults-"));
  resources.defer(() => rmSync(dir, { recursive: true }));
  const certificate = join(dir, "upstream.pem");
  writeFileSync(certificate, upstream.certificate);
  const env = { NODE_EXTRA_CA_CERTS: certificate };
  const options = { ...database, args: FAULT_SERVER_ARGS, env };
  const server = resources.use(await startRealServer(options));
  return { upstream, server, person: await setUpFirstUser(server) };
}

let cellCount = 0;

export async function runCell(world: FaultWorld, cell: Cell, load: CellLoad): Promise<CellResult> {
  cellCount += 1;
  const name = `cell-${cellCount}`;
  const faultyAt = cell.place === "first" ? 1 : 1 + load.draws.below(KEYS);
  await addProvider(world, name, { ...cell, faultyAt });
  const brokenBefore = world.upstream.brokenHandshakes();
  const latenciesMs: number[] = [];
  let successes = 0;
  let firstFailure = "";
  let begun = 0;
  const agent = new Agent({ keepAlive: true });
  const work = async (): Promise<void> => {
    while (begun < load.requests) {
      begun += 1;
      const startedMs = performance.now();
      const failure = await ask(world, agent, name, cell);
      latenciesMs.push(performance.now() - startedMs);
      if (failure === null) successes += 1;
      else firstFailure ||= failure;
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, work));
  agent.destroy();
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  return {
    cell,
    providerName: name,
    faultyAt,
    requests: load.requests,
    successes,
    attempts: world.upstream.attempts(name) + world.upstream.brokenHandshakes() - brokenBefore,
    p50Ms: percentile(sorted, 50),
    p99Ms: percentile(sorted, 99),
    slowestMs: sorted.at(-1) ?? 0,
    firstFailure,
  };
}

/** Nearest rank. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

async function addProvider(
  { server, person, upstream }: FaultWorld,
  name: string,
  cell: Cell & { readonly faultyAt: number },
): Promise<void> {
  const keys = Array.from({ length: KEYS }, (_, i) => `sk-${name}-key-${i}-0123456789`);
  const faultyKey = keys[cell.faultyAt - 1] ?? "";
  upstream.add({ ...cell, name, faultyKey });
  const isAnthropic = cell.format === "messages";
  const origin = cell.fault === "TLS failure" ? upstream.tlsUrl : upstream.url;
  const made = await server.api("POST", "/api/v2/ai/providers", {
    token: person.session,
    body: {
      name,
      type: isAnthropic ? "anthropic" : "openai",
      base_url: `${origin}/${name}${isAnthropic ? "" : "/v1"}`,
      api_keys: keys,
    },
  });
  if (made.status !== 201) throw new Error(`provider ${name}: ${JSON.stringify(made.body)}`);
}

const PATHS: Readonly<Record<WireFormat, string>> = {
  messages: "v1/messages",
  chat_completions: "v1/chat/completions",
  responses: "v1/responses",
};
/** Streams send the answer in words. */
const LAST_WORD = ANSWER_TEXT.split(" ").at(-1) ?? "";
/** How a whole stream ends. */
const LAST_EVENTS: Readonly<Record<WireFormat, string>> = {
  messages: "event: message_stop",
  chat_completions: "data: [DONE]",
  responses: "event: response.completed",
};

/** Null: a whole answer. Else what came instead. */
async function ask(
  { server, person }: FaultWorld,
  agent: Agent,
  name: string,
  { format, stream }: Wire,
): Promise<string | null> {
  const messages = [{ role: "user", content: "hi" }];
  const said = format === "responses" ? { input: "hi" } : { messages, max_tokens: 99 };
  const { status, text } = await send(server, agent, {
    path: `/api/v2/ai-gateway/${name}/${PATHS[format]}`,
    token: person.token,
    body: JSON.stringify({ model: "m", stream, ...said }),
  });
  const isWhole = stream
    ? text.includes(LAST_EVENTS[format]) && text.includes(LAST_WORD)
    : text.includes(ANSWER_TEXT);
  const isError = text.includes(`"error":{`) || text.includes("event: error");
  return status === 200 && isWhole && !isError ? null : `${status} ${text.slice(0, 200)}`;
}

type Asked = { readonly path: string; readonly token: string; readonly body: string };

function send(
  { port }: RealServer,
  agent: Agent,
  { path, token, body }: Asked,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve({ status: 0, text: String(error) });
    const req = request(
      {
        ...{ host: "127.0.0.1", port, path, agent, method: "POST" },
        signal: AbortSignal.timeout(CLIENT_MS_MAX),
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      },
      (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        res.on("error", fail);
        res.on("end", () => resolve({ status: res.statusCode ?? 0, text }));
      },
    );
    req.on("error", fail);
    req.end(body);
  });
}
