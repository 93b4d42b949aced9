/** Gateway workers in this process that can be told to die, with an upstream and a fixed caller. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import type { FoundPrincipal } from "@atelier/control-plane/caller-authorizer-elsewhere";
import type { ControlPlane } from "@atelier/control-plane/start";
import type { GatewayNews, GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import type {
  GatewayProvider,
  InterceptionEnd,
  InterceptionStart,
  ProviderSnapshot,
} from "@atelier/contract/rpc/gateway-ports";
import type { DatabaseConnection } from "@atelier/database/database";
import { createGatewayMemory } from "@atelier/gateway/gateway-memory";
import { startGateway } from "@atelier/gateway/start";
import { createMetrics } from "@atelier/host/metrics";
import { processClock } from "@atelier/host/process-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BroadcastChannel } from "node:worker_threads";
import { gatewayConfigOf } from "../gateway-config.ts";
import { parseConfig } from "../config.ts";
import { GatewayWorkers } from "./gateway-workers.ts";
import { DEATHS, type Death } from "./mortal-worker-testkit.ts";
import { toPlainConnection } from "./plain-connection.ts";

const ANSWER =
  '{"id":"r","object":"chat.completion","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
const TOKEN = "abcdefghij-0123456789012345678901";
const PRINCIPAL: NonNullable<FoundPrincipal> = {
  actor: {
    userId: "6f1c2a52-57a4-4d3c-9f0f-3f8e0f6f0a01",
    username: "ann",
    email: "ann@example.com",
    roles: ["owner"],
    scopes: ["all"],
    apiKeyId: "abcdefghij",
    keyKind: "token",
  },
  userStatus: "active",
  expiresAt: new Date("2100-01-01"),
  lifetimeSeconds: 3_600,
};

/** What a test brings itself, in place of what is kept in arrays. */
type Recorders = {
  readonly controlPlane: Pick<ControlPlane, "recorder" | "recording">;
  readonly connection: DatabaseConnection;
  readonly peersName: string;
};

type UpstreamOptions = {
  /** In place of an answer that serves. True: it has answered. */
  readonly answer?: (req: IncomingMessage, res: ServerResponse) => boolean;
  readonly keyConcurrencyMax?: number | null;
};

/** Two workers whose records and upstream are here; `hold` keeps answers back until it resolves. */
export async function startWorkerWorld(
  args: readonly string[],
  hold: Promise<void>,
  recorders: Recorders | null = null,
  { answer: answerElse, keyConcurrencyMax = null }: UpstreamOptions = {},
) {
  await using resources = new AsyncDisposableStack();
  const upstream = createServer((req, res) => {
    req.resume();
    req.on("end", () => {
      if (answerElse?.(req, res) === true) return;
      const answer = (): void => {
        res.writeHead(200, { "content-type": "application/json" });
        res.end(ANSWER);
      };
      if (req.url?.includes("hold") === true) hold.then(answer, answer);
      else answer();
    });
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  resources.defer(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  const { port } = upstream.address() as AddressInfo;
  const provider: GatewayProvider = {
    ...{ id: "p", name: "up", type: "openai", baseUrl: `http://127.0.0.1:${port}/v1` },
    keys: [{ id: "k", secret: new Secret("made-up"), hint: "m...p" }],
    ...{ enabled: true, apiVersion: null, keyConcurrencyMax, bedrock: null },
  };
  const toOthers: ((snapshot: ProviderSnapshot) => void | Promise<void>)[] = [];
  let snapshot: ProviderSnapshot = { version: 1, providers: new Map([["up", provider]]) };
  const starts: InterceptionStart[] = [];
  const ends: InterceptionEnd[] = [];
  const config = parseConfig({ argv: args, env: {}, readFile: () => "" });
  assert.ok(config.ok);
  const memory = createGatewayMemory(3);
  const told: GatewayNews[] = [];
  const peers: GatewayPeers = {
    tell: (news) => told.push(news),
    hear: () => ({ [Symbol.dispose]: () => {} }),
  };
  const providers = { current: () => snapshot };
  const gateway = resources.use(
    startGateway({
      ...{ providers, peers, clock: processClock, random: systemRandom, log: silentLogger },
      authorizer: {
        authorize: () => ({ kind: "unauthorized" }),
        authorizeDelegated: () => ({ kind: "unauthorized" }),
      },
      recorder: { start: () => Promise.resolve(), end: () => {}, drain: () => Promise.resolve() },
      metrics: createMetrics(),
      tracer: null,
      config: gatewayConfigOf(config.value),
      membership: { memory, member: 0 },
    }),
  );
  const workers = await GatewayWorkers.start({
    ...{ gateway, peers },
    controlPlane: {
      providers: {
        ...providers,
        follow: (listener) => {
          toOthers.push(listener);
          return { [Symbol.dispose]: () => {} };
        },
      },
      principals: {
        isConnected: true,
        load: (token) => Promise.resolve(token === TOKEN ? PRINCIPAL : null),
        loadOfKey: () => Promise.resolve(null),
        note: () => {},
        follow: () => ({ [Symbol.dispose]: () => {} }),
      },
      recorder: {
        start: async (record) => {
          await Promise.resolve();
          starts.push(record);
        },
        end: (record) => ends.push(record),
        drain: () => Promise.resolve(),
      },
      recording: null,
      ...recorders?.controlPlane,
    },
    ...{ clock: processClock, log: silentLogger, count: 2 },
    entry: new URL("./mortal-worker-testkit.ts", import.meta.url),
    start: {
      memory,
      address: { host: "127.0.0.1", port: 0 },
      gateway: gatewayConfigOf(config.value),
      log: { format: "json", level: "error", colors: false },
      tracing: null,
      shutdownTimeoutMs: 5_000,
      socketPath: "/nowhere",
      previewWildcard: null,
      connection: toPlainConnection(
        recorders?.connection ?? { connectionString: "postgres://nowhere" },
      ),
      peersName: recorders?.peersName ?? "nobody",
    },
  });
  resources.defer(async () => {
    await workers.drain(5_000);
  });
  const deaths = new BroadcastChannel(DEATHS);
  resources.defer(() => deaths.close());
  const owned = resources.move();
  return {
    ...{ workers, starts, ends, told },
    health: gateway.health,
    ask: (query = "", name = "up", signal?: AbortSignal) =>
      ask(workers.address.port, name, { query, signal }),
    kill: (death: Death) => deaths.postMessage(death),
    /** One more provider, of this name. Resolves when the workers were told. */
    addProvider: async (name: string) => {
      const providers = new Map([...snapshot.providers, [name, { ...provider, id: name, name }]]);
      snapshot = { version: snapshot.version + 1, providers };
      for (const tell of toOthers) await tell(snapshot);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** On a connection of its own. 0: it broke. */
async function ask(
  port: number,
  name: string,
  { query, signal }: { readonly query: string; readonly signal: AbortSignal | undefined },
): Promise<number> {
  const sent = request({
    ...(signal && { signal }),
    ...{ port, host: "127.0.0.1", method: "POST", agent: false },
    path: `/api/v2/ai-gateway/${name}/v1/chat/completions${query}`,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
  });
  sent.end('{"model":"m","messages":[{"role":"user","content":"hi"}]}');
  try {
    const [answer] = (await once(sent, "response")) as [IncomingMessage & ServerResponse];
    for await (const _ of answer);
    return answer.complete ? (answer.statusCode ?? 0) : 0;
  } catch {
    return 0;
  }
}

export async function until(what: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!what()) {
    assert.ok(performance.now() < deadlineMs, "not within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
