/** A gateway on real sockets with its ports in memory, and an upstream made of a request handler. For tests only. */
import { silentLogger, type Logger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import type { Clock } from "@atelier/base/clock";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import type {
  CallerAuthorization,
  CallerAuthorizer,
  GatewayProvider,
  InterceptionEnd,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import { HttpDrain } from "@atelier/host/http-drain";
import { createMetrics } from "@atelier/host/metrics";
import type { Tracer } from "@opentelemetry/api";
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { startGateway, type Gateway, type GatewayConfig, type UpstreamTimeouts } from "../start.ts";

export const TOKEN = "abcdefghij-0123456789012345678901";
export const CALLER = {
  userId: "6f1c2a52-57a4-4d3c-9f0f-3f8e0f6f0a01",
  username: "ann",
  email: "ann@example.com",
  apiKeyId: "abcdefghij",
};
export const TIMEOUTS: UpstreamTimeouts = {
  connectMs: 10_000,
  headerMs: 60_000,
  streamHeaderMs: 60_000,
  idleMs: 60_000,
};
export const PREFIX = "/api/v2/ai-gateway";

export type Recorded = { starts: InterceptionStart[]; ends: InterceptionEnd[] };

export type TestGateway = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly gateway: Gateway;
  readonly recorded: Recorded;
  /** The lines of a metric with our prefix, sorted, for those with a value. */
  metricLines(name: string): Promise<string[]>;
  /** Resolves when as many interceptions have ended. */
  ended(count: number): Promise<InterceptionEnd[]>;
  send(path: string, options?: SendOptions): Promise<Answer>;
  setProviders(providers: readonly GatewayProvider[]): void;
};

export type SendOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  readonly token?: string | null;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** False: the connection broke before the body was whole. */
  readonly isComplete: boolean;
};

export type TestGatewayOptions = {
  readonly upstream: RequestListener;
  readonly config?: Partial<GatewayConfig>;
  readonly authorize?: (token: string) => CallerAuthorization | Promise<CallerAuthorization>;
  readonly authorizeDelegated?: CallerAuthorizer["authorizeDelegated"];
  readonly recordStart?: (start: InterceptionStart) => Promise<void>;
  /** Default: real time. */
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly tracer?: Tracer;
  readonly peers?: GatewayPeers;
  readonly providers?: (upstreamUrl: string) => readonly GatewayProvider[];
};

export function provider(
  name: string,
  type: ModelProviderType,
  baseUrl: string,
  overrides: Partial<GatewayProvider> = {},
): GatewayProvider {
  const keys = [{ id: "k1", secret: new Secret("sk-central"), hint: "sk...al" }];
  return {
    id: `id-${name}`,
    name,
    type,
    baseUrl,
    keys,
    enabled: true,
    apiVersion: null,
    bedrock: null,
    keyConcurrencyMax: null,
    ...overrides,
  };
}

