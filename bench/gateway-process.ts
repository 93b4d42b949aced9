/**
 * Lane L0: the gateway alone, with its ports in memory and nothing recorded. With several workers, as
 * many threads share its memory and one port, with limits and breakers on, which is what they share.
 * With a wait, each request waits as for a commit, together with those that came meanwhile: what waiting alone costs.
 * Usage: gateway-process.ts <upstream origin> <caller's token> <upstream key> [<upstream client> [<workers> [<wait ms>]]]
 */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { createGatewayMemory, type GatewayMembership } from "@atelier/gateway/gateway-memory";
import { startGateway } from "@atelier/gateway/start";
import { HttpDrain } from "@atelier/host/http-drain";
import { createMetrics } from "@atelier/host/metrics";
import { processClock } from "@atelier/host/process-clock";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const [upstreamOrigin = "", token = "", key = "", ...options] = process.argv.slice(2);
const [upstreamClient = "auto", workers = "1", waitMs = "0"] = options;
const count = Number(workers);
/** Of a thread among several. */
type Place = { readonly membership: GatewayMembership; readonly port: number };

if (!isMainThread) serve(workerData as Place);
else if (count < 2) serve(null);
else await startThreads();

async function startThreads(): Promise<void> {
  const memory = createGatewayMemory(count);
  let port = 0;
  for (let member = 0; member < count; member += 1) {
    const workerData: Place = { membership: { memory, member }, port };
    const worker = new Worker(import.meta.filename, { workerData, argv: process.argv.slice(2) });
    [port] = (await once(worker, "message")) as [number];
  }
  console.log(`port ${port}`);
}

function serve(place: Place | null): void {
  const limitOr = (max: number): number => (place === null ? 0 : max);
  const caller = { userId: "u", username: "bench", email: "", apiKeyId: "k" };
  const mock = {
    id: "p",
    name: "mock",
    type: "openai" as const,
    baseUrl: `${upstreamOrigin}/v1`,
    keys: [{ id: "k", secret: new Secret(key), hint: "" }],
    enabled: true,
    apiVersion: null,
    bedrock: null,
    keyConcurrencyMax: null,
  };
  const snapshot = { version: 1, providers: new Map([["mock", mock]]) };
  const gateway = startGateway({
    providers: { current: () => snapshot },
    authorizer: {
      authorize: (got) =>
        got === token ? { kind: "authorized", caller } : { kind: "unauthorized" },
      authorizeDelegated: () => ({ kind: "unauthorized" }),
    },
    recorder: {
      start: Number(waitMs) === 0 ? () => Promise.resolve() : waitTogether(Number(waitMs)),
      end: () => {},
      drain: () => Promise.resolve(),
    },
    clock: place === null ? systemClock : processClock,
    random: systemRandom,
    log: silentLogger,
    metrics: createMetrics(),
    peers: null,
    tracer: null,
    config: {
      allowByok: true,
      sendActorHeaders: false,
      upstreamTimeouts: {
        connectMs: 10_000,
        headerMs: 600_000,
        streamHeaderMs: 600_000,
        idleMs: 600_000,
      },
      failover: "keys",
      upstreamClient: upstreamClient as "auto" | "undici" | "raw",
      failoverWithinMs: 0,
      bodyTimeoutMs: 30_000,
      keyAuthFailurePolicy: "cooldown",
      keyWaitMs: 0,
      stripsForeignReasoning: true,
      keyRecheckMs: 0,
      keyQueue: { lengthMax: 100, msMax: 30_000 },
      circuitBreaker:
        place === null
          ? null
          : { failureThreshold: 5, intervalMs: 10_000, openMs: 30_000, probesMax: 3 },
      rateLimit: limitOr(1_000_000),
      maxConcurrency: limitOr(100_000),
      maxConcurrencyPerUser: limitOr(100_000),
      metricsByUser: false,
      sendTraceHeaders: false,
      dumpDir: null,
    },
    ...(place === null ? {} : { membership: place.membership }),
  });
  const server = createServer((req, res) =>
    gateway.handle(req, res, { prefix: "/api/v2/ai-gateway" }),
  );
  gateway.listenOn(server, {
    drain: new HttpDrain(server),
    headBytesMax: 65_536,
    prefixOf: (url) => (url.startsWith("/api/v2/ai-gateway/") ? "/api/v2/ai-gateway" : null),
  });
  server.listen({ port: place?.port ?? 0, host: "127.0.0.1", reusePort: place !== null }, () => {
    const { port } = server.address() as AddressInfo;
    if (parentPort === null) console.log(`port ${port}`);
    else parentPort.postMessage(port);
  });
}

/** Whoever comes first begins a wait, and the others share it. */
function waitTogether(ms: number): () => Promise<void> {
  let waiting: Promise<void> | null = null;
  return () => {
    waiting ??= sleep(ms).then(() => {
      waiting = null;
    });
    return waiting;
  };
}
