/**
 * Builds the server from its parts and takes it apart again. Nothing else creates a collaborator.
 *
 * The end, in order: accept nothing more; give chats to other servers; let requests and streams
 * finish, up to shutdown-timeout; end the other streams properly; write what is still to be recorded;
 * stop the control plane, close the database.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { InterceptionRecorder } from "@atelier/contract/rpc/gateway-ports";
import { startChatDaemon, type ChatDaemon } from "@atelier/chat-daemon/start";
import { previewFrameSource } from "@atelier/contract/preview-address";
import { startControlPlane, type ControlPlane } from "@atelier/control-plane/start";
import type { Database } from "@atelier/database/database";
import { startPubSub, type PubSub } from "@atelier/database/pub-sub";
import { createGatewayMemory, type GatewayMembership } from "@atelier/gateway/gateway-memory";
import { startGateway, type Gateway } from "@atelier/gateway/start";
import { HttpDrain } from "@atelier/host/http-drain";
import { createMetrics, type Metrics } from "@atelier/host/metrics";
import { processClock } from "@atelier/host/process-clock";
import { startTracing, type Tracing } from "@atelier/host/tracing";
import { formatAddress } from "@atelier/host/option-value";
import type { Address } from "@atelier/host/option";
import { VERSION } from "@atelier/host/version";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { join } from "node:path";
import { AgentFile, loadAgentFile } from "./agent-file.ts";
import type { ServerConfig } from "./config.ts";
import { DashboardFiles } from "./dashboard-files-io.ts";
import { loadOrMakeEncryptionKey } from "./encryption-key-file.ts";
import { gatewayConfigOf } from "./gateway-config.ts";
import { abortingAfter } from "./gateway-workers/aborting-after.ts";
import { RecordingChannel } from "./gateway-workers/recording-channel.ts";
import { startGatewayWorkers, workersOf } from "./gateway-workers/start-gateway-workers.ts";
import { createHttpServer, HEAD_BYTES_MAX, LAST_BYTES_MS, listen } from "./http-listener.ts";
import { openStorage } from "./open-storage.ts";
import { openOutboundFetch } from "./outbound-fetch.ts";
import { answerMetrics, answerText, Readiness, refuseUpgrade } from "./plain-answers.ts";
import { relayUrlOf } from "./relay-url.ts";
import { gatewayPrefixes, targetOf, targetOfRequest } from "./request-target.ts";
import { tracingOptionsOf } from "./trace-options.ts";

export type ServerDeps = {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
};

/** For writing what the last requests left to be recorded. */
const RECORD_MS_MAX = 3_000;

const BYTES_PER_MIB = 1_024 * 1_024;

/** Starts everything and resolves with the address that it serves. Put into `resources`, it ends. */
export async function startServer(
  deps: ServerDeps,
  resources: AsyncDisposableStack,
): Promise<Address> {
  const { config, log, clock, random } = deps;
  const metrics = createMetrics();
  if (config.prometheusEnable && config.prometheusAddress !== null) {
    await serveMetrics(config.prometheusAddress, { metrics, log }, resources);
  }
  const tracing = await openTracing(deps, resources);
  const database = await openStorage(
    { log, clock },
    { ...config, connectionsMax: config.postgresConnectionsMax },
    resources,
  );
  const { connection } = database;
  const pubSub = resources.use(
    startPubSub({ connection, applicationName: "atelier events" }, { clock, random, log }),
  );
  const workers = workersOf(config, log);
  const peersName = `atelier-recording-${random.uuid()}`;
  const recordingPeers = workers < 2 ? null : resources.use(new RecordingChannel(peersName));
  const controlPlane = resources.use(
    await startControlPlane({
      database,
      pubSub,
      clock,
      random,
      log,
      metrics,
      config: controlPlaneConfig(config, random),
      version: VERSION,
      hostname: hostname(),
      optionRows: config.optionRows,
      ...(recordingPeers && { recordingPeers }),
    }),
  );
  resources.defer(() => finishRecording(controlPlane.recorder, deps));
  // Without workers of its own, this thread is alone. With them, it is one of those that share.
  const membership = workers < 2 ? null : { memory: createGatewayMemory(workers + 1), member: 0 };
  const gateway = config.aiGatewayEnabled
    ? startOurGateway(deps, { controlPlane, metrics, tracing, membership })
    : null;
  if (gateway !== null) {
    resources.use(gateway);
    controlPlane.observeGateway(gateway.health);
    controlPlane.testProvidersWith(gateway.tester);
  }
  const chats = serveChats(deps, { controlPlane, gateway, metrics, database, pubSub }, resources);

  const answer = answerer(deps, { controlPlane, gateway, metrics, database });
  const server = createHttpServer(answer);
  server.on("upgrade", (request, socket, head) => {
    const { kind } = targetOfRequest(request, config.previewWildcard);
    if (kind === "gateway") refuseUpgrade(socket);
    else if (kind === "preview") controlPlane.previews?.upgrade(request, socket, head);
    else controlPlane.upgrade(request, socket, head);
  });
  const parts = { controlPlane, chats, metrics, server };
  const address =
    membership === null || gateway === null
      ? await serveAlone(deps, { ...parts, gateway }, resources)
      : await serveWithWorkers(
          deps,
          { ...parts, ...membership, gateway, connection, peersName, count: workers },
          resources,
        );
  await controlPlane.reachableAt(config.relayUrl ?? relayUrlOf(address));
  return address;
}