export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const upstream = await listen(options.upstream);
  const recorded: Recorded = { starts: [], ends: [] };
  const waiters = new Set<() => void>();
  let snapshot = toSnapshot(
    options.providers?.(upstream.url) ?? [
      provider("openai", "openai", `${upstream.url}/v1/`),
      provider("anthropic", "anthropic", upstream.url),
    ],
    1,
  );
  const metrics = createMetrics();
  const gateway = startGateway({
    providers: { current: () => snapshot },
    authorizer: {
      authorize:
        options.authorize ??
        ((token) =>
          token === TOKEN ? { kind: "authorized", caller: CALLER } : { kind: "unauthorized" }),
      authorizeDelegated:
        options.authorizeDelegated ??
        ((apiKeyId) =>
          apiKeyId === CALLER.apiKeyId
            ? { kind: "authorized", caller: CALLER }
            : { kind: "unauthorized" }),
    },
    recorder: {
      start: async (start) => {
        await options.recordStart?.(start);
        recorded.starts.push(start);
      },
      end: (end) => {
        recorded.ends.push(end);
        for (const waiter of waiters) waiter();
      },
      drain: () => Promise.resolve(),
    },
    clock: options.clock ?? systemClock,
    random: systemRandom,
    log: options.log ?? silentLogger,
    metrics,
    peers: options.peers ?? null,
    tracer: options.tracer ?? null,
    config: {
      allowByok: true,
      sendActorHeaders: false,
      upstreamTimeouts: TIMEOUTS,
      failover: "keys",
      failoverWithinMs: 0,
      upstreamClient: "auto",
      bodyTimeoutMs: 30_000,
      stripsForeignReasoning: true,
      keyAuthFailurePolicy: "cooldown",
      keyWaitMs: 0,
      keyRecheckMs: 0,
      keyQueue: { lengthMax: 100, msMax: 30_000 },
      circuitBreaker: null,
      rateLimit: 0,
      maxConcurrency: 0,
      maxConcurrencyPerUser: 0,
      metricsByUser: false,
      sendTraceHeaders: false,
      dumpDir: null,
      ...options.config,
    },
  });
  const server = await listen(
    (req, res) => gateway.handle(req, res, { prefix: PREFIX }),
    (http) =>
      gateway.listenOn(http, {
        drain: new HttpDrain(http),
        headBytesMax: HEAD_BYTES_MAX,
        prefixOf: (url) => (url.startsWith(`${PREFIX}/`) ? PREFIX : null),
      }),
  );
  return {
    url: `${server.url}${PREFIX}`,
    port: server.port,
    gateway,
    recorded,
    metricLines: async (name) => {
      const lines = (await metrics.render()).split("\n");
      return lines.filter((line) => line.startsWith(`atelier_ai_gateway_${name}`)).toSorted();
    },
    ended: async (count) => {
      while (recorded.ends.length < count) {
        await new Promise<void>((resolve) => waiters.add(resolve));
      }
      return recorded.ends;
    },
    send: (path, sendOptions = {}) => send(server.port, `${PREFIX}${path}`, sendOptions),
    setProviders: (providers) => {
      snapshot = toSnapshot(providers, snapshot.version + 1);
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      // Exchanges that a test left hanging end with their upstream.
      await upstream.close();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const HEAD_BYTES_MAX = 64 * 1024;

/** A server on a free port; `close` cuts whatever is still connected. */
export async function listen(
  listener: RequestListener,
  takeFrom: (server: Server) => Disposable = () => ({ [Symbol.dispose]: () => {} }),
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const server = createServer({ maxHeaderSize: HEAD_BYTES_MAX }, listener);
  const direct = takeFrom(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      direct[Symbol.dispose]();
      await Promise.resolve();
    },
  };
}

async function readAll(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads a request to its end, then answers it. */
export function onBody(req: IncomingMessage, use: (body: Buffer) => void): void {
  readAll(req).then(use, rethrow);
}

/** For promises of a test's own that never fail. */
export function rethrow(error: unknown): never {
  throw error;
}

/** Sends one request by hand, so that every header and byte is known. */
export async function send(port: number, path: string, options: SendOptions): Promise<Answer> {
  const { method = "POST", headers = {}, body, token = TOKEN } = options;
  const req = httpRequest({
    port,
    host: "127.0.0.1",
    path,
    method,
    agent: false,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          typeof value === "string" ? value : [...value],
        ]),
      ),
    },
  });
  req.end(body);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  // Who is answered may still be sending when the connection ends.
  req.on("error", () => {});
  const chunks: Buffer[] = [];
  let isComplete = true;
  try {
    for await (const chunk of res) chunks.push(chunk as Buffer);
  } catch {
    isComplete = false;
  }
  return {
    status: res.statusCode ?? 0,
    headers: res.headers,
    rawHeaders: res.rawHeaders,
    body: Buffer.concat(chunks),
    isComplete: isComplete && res.complete,
  };
}

export function answerJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify(body));
}

function toSnapshot(providers: readonly GatewayProvider[], version: number) {
  return { version, providers: new Map(providers.map((each) => [each.name, each])) };
}
