/** Workers that die under load: the others go on, records end, and the place is taken again. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import type { FoundPrincipal } from "@atelier/control-plane/caller-authorizer-elsewhere";
import type {
  GatewayProvider,
  InterceptionEnd,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import { createGatewayMemory } from "@atelier/gateway/gateway-memory";
import { processClock } from "@atelier/host/process-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { BroadcastChannel } from "node:worker_threads";
import { gatewayConfigOf } from "../gateway-config.ts";
import { parseConfig } from "../config.ts";
import { GatewayWorkers } from "./gateway-workers.ts";
import { DEATHS, type Death } from "./mortal-worker-testkit.ts";

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

/** Two workers whose records and upstream are here; `hold` keeps answers back until it resolves. */
async function startWorld(args: readonly string[], hold: Promise<void>) {
  const resources = new AsyncDisposableStack();
  const upstream = createServer((req, res) => {
    req.resume();
    req.on("end", () => {
      const answer = (): void => {
        res.writeHead(200, { "content-type": "application/json" });
        res.end('{"id":"r","object":"chat.completion","choices":[]}');
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
    ...{ enabled: true, apiVersion: null, keyConcurrencyMax: null, bedrock: null },
  };
  const starts: InterceptionStart[] = [];
  const ends: InterceptionEnd[] = [];
  const config = parseConfig({ argv: args, env: {}, readFile: () => "" });
  assert.ok(config.ok);
  const workers = await GatewayWorkers.start({
    controlPlane: {
      providers: {
        current: () => ({ version: 1, providers: new Map([["up", provider]]) }),
        follow: () => ({ [Symbol.dispose]: () => {} }),
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
    },
    ...{ clock: processClock, log: silentLogger, count: 2 },
    entry: new URL("./mortal-worker-testkit.ts", import.meta.url),
    start: {
      memory: createGatewayMemory(3),
      address: { host: "127.0.0.1", port: 0 },
      gateway: gatewayConfigOf(config.value),
      log: { format: "json", level: "error", colors: false },
      tracing: null,
      shutdownTimeoutMs: 5_000,
      socketPath: "/nowhere",
      connection: { connectionString: "postgres://nowhere" },
      peersName: "nobody",
    },
  });
  resources.defer(async () => {
    await workers.drain(5_000);
  });
  const deaths = new BroadcastChannel(DEATHS);
  resources.defer(() => deaths.close());
  return {
    ...{ workers, starts, ends },
    ask: (query = "") => ask(workers.address.port, query),
    kill: (death: Death) => deaths.postMessage(death),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** On a connection of its own. 0: it broke. */
async function ask(port: number, query: string): Promise<number> {
  const sent = request({
    ...{ port, host: "127.0.0.1", method: "POST", agent: false },
    path: `/api/v2/ai-gateway/up/v1/chat/completions${query}`,
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

async function until(what: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!what()) {
    assert.ok(performance.now() < deadlineMs, "not within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const how of ["exit", "throw"] as const) {
  test(`a worker that ends by ${how} takes only its own requests along`, async () => {
    const held = Promise.withResolvers<void>();
    await using world = await startWorld(
      ["--ai-gateway-max-concurrency", "12", "--ai-gateway-max-concurrency-per-user", "12"],
      held.promise,
    );
    // Every place is taken, by requests of both workers.
    const asked = Array.from({ length: 12 }, () => world.ask("?hold=1"));
    await until(() => world.starts.length === 12);
    assert.equal(await world.ask(), 503);
    world.kill({ member: 1, how });
    await until(() => world.ends.length > 0);
    const orphans = world.ends.length;
    assert.ok(orphans < 12, "the kernel gave both workers some");
    assert.ok(world.ends.every(({ error }) => error?.type === "server_error"));
    // The places of the dead one are free, exactly.
    const more = Array.from({ length: orphans }, () => world.ask("?hold=1"));
    await until(() => world.starts.length === 12 + orphans);
    assert.equal(await world.ask(), 503);
    held.resolve();
    const statuses = await Promise.all([...asked, ...more]);
    assert.equal(statuses.filter((status) => status === 200).length, 12);
    assert.equal(statuses.filter((status) => status === 0).length, orphans);
    await until(() => world.ends.length === world.starts.length);
    assert.equal(new Set(world.ends.map(({ id }) => id)).size, world.starts.length);
    // It was replaced: what the next requests ask goes to two again, and none fails.
    await until(() => world.workers.running === 2);
    const later = await Promise.all(Array.from({ length: 10 }, () => world.ask()));
    assert.ok(later.every((status) => status === 200));
  });
}

test("a drain lets requests under way finish in every worker", async () => {
  const held = Promise.withResolvers<void>();
  const world = await startWorld([], held.promise);
  const asked = Array.from({ length: 10 }, () => world.ask("?hold=1"));
  await until(() => world.starts.length === 10);
  const disposed = world[Symbol.asyncDispose]();
  held.resolve();
  assert.deepEqual(await Promise.all(asked), Array(10).fill(200));
  await disposed;
  assert.equal(world.ends.filter(({ error }) => error === null).length, 10);
});