type ServedAlone = {
  readonly controlPlane: ControlPlane;
  readonly chats: AsyncDisposable;
  readonly gateway: Gateway | null;
  readonly server: Server;
};

async function serveAlone(
  deps: ServerDeps,
  { controlPlane, chats, gateway, server }: ServedAlone,
  resources: AsyncDisposableStack,
): Promise<Address> {
  const connections = new HttpDrain(server);
  if (gateway !== null) {
    const prefixOf = gatewayPrefixes(deps.config.previewWildcard);
    const own = { drain: connections, headBytesMax: HEAD_BYTES_MAX, prefixOf };
    resources.use(gateway.listenOn(server, own));
  }
  const address = await listen(server, deps.config.httpAddress, "http-address");
  logErrorsOf(server, deps.log);
  resources.defer(async () => {
    controlPlane.closeSockets();
    // At once: another server goes on with what this one's chats were doing.
    await Promise.all([chats[Symbol.asyncDispose](), drain(deps, connections, gateway)]);
  });
  return address;
}

async function serveWithWorkers(
  deps: ServerDeps,
  {
    chats,
    ...parts
  }: Parameters<typeof startGatewayWorkers>[1] & {
    readonly chats: AsyncDisposable;
  },
  resources: AsyncDisposableStack,
): Promise<Address> {
  const connections = new HttpDrain(parts.server);
  logErrorsOf(parts.server, deps.log);
  // What is entered later ends first: this thread answers the API until the workers have drained.
  resources.defer(() => drain(deps, connections, null));
  const started = await startGatewayWorkers(deps, parts, resources);
  resources.defer(async () => {
    parts.controlPlane.closeSockets();
    await Promise.all([
      chats[Symbol.asyncDispose](),
      started.drain(),
      drainGateway(deps, parts.gateway),
    ]);
  });
  return started.address;
}

/** A connection that could not be accepted, for want of file descriptors, is no reason to end. */
function logErrorsOf(server: Server, log: Logger): void {
  server.on("error", (error) => log.error({ error }, "listener failed"));
}

function controlPlaneConfig(
  config: ServerConfig,
  random: Random,
): Parameters<typeof startControlPlane>[0]["config"] {
  const configuredKeys = config.externalTokenEncryptionKeys;
  return {
    accessUrl: config.accessUrl,
    previewWildcard: config.previewWildcard,
    sessionDurationMs: config.sessionDurationMs,
    defaultTokenLifetimeMs: config.defaultTokenLifetimeMs,
    maxTokenLifetimeMs: config.maxTokenLifetimeMs,
    auditRetentionMs: config.auditRetentionMs,
    connectionLogRetentionMs: config.connectionLogRetentionMs,
    usageRetentionMs: config.aiGatewayRetentionMs,
    usageTotalsRetentionMs: config.aiGatewayTotalsRetentionMs,
    logUsageRecords: config.aiGatewayStructuredLogging,
    recording: {
      mode: config.aiGatewayRecording,
      dataDir: config.dataDir,
      spoolBytesMax: config.aiGatewaySpoolMaxSize * BYTES_PER_MIB,
    },
    allowByok: config.aiGatewayAllowByok,
    providerSeeds: config.providerSeeds,
    apiRateLimitPerMinute: config.apiRateLimit,
    isChatSharingEnabled: config.chatSharingEnabled,
    trustedProxies: config.trustedProxies,
    encryptionKeys:
      configuredKeys.length > 0
        ? configuredKeys
        : [loadOrMakeEncryptionKey(config.dataDir, random)],
  };
}

