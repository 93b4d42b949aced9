/**
 * The gateway: a governed way to every model provider. `startGateway()` is the system's only export.
 *
 * It has no database. Who may call, which providers exist and where records go come in as ports.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  CallerAuthorizer,
  GatewayHealth,
  InterceptionRecorder,
  ProviderSource,
  ProviderTester,
} from "@atelier/contract/rpc/gateway-ports";
import type { GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import { ModelTransportSlot, type ModelTransports } from "@atelier/contract/rpc/model-transport";
import type { Metrics } from "@atelier/host/metrics";
import type { Tracer } from "@opentelemetry/api";
import type { Server } from "node:http";
import { openBedrockUpstream } from "./bedrock/bedrock-upstream-io.ts";
import type { BreakerConfig } from "./breaker/circuit-breaker.ts";
import { inProcessTransports } from "./delegated/in-process-transport-io.ts";
import { CallDumper } from "./dump/call-dumper-io.ts";
import {
  limiterOf,
  notebookOf,
  type FirstGateway,
  type GatewayMembership,
} from "./gateway-memory.ts";
import type { FailoverPolicy, KeyAuthFailurePolicy } from "./keys/key-disposition.ts";
import type { KeyQueueLimits } from "./keys/key-slots.ts";
import { ModelLabels } from "./labels/model-labels.ts";
import { DirectListener, type DirectListenerOptions } from "./listener/direct-listener-io.ts";
import { ProviderTests } from "./provider-test/provider-tests-io.ts";
import { callObservers } from "./relay/call-observers-io.ts";
import type { GatewayRequest, GatewayResponse } from "./relay/client-exchange.ts";
import { CredentialGuard } from "./relay/credential-guard-io.ts";
import { GatewayServer } from "./relay/gateway-server-io.ts";
import { createGatewayMetrics } from "./relay/gateway-metrics.ts";
import { InterceptionMetrics } from "./relay/interception-metrics.ts";
import { KeyChecks, type RefusedKey } from "./relay/key-checks.ts";
import { MemberDesk } from "./relay/member-desk.ts";
import { PeerNews } from "./relay/peer-news.ts";
import { ProviderStates } from "./relay/provider-states.ts";
import { observeStates } from "./relay/state-metrics.ts";
import { CallTracer } from "./tracing/call-tracer.ts";
import { openUpstream, type UpstreamClientChoice } from "./upstream/open-upstream-io.ts";
import type { UpstreamClient, UpstreamListener } from "./upstream/upstream-client.ts";
import { UpstreamPools, type UpstreamPoolsDeps } from "./upstream/upstream-pools-io.ts";

/** Waits of one attempt with one key. None of them limits how long an answer may take as a whole. */
export type UpstreamTimeouts = {
  /** Until a connection is made, TLS included. */
  readonly connectMs: number;
  /** Until the head of the answer. Models that think for long send it late. */
  readonly headerMs: number;
  /** The same where the client asked for a stream. */
  readonly streamHeaderMs: number;
  /** Silence inside a body. */
  readonly idleMs: number;
};

export type GatewayConfig = {
  /** Whether callers may bring their own provider credentials. */
  readonly allowByok: boolean;
  /** Whether providers are told who the caller is. */
  readonly sendActorHeaders: boolean;
  readonly upstreamTimeouts: UpstreamTimeouts;
  /** Which of the upstream clients serve. */
  readonly upstreamClient: UpstreamClientChoice;
  /** Longest silence while a request body arrives. */
  readonly bodyTimeoutMs: number;
  /** Whether a conversation goes on without reasoning that its provider refuses as another's. */
  readonly stripsForeignReasoning: boolean;
  /** What becomes of a key that a provider refuses. */
  readonly keyAuthFailurePolicy: KeyAuthFailurePolicy;
  /** What makes a call go on with the provider's next key. */
  readonly failover: FailoverPolicy;
  /** A call older than this fails instead of trying another key after a fault. 0: no limit. */
  readonly failoverWithinMs: number;
  /** Longest wait for a key that rests, when no other is left. 0: none. */
  readonly keyWaitMs: number;
  /** How long after a refusal a key is checked, about. 0: it is not. */
  readonly keyRecheckMs: number;
  /** For keys that are at their provider's limit of concurrent calls. */
  readonly keyQueue: KeyQueueLimits;
  /** Null: no circuit breakers. */
  readonly circuitBreaker: BreakerConfig | null;
  /** Requests per second of one API key; 0: no limit. */
  readonly rateLimit: number;
  /** Requests under way in this process; 0: no limit. */
  readonly maxConcurrency: number;
  /** Of them, one person's; 0: no limit. */
  readonly maxConcurrencyPerUser: number;
  /** Whether users are a label of metrics. */
  readonly metricsByUser: boolean;
  /** Whether providers are told which trace a request belongs to. */
  readonly sendTraceHeaders: boolean;
  /** Where requests to providers and their answers are written. Null: nowhere. */
  readonly dumpDir: string | null;
};

export type GatewayDeps = {
  readonly providers: ProviderSource;
  readonly authorizer: CallerAuthorizer;
  readonly recorder: InterceptionRecorder;
  /** The other gateways of the deployment. Null: there are none, or each is to learn by itself. */
  readonly peers: GatewayPeers | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  readonly config: GatewayConfig;
  /** What it shares with gateways in other threads of this server. Absent: it is alone. */
  readonly membership?: GatewayMembership;
  /** Which of them gives slots of keys and checks keys. Absent: this one. */
  readonly firstGateway?: FirstGateway;
};

export type ListenOptions = Omit<DirectListenerOptions, "clock" | "handle">;

