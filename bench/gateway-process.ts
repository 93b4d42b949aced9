/**
 * Lane L0: the gateway alone, with its ports in memory and nothing recorded.
 * Usage: gateway-process.ts <upstream origin> <caller's token> <upstream key> [<upstream client>]
 */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startGateway } from "@atelier/gateway/start";
import { createMetrics } from "@atelier/host/metrics";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const [upstreamOrigin = "", token = "", key = "", upstreamClient = "auto"] = process.argv.slice(2);
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
    authorize: (got) => (got === token ? { kind: "authorized", caller } : { kind: "unauthorized" }),
    authorizeDelegated: () => ({ kind: "unauthorized" }),
  },
  recorder: { start: () => Promise.resolve(), end: () => {}, drain: () => Promise.resolve() },
  clock: systemClock,
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
    circuitBreaker: null,
    rateLimit: 0,
    maxConcurrency: 0,
    maxConcurrencyPerUser: 0,
    metricsByUser: false,
    sendTraceHeaders: false,
    dumpDir: null,
  },
});
const server = createServer((req, res) =>
  gateway.handle(req, res, { prefix: "/api/v2/ai-gateway" }),
);
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