/** Null: tracing is switched off. */
async function openTracing(
  { config, log, clock, random }: ServerDeps,
  resources: AsyncDisposableStack,
): Promise<Tracing | null> {
  if (config.tracing === null) return null;
  const options = tracingOptionsOf(config.tracing);
  const tracing = await startTracing(options, { log, clock, random });
  log.info({ endpoint: options.endpoint }, "sending traces");
  return resources.use(tracing);
}

type GatewayParts = {
  readonly controlPlane: ControlPlane;
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
  /** Null: it shares nothing. */
  readonly membership: GatewayMembership | null;
};

function startOurGateway(
  deps: ServerDeps,
  { controlPlane, metrics, tracing, membership }: GatewayParts,
): Gateway {
  const { config, random, log } = deps;
  // Threads that share what they learn must mean the same by a time.
  const clock = membership === null ? deps.clock : processClock;
  return startGateway({
    providers: controlPlane.providers,
    authorizer: controlPlane.authorizer,
    recorder: controlPlane.recorder,
    peers: config.aiGatewayShareTrouble ? controlPlane.gatewayPeers : null,
    clock,
    random,
    log,
    metrics,
    tracer: tracing?.tracer ?? null,
    config: gatewayConfigOf(config),
    ...(membership === null ? {} : { membership }),
  });
}

function serveChats(
  { config, clock, random, log }: ServerDeps,
  parts: Pick<Parts, "controlPlane" | "gateway" | "metrics" | "database"> & {
    readonly pubSub: PubSub;
  },
  resources: AsyncDisposableStack,
): ChatDaemon {
  const { controlPlane, gateway, metrics, database, pubSub } = parts;
  const { providers, people, workspaces, secrets, costs, audit, serverId, lines } =
    controlPlane.chats;
  const outbound = resources.use(
    openOutboundFetch({
      connectMs: config.aiGatewayConnectTimeoutMs,
      headerMs: config.aiGatewayStreamHeaderTimeoutMs,
      idleMs: config.aiGatewayIdleTimeoutMs,
    }),
  );
  const chats = startChatDaemon({
    ...{ database, pubSub, clock, random, log, metrics, providers, people, workspaces, secrets },
    ...{ costs, audit, serverId, lines },
    links: controlPlane.workspaceLinks,
    providerAuth: controlPlane.providerAuth,
    transports: gateway?.transports ?? null,
    directFetch: outbound.fetch,
    config: {
      isGatewayRoutingEnabled: config.aiGatewayEnabled && config.chatAiGatewayRoutingEnabled,
      host: { version: VERSION, platform: process.platform, architecture: process.arch },
      queueMax: config.chatMaxQueuedMessages,
      limits: {
        topLevelMax: limitOf(config.chatMaxWorking),
        subagentsMax: limitOf(config.chatMaxWorkingSubagents),
      },
      accessUrl: config.accessUrl,
      retentionMs: limitOf(config.chatRetentionMs),
      autoArchiveMs: limitOf(config.chatAutoArchiveMs),
      isSharingEnabled: config.chatSharingEnabled,
      isDebugForced: config.chatDebugLoggingEnabled,
    },
  });
  resources.use(chats);
  resources.use(controlPlane.chats.serveWith(chats));
  return chats;
}

/** 0 means no limit. */
function limitOf(count: number): number | null {
  return count === 0 ? null : count;
}

type Parts = {
  readonly controlPlane: ControlPlane;
  readonly gateway: Gateway | null;
  readonly metrics: Metrics;
  readonly database: Database;
};