export interface Gateway extends AsyncDisposable {
  /** How keys and models of the providers do, as seen from here. */
  readonly health: GatewayHealth;
  /** For the other parts of this process. Once the gateway is disposed, none is mounted there. */
  readonly transports: ModelTransports;
  /** For a gateway in another thread, whose first this is. Dispose it once that thread is no more. */
  newMember(): MemberDesk;
  /** Tries providers out when an operator asks. */
  readonly tester: ProviderTester;
  /** `prefix` is the part of the path before `/<provider>/…`, such as `/api/v2/ai-gateway`. */
  handle(req: GatewayRequest, res: GatewayResponse, path: { readonly prefix: string }): void;
  /**
   * Takes the plain requests to the gateway off the server, at a fraction of what the server costs:
   * all others stay with it. Before it listens. Dispose it when the server is closed.
   */
  listenOn(server: Server, options: ListenOptions): Disposable;
  /**
   * Takes no more requests and waits for those under way. When the signal aborts, the rest are
   * ended properly: streams with their format's error event.
   */
  drain(signal: AbortSignal): Promise<void>;
}

const guardMessages = (listener: UpstreamListener, secret: string): UpstreamListener =>
  new CredentialGuard(listener, secret, "messages");

export function startGateway(deps: GatewayDeps): Gateway {
  const { config, clock, log } = deps;
  const { connectMs, headerMs, idleMs } = config.upstreamTimeouts;
  const timeouts = { connectMsMax: connectMs, headMsMax: headerMs, silenceMsMax: idleMs };
  const openClient = (origin: string): UpstreamClient =>
    openUpstream(config.upstreamClient, { origin, timeouts, clock });
  const translate: UpstreamPoolsDeps["translate"] = (provider, client) => {
    const { bedrock } = provider;
    const parts = { client, openClient, guard: guardMessages, clock, log };
    return bedrock && openBedrockUpstream(provider, bedrock, parts);
  };
  const pools = new UpstreamPools({ log, openClient, translate });
  const limits = {
    concurrencyMax: config.maxConcurrency,
    concurrencyPerUserMax: config.maxConcurrencyPerUser,
    ratePerSecondMax: config.rateLimit,
  };
  const limiter = limiterOf(limits, clock, deps.membership ?? null);
  const metrics = createGatewayMetrics(deps.metrics);
  const labels = new ModelLabels();
  const interceptions = new InterceptionMetrics({
    metrics,
    labels,
    isByUser: config.metricsByUser,
  });
  deps.metrics.onRender(() => interceptions.flush());
  const tester = new ProviderTests({ clock, openClient, translate });
  const { keyChecks, states, news } = watchProviders(deps, tester);
  observeStates(deps.metrics, states, labels);
  const dumper =
    config.dumpDir === null ? null : new CallDumper({ ...deps, directory: config.dumpDir });
  const tracer =
    deps.tracer === null
      ? null
      : new CallTracer({ tracer: deps.tracer, tellsProviders: config.sendTraceHeaders });
  const observe = callObservers({ tracer, dumper });
  const server = new GatewayServer({
    ...deps,
    metrics,
    interceptions,
    pools,
    limiter,
    states,
    news,
    keyChecks,
    observe,
  });
  const transports = new ModelTransportSlot();
  const mounted = transports.mount(inProcessTransports({ server, log }));
  return {
    health: states,
    newMember: () => new MemberDesk(states, keyChecks),
    transports,
    tester,
    handle: (req, res, { prefix }) => server.handle(req, res, prefix),
    listenOn: (httpServer, options) => listenDirectly(httpServer, { ...options, clock, server }),
    drain: (signal) => server.drain(signal),
    [Symbol.asyncDispose]: async () => {
      mounted[Symbol.dispose]();
      news[Symbol.dispose]();
      keyChecks[Symbol.dispose]();
      await server.drain(AbortSignal.abort());
      await pools[Symbol.asyncDispose]();
      await dumper?.[Symbol.asyncDispose]();
    },
  };
}

function listenDirectly(
  httpServer: Server,
  { server, ...options }: ListenOptions & { readonly clock: Clock; readonly server: GatewayServer },
): DirectListener {
  const handle: DirectListenerOptions["handle"] = (...call) => server.handle(...call);
  return new DirectListener(httpServer, { ...options, handle });
}

/** What is known of providers in trouble: learned here, asked for, and heard from others. */
function watchProviders(deps: GatewayDeps, tester: ProviderTests) {
  const { config, firstGateway } = deps;
  const ownChecks = new KeyChecks(
    {
      ...deps,
      delayMs: config.keyRecheckMs,
      check: (provider, key, signal) => tester.checkKey(provider, key, signal),
    },
    ({ provider, key }) => news.keyBack(provider, key),
  );
  const keyChecks = firstGateway === undefined ? ownChecks : checksElsewhere(firstGateway);
  const { circuitBreaker: breakerConfig, keyQueue } = config;
  const notebook = notebookOf(deps.membership ?? null);
  const slotGiver = firstGateway ?? null;
  const states = new ProviderStates({
    ...{ ...deps, breakerConfig, keyQueue, keyChecks, notebook, slotGiver },
  });
  const news = new PeerNews({ ...deps, ...config, states });
  return { keyChecks, states, news };
}

/** Operators ask the first gateway only. */
function checksElsewhere(first: FirstGateway) {
  return {
    refused: ({ provider, key }: RefusedKey) =>
      first.keyRefused({ providerId: provider.id, keyId: key.id }),
    lastCheckedAt: () => null,
    forget: () => {},
    [Symbol.dispose]: () => {},
  };
}
