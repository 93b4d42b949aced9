/** A control plane, a gateway and a chat daemon on a real database, and a scripted model behind them. */
import { silentLogger } from "@atelier/base/logger";
import { systemRandom } from "@atelier/base/system-random";
import { startChatDaemon, type ChatDaemon } from "@atelier/chat-daemon/start";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import {
  startTestControlPlane,
  testDeps,
  type Person,
  type TestControlPlane,
} from "@atelier/control-plane/control-plane-on-postgres-testkit";
import { createMetrics } from "@atelier/host/metrics";
import { startGateway } from "@atelier/gateway/start";
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import assert from "node:assert/strict";

export const CENTRAL_KEY = "sk-central-0123456789abcdef";
export const OWN_KEY = "sk-own-0123456789abcdef";

const TYPES = [
  "openai",
  "anthropic",
  "openai-compat",
  "azure",
  "google",
  "openrouter",
  "vercel",
  "copilot",
] as const satisfies readonly ModelProviderType[];

export type ChatWorld = AsyncDisposable & {
  readonly api: TestControlPlane;
  readonly model: ScriptedModel;
  readonly chats: ChatDaemon;
  readonly owner: Person;
  readonly ann: Person;
  /** URLs that were asked without the gateway. */
  readonly directCalls: readonly string[];
  /** By name: a type, or `keyless`, an OpenAI without a key. */
  providerId(name: string): string;
  stopServing(): void;
};

export type ChatWorldOptions = {
  readonly isGatewayRoutingEnabled?: boolean;
  readonly allowByok?: boolean;
  readonly hasKeyless?: boolean;
};

export async function startChatWorld(options: ChatWorldOptions = {}): Promise<ChatWorld> {
  const { isGatewayRoutingEnabled = true, allowByok = true, hasKeyless = true } = options;
  await using resources = new AsyncDisposableStack();
  const model = resources.use(await startScriptedModel());
  const api = resources.use(await startTestControlPlane({ config: { allowByok } }));
  const { plane, clock, database } = api;
  const gateway = resources.use(startGateway({ ...plane, ...gatewayDeps(allowByok), clock }));
  const directCalls: string[] = [];
  const directFetch: ModelFetch = (input, init) => {
    directCalls.push(input instanceof Request ? input.url : String(input));
    return fetch(input, init);
  };
  const chats = startChatDaemon({
    ...{
      database,
      pubSub: api.pubSub,
      clock,
      random: systemRandom,
      log: silentLogger,
      metrics: createMetrics({ ofProcess: false }),
      directFetch,
    },
    providers: plane.chats.providers,
    people: plane.chats.people,
    workspaces: plane.chats.workspaces,
    secrets: plane.chats.secrets,
    costs: plane.chats.costs,
    audit: plane.chats.audit,
    serverId: plane.chats.serverId,
    lines: plane.chats.lines,
    links: plane.workspaceLinks,
    providerAuth: plane.providerAuth,
    transports: gateway.transports,
    config: {
      isGatewayRoutingEnabled,
      host: { version: "1.2.3", platform: "linux", architecture: "x64" },
      queueMax: 20,
      limits: { topLevelMax: null, subagentsMax: null },
      accessUrl: "http://127.0.0.1",
      retentionMs: null,
      autoArchiveMs: null,
      isSharingEnabled: true,
      isDebugForced: false,
    },
  });
  resources.use(chats);
  const serving = resources.use(plane.chats.serveWith(chats));
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  const ids = new Map<string, string>();
  const addProvider = async (name: string, fields: Record<string, unknown>): Promise<void> => {
    const body = { name, base_url: `${model.url}/v1`, ...fields };
    const made = await api.call("POST", "/api/v2/ai/providers", { token: owner.token, body });
    assert.equal(made.status, 201, made.text);
    ids.set(name, made.body.id);
  };
  for (const type of TYPES) {
    const api_keys = type === "copilot" ? [] : [CENTRAL_KEY];
    const base_url = type === "anthropic" ? model.url : `${model.url}/v1`;
    await addProvider(type, { type, api_keys, base_url });
  }
  if (hasKeyless) await addProvider("keyless", { type: "openai", api_keys: [] });
  const owned = resources.move();
  return {
    ...{ api, model, chats, owner, ann, directCalls },
    providerId: (name) => ids.get(name) ?? "",
    stopServing: () => serving[Symbol.dispose](),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function gatewayDeps(allowByok: boolean) {
  const minute = 60_000;
  return {
    random: systemRandom,
    log: silentLogger,
    metrics: testDeps().metrics,
    tracer: null,
    peers: null,
    config: {
      allowByok,
      sendActorHeaders: false,
      upstreamTimeouts: {
        connectMs: 10_000,
        headerMs: minute,
        streamHeaderMs: minute,
        idleMs: minute,
      },
      upstreamClient: "auto",
      failover: "keys",
      failoverWithinMs: 0,
      bodyTimeoutMs: minute,
      keyAuthFailurePolicy: "cooldown",
      keyWaitMs: 0,
      keyQueue: { lengthMax: 100, msMax: 30_000 },
      keyRecheckMs: 0,
      stripsForeignReasoning: true,
      circuitBreaker: null,
      rateLimit: 0,
      maxConcurrency: 0,
      maxConcurrencyPerUser: 0,
      metricsByUser: false,
      sendTraceHeaders: false,
      dumpDir: null,
    },
  } as const;
}