/** Hands each request to the part that answers it. Synchronous for the gateway: the hot path. */
function answerer({ config, log, clock }: ServerDeps, parts: Parts) {
  const { controlPlane, gateway, metrics, database } = parts;
  const readiness = new Readiness(clock, () => database.pool.query("select 1"));
  const agentFile = new AgentFile({ clock, load: () => loadAgentFile(log) });
  const areMetricsHere = config.prometheusEnable && config.prometheusAddress === null;
  const { previewWildcard: wildcard } = config;
  const dashboard = new DashboardFiles(DASHBOARD_DIRECTORY, framesOf(config));
  const answerLater = (work: Promise<void>, response: ServerResponse): void => {
    work.catch((error: unknown) => {
      log.error({ error }, "request crashed");
      response.destroy();
    });
  };
  return (request: IncomingMessage, response: ServerResponse): void => {
    const target = targetOfRequest(request, wildcard);
    if (target.kind === "gateway" && gateway !== null) gateway.handle(request, response, target);
    else if (target.kind === "preview") controlPlane.previews?.handle(request, response);
    else if (target.kind === "preview_auth" && controlPlane.previews !== null)
      controlPlane.previews.authorize(request, response);
    else if (target.kind === "liveness") answerText(request, response, { status: 200, text: "OK" });
    else if (target.kind === "readiness")
      answerLater(answerReadiness(readiness, request, response), response);
    else if (target.kind === "metrics" && areMetricsHere)
      answerLater(answerMetrics(metrics, response), response);
    else if (target.kind === "workspace_agent")
      answerLater(agentFile.answer(request, response), response);
    else if (target.kind === "dashboard" && isRead(request))
      answerLater(
        answerDashboard({ dashboard, controlPlane }, target.path, request, response),
        response,
      );
    else controlPlane.handle(request, response);
  };
}

/** What pages of the dashboard may show in a frame: previews, and on the way to them the access URL. */
function framesOf({ previewWildcard, accessUrl }: ServerConfig): readonly string[] {
  return previewWildcard === null
    ? []
    : [previewFrameSource(previewWildcard), new URL(accessUrl).origin];
}

/** Programs that took a wrong path hear so from the API; only a browser gets a page for it. */
async function answerDashboard(
  { dashboard, controlPlane }: DashboardParts,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (await dashboard.answerFile(path, request, response)) return;
  if (request.headers.accept?.includes("text/html")) {
    await dashboard.answerPage(path, request, response);
  } else if (path === "/") answerText(request, response, { status: 200, text: FRONT_PAGE });
  else controlPlane.handle(request, response);
}

type DashboardParts = {
  readonly dashboard: DashboardFiles;
  readonly controlPlane: ControlPlane;
};

function isRead({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

/** Where `npm run build` puts it. */
const DASHBOARD_DIRECTORY = join(import.meta.dirname, "../../../dist/dashboard");

/** For people at a terminal. */
const FRONT_PAGE = `Atelier ${VERSION} is running. Open this address in a browser for the dashboard.

API:      /api/v2/docs
Health:   /healthz
Gateway:  /api/v2/ai-gateway/<provider>/
`;

async function answerReadiness(
  readiness: Readiness,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isReady = await readiness.isReady();
  const text = isReady ? "OK" : "The database does not answer.\n";
  answerText(request, response, { status: isReady ? 200 : 503, text });
}

async function serveMetrics(
  address: Address,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
  resources: AsyncDisposableStack,
): Promise<void> {
  const server = createHttpServer((request, response) => {
    if (targetOf(request.url ?? "").kind !== "metrics") {
      answerText(request, response, { status: 404, text: "Metrics are at /metrics.\n" });
      return;
    }
    answerMetrics(metrics, response).catch((error: unknown) => {
      log.error({ error }, "metrics crashed");
      response.destroy();
    });
  });
  const bound = await listen(server, address, "prometheus-address");
  logErrorsOf(server, log);
  log.info({ url: `http://${formatAddress(bound)}/metrics` }, "serving metrics");
  resources.defer(() => {
    server.close();
    server.closeAllConnections();
  });
}

async function drain(
  { config, clock, log }: ServerDeps,
  connections: HttpDrain,
  gateway: Gateway | null,
): Promise<void> {
  const timeoutMs = config.shutdownTimeoutMs;
  log.info({ connections: connections.openConnections, timeoutMs }, "draining requests");
  const [{ cut }] = await Promise.all([
    connections.drain(clock, timeoutMs + LAST_BYTES_MS),
    gateway === null ? null : drainGateway({ config, clock }, gateway),
  ]);
  if (cut > 0) log.warn({ connections: cut }, "connections cut at shutdown-timeout");
}

function drainGateway(
  { config, clock }: Pick<ServerDeps, "config" | "clock">,
  gateway: Gateway,
): Promise<void> {
  return abortingAfter(clock, config.shutdownTimeoutMs, (signal) => gateway.drain(signal));
}

async function finishRecording(
  recorder: InterceptionRecorder,
  { clock, log }: ServerDeps,
): Promise<void> {
  try {
    await abortingAfter(clock, RECORD_MS_MAX, (signal) => recorder.drain(signal));
  } catch (error) {
    log.error({ error }, "records of the last gateway requests are lost");
  }
}
