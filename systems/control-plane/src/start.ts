/**
 * Starts the control plane: people, credentials, model providers, usage and audit, on Postgres. It
 * listens nowhere: the process hands API requests over with `handle`, and gives the ports to the
 * gateway. Disposing it ends the background work and closes what is under way.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Secret } from "@atelier/base/secret";
import type {
  CallerAuthorizer,
  GatewayHealth,
  InterceptionRecorder,
  ProviderSource,
  ProviderTester,
} from "@atelier/contract/rpc/gateway-ports";
import { SOCKETS } from "@atelier/contract/http/endpoints";
import { CHAT_ACCESS_CHANGED } from "@atelier/contract/rpc/chat-service";
import type { GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import type { ProviderAuthSource } from "@atelier/contract/rpc/model-transport";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { Metrics } from "@atelier/host/metrics";
import { StartError } from "@atelier/host/start-error";
import { Tasks } from "@atelier/host/tasks";
import type { PreviewWildcard } from "@atelier/contract/preview-address";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { CachedCallerAuthorizer } from "./access/caller-authorizer.ts";
import { findChatSubject } from "./access/chat-owner-store.ts";
import { KnownKeys } from "./access/known-keys.ts";
import { KeyUsage } from "./access/key-usage.ts";
import { PRINCIPALS_CHANGED } from "./access/principal-change.ts";
import { findUserId } from "./access/principal-store.ts";
import type { ChatSubject } from "./access/actor.ts";
import { startGatewayNews } from "./ai-providers/gateway-news-task.ts";
import { LateGatewayHealth } from "./ai-providers/late-gateway-health.ts";
import { modelProviderRoutes } from "./ai-providers/model-provider-routes.ts";
import { obeyProviderKeyResets } from "./ai-providers/provider-key-reset.ts";
import type { ProviderSeed } from "./ai-providers/provider-seed.ts";
import { ProviderTestAdmission } from "./ai-providers/provider-test-admission.ts";
import { providerTestRoute } from "./ai-providers/provider-test-routes.ts";
import { seedModelProviders } from "./ai-providers/provider-seeding-actions.ts";
import {
  startProviderSnapshots,
  type ProviderFollowing,
} from "./ai-providers/provider-snapshot-task.ts";
import { startCatalogPrices } from "./ai-prices/catalog-price-task.ts";
import { modelPriceRoutes } from "./ai-prices/model-price-routes.ts";
import { loadPriceCatalog } from "./ai-prices/price-catalog.ts";
import { startOrphanTask } from "./ai-usage/interception-orphan-task.ts";
import type { RecordingPeers } from "./ai-usage/record-writer-actions.ts";
import { priceLateRequests } from "./ai-usage/usage-repricing-actions.ts";
import { startUsageRetentionTask } from "./ai-usage/usage-retention-task.ts";
import { MODELS_SEEN } from "./ai-usage/usage-record.ts";
import { usageTotalsRoutes } from "./ai-usage/usage-totals-routes.ts";
import { usageRoutes } from "./ai-usage/usage-routes.ts";
import { BriefMemory } from "./ai-user-keys/brief-memory.ts";
import { providerAuthSource } from "./ai-user-keys/user-provider-key-actions.ts";
import { userProviderKeyRoutes } from "./ai-user-keys/user-provider-key-routes.ts";
import { auditLogRoutes } from "./audit-log/audit-log-routes.ts";
import { auditEventPiece, insertAuditEvent } from "./audit/audit-store.ts";
import { deploymentRoutes, type OptionRow } from "./deployment/deployment-routes.ts";
import { keepPartitions } from "./deployment/partition-task.ts";
import type { Replica } from "./deployment/replica-store.ts";
import { beatReplica, keepReplica, replacePredecessors } from "./deployment/replica-task.ts";
import { getDeploymentId } from "./deployment/site-setting-store.ts";
import type { PrincipalSource } from "./caller-authorizer-elsewhere.ts";
import { AccessGuard } from "./http/access-guard.ts";
import { createApi } from "./http/api.ts";
import type { WorkspaceRef } from "./http/admit.ts";
import type { TrustedProxies } from "./http/client-address.ts";
import { signInCookies } from "./http/presented-token.ts";
import { RateLimit } from "./http/rate-limit.ts";
import type { Route } from "./http/route.ts";
import { SocketPulse } from "./http/socket-pulse-io.ts";
import { createUpgrades, SERVER_STOPS } from "./http/upgrades-io.ts";
import { deleteApiKeysOf } from "./sign-in/api-key-store.ts";
import { apiTokenRoutes } from "./sign-in/api-token-routes.ts";
import { keepKeys } from "./sign-in/key-upkeep-task.ts";
import { LoginThrottle } from "./sign-in/login-throttle.ts";
import {
  authenticate,
  authenticateDelegated,
  assumeForChat,
  authenticateForChat,
} from "./sign-in/principal-actions.ts";
import { signInRoutes } from "./sign-in/sign-in-routes.ts";
import { recordingElsewhere, type RecordingElsewhere } from "./recorder-elsewhere.ts";
import { chatPorts, type ChatPorts } from "./start-chat-ports.ts";
import { startPreviews, type PreviewHosts } from "./start-previews.ts";
import { startRecording, type RecordingConfig } from "./start-recording.ts";
import { startWorkspaces } from "./start-workspaces.ts";
import { PasswordHasher } from "./users/password-hasher.ts";
import { userRoutes } from "./users/user-routes.ts";
import { registerEncryptionKeys } from "./vault/encryption-key-actions.ts";
import { createVault, type Vault } from "./vault/vault.ts";
import { findWorkspaceSubject } from "./workspaces/workspace-store.ts";

export type ControlPlaneConfig = {
  /** Where people reach this deployment. */
  readonly accessUrl: string;
  /** Below which ports of workspaces are hosts of their own. Null: they are not. */
  readonly previewWildcard: PreviewWildcard | null;
  readonly sessionDurationMs: number;
  readonly defaultTokenLifetimeMs: number;
  readonly maxTokenLifetimeMs: number;
  /** 0: the audit log is kept forever. */
  readonly auditRetentionMs: number;
  /** 0: the connection log is kept forever. */
  readonly connectionLogRetentionMs: number;
  /** 0: usage records are kept forever. */
  readonly usageRetentionMs: number;
  /** 0: sums of usage are kept forever. */
  readonly usageTotalsRetentionMs: number;
  /** Also write each usage record to the log, prompts included. */
  readonly logUsageRecords: boolean;
  readonly recording: RecordingConfig;
  /** Whether people may bring their own keys: then a provider without keys can serve, too. */
  readonly allowByok: boolean;
  /** Model providers that the start stores where they are missing. */
  readonly providerSeeds: readonly ProviderSeed[];
  /** Base64 of 32 bytes each. The first encrypts. */
  readonly encryptionKeys: readonly Secret[];
  /** Per user or address. 0: no limit. */
  readonly apiRateLimitPerMinute: number;
  /** Whether people may let others read their chats. */
  readonly isChatSharingEnabled: boolean;
  readonly trustedProxies: TrustedProxies;
};

export type ControlPlaneDeps = {
  readonly database: Database;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly config: ControlPlaneConfig;
  readonly version: string;
  readonly hostname: string;
  /** Every option with its value, secrets masked. */
  readonly optionRows: readonly OptionRow[];
  /** Other threads of this server that record. Absent: there are none. */
  readonly recordingPeers?: RecordingPeers;
};

export interface ControlPlane extends AsyncDisposable {
  /** Answers one request under `/api`. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Takes over a request to upgrade, and answers it if it is refused. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ports of workspaces in browsers. Null: the option that gives them hosts is not set. */
  readonly previews: PreviewHosts | null;
  /** Tells other servers where this one is reached, once it listens. */
  reachableAt(relayUrl: string): Promise<void>;
  /** Ends what stays open, and lets nothing more in: those on the other side connect elsewhere. */
  closeSockets(): void;
  readonly providers: ProviderSource & ProviderFollowing;
  readonly authorizer: CallerAuthorizer;
  /** For authorizers in other threads. */
  readonly principals: PrincipalSource;
  readonly recorder: InterceptionRecorder;
  /** For recorders in other threads. Null: what they record goes through this one's. */
  readonly recording: RecordingElsewhere | null;
  /** Where workspaces are, for whoever works in them. */
  readonly workspaceLinks: WorkspaceLinks;
  /** To the gateways of the other servers. */
  readonly gatewayPeers: GatewayPeers;
  /** People's own provider keys, for what this process calls for them. */
  readonly providerAuth: ProviderAuthSource;
  /** What chats need, and how they come to answer their part of the API. */
  readonly chats: ChatPorts;
  /** Called once a gateway runs in this process: its keys and breakers are then reported. */
  observeGateway(health: GatewayHealth): void;
  /** Called then too: model providers can be tested from then on. */
  testProvidersWith(tester: ProviderTester): void;
  /** What `handle` serves: for tests of the whole API. */
  readonly routes: readonly Route[];
}

export async function startControlPlane(deps: ControlPlaneDeps): Promise<ControlPlane> {
  const { database, clock, random, log } = deps;
  await using resources = new AsyncDisposableStack();
  const tasks = resources.use(new Tasks(log));
  const usage = new KeyUsage();
  const { authorizer, principals } = callersOf(deps, usage, resources);
  const replicaId = random.uuid();
  const vault = await openVault(deps);
  const models = await startModels(deps, { tasks, resources, replicaId, vault });
  const access = accessOf(deps, usage, resources);
  const { accessUrl } = deps.config;
  const upgradeDeps = { ...access, clock, random, log, accessUrl };
  const workspaces = startWorkspaces(
    { ...deps, vault, replicaId, accessUrl, upgrades: upgradeDeps },
    { tasks, resources },
  );
  const previews = startPreviews({ ...deps, vault, access, workspaces }, resources);
  const chats = chatPorts(deps, {
    ...{ vault, replicaId, upgrades: upgradeDeps, providers: models.providers },
  });
  const upgrades = createUpgrades(
    [...workspaces.upgradeRoutes, ...chats.upgradeRoutes],
    upgradeDeps,
  );
  const routes = await routesOf(deps, usage, [models, workspaces, previews, chats]);
  const api = resources.use(
    await createApi(routes, {
      ...{ ...access, clock, random, log, insertAuditEvent, auditEventPiece, sql: database.sql },
      version: deps.version,
      observe: observer(deps.metrics),
      streams: workspaces.streams,
      webSocketPaths: WEB_SOCKET_PATHS,
    }),
  );
  tasks.run("open connections", (signal) => access.guard.keepRechecking(signal));
  const replica = await startUpkeep(deps, { tasks, usage, replicaId });

  const owned = resources.move();
  return {
    handle: (request, response) => api.handle(request, response),
    upgrade: (request, socket, head) => upgrades.handle(request, socket, head),
    reachableAt: replica.reachableAt,
    previews: previews.hosts,
    closeSockets: () => {
      for (const each of [upgrades, previews]) each.close();
      access.guard.endAll(SERVER_STOPS);
      workspaces.drain();
      chats.drain();
    },
    workspaceLinks: workspaces.links,
    providers: models.providers,
    authorizer,
    principals,
    recorder: models.recorder,
    recording: models.recording,
    providerAuth: models.providerAuth,
    chats: chats.ports,
    gatewayPeers: models.peers,
    observeGateway: (health) => models.health.observe(health),
    testProvidersWith: (tester) => models.tests.attach(tester),
    routes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const WEB_SOCKET_PATHS = SOCKETS.filter(({ transport }) => transport === "websocket").map(
  ({ path }) => path,
);

async function routesOf(
  deps: ControlPlaneDeps,
  usage: KeyUsage,
  parts: readonly { readonly routes: readonly Route[] }[],
): Promise<readonly Route[]> {
  return [...(await peopleRoutes(deps, usage)), ...parts.flatMap(({ routes }) => routes)];
}

/** Who asks the gateway: from memory, and as it is read. */
function callersOf(deps: ControlPlaneDeps, usage: KeyUsage, resources: AsyncDisposableStack) {
  const { database, pubSub, clock, log } = deps;
  const loadPrincipal = (token: string) => authenticate({ database, clock, usage }, token);
  const loadPrincipalOfKey = (apiKeyId: string) =>
    authenticateDelegated({ database, clock }, apiKeyId);
  const authorizer = resources.use(
    new CachedCallerAuthorizer({ clock, log, usage, pubSub, loadPrincipal, loadPrincipalOfKey }),
  );
  const principals = principalSourceOf(deps, usage, {
    load: loadPrincipal,
    loadOfKey: loadPrincipalOfKey,
  });
  return { authorizer, principals };
}

/** For whoever keeps a cache of callers of its own. */
function principalSourceOf(
  { pubSub }: ControlPlaneDeps,
  usage: KeyUsage,
  loads: Pick<PrincipalSource, "load" | "loadOfKey">,
): PrincipalSource {
  return {
    ...loads,
    get isConnected() {
      return pubSub.isConnected;
    },
    note: (uses) => {
      for (const use of uses) usage.note(use);
    },
    follow: (on) => pubSub.subscribe(PRINCIPALS_CHANGED, on),
  };
}

/** Who is let in: by requests, and by what stays open. */
function accessOf(
  { database, pubSub, clock, log, config }: ControlPlaneDeps,
  usage: KeyUsage,
  resources: AsyncDisposableStack,
) {
  const forChats = { database, clock, usage, knownKeys: new KnownKeys() };
  const findWorkspace = (ref: WorkspaceRef) => findWorkspaceSubject(database.sql, ref);
  const findActor = async (apiKeyId: string) =>
    (await authenticateDelegated({ database, clock }, apiKeyId))?.actor ?? null;
  const asShared = (chat: ChatSubject | undefined): ChatSubject | undefined =>
    chat && { ...chat, isShared: chat.isShared && config.isChatSharingEnabled };
  const findChat = async (chatId: string, userId: string) =>
    asShared(await findChatSubject(database.sql, chatId, userId));
  const guard = new AccessGuard({ clock, log, findActor, findWorkspace, findChat });
  const readersChanged = (): void => guard.chatReadersChanged();
  const on = { message: readersChanged, resync: readersChanged };
  resources.use(pubSub.subscribe(CHAT_ACCESS_CHANGED, on));
  return {
    authenticate: async (token: string) =>
      (await authenticate({ database, clock, usage }, token))?.actor ?? null,
    authenticateForChat: async (token: string, chatId: string) => {
      const entered = await authenticateForChat(forChats, token, chatId);
      return entered && { actor: entered.principal.actor, chat: asShared(entered.chat) };
    },
    assumeForChat: (token: string, chatId: string) => {
      const assumed = assumeForChat(forChats, token, chatId);
      return (
        assumed && { ...assumed, actor: assumed.principal.actor, chat: asShared(assumed.chat) }
      );
    },
    findUserId: (ref: string) => findUserId(database.sql, ref),
    findWorkspace,
    findChat,
    rateLimit: new RateLimit(clock, config.apiRateLimitPerMinute),
    cookies: signInCookies(config.accessUrl),
    findActor,
    guard,
    trustedProxies: config.trustedProxies,
    pulse: new SocketPulse(clock),
  };
}

async function peopleRoutes(deps: ControlPlaneDeps, usage: KeyUsage): Promise<readonly Route[]> {
  const { database, clock, random, config, version, optionRows } = deps;
  const accessUrl = config.accessUrl.replace(/\/+$/, "");
  const hasher = new PasswordHasher();
  const signInDeps = {
    database,
    clock,
    random,
    hasher,
    usage,
    throttle: new LoginThrottle(clock),
    sessionDurationMs: config.sessionDurationMs,
    tokenLifetimes: config,
    isAccessUrlSecure: accessUrl.startsWith("https:"),
    cookies: signInCookies(accessUrl),
  };
  const deploymentId = await getDeploymentId(database.sql);
  return [
    ...userRoutes({ database, clock, random, hasher, revokeKeys: deleteApiKeysOf }),
    ...signInRoutes(signInDeps),
    ...apiTokenRoutes(signInDeps),
    ...auditLogRoutes({ database }),
    ...deploymentRoutes({ version, accessUrl, deploymentId, optionRows }),
  ];
}

type Models = {
  readonly providers: ProviderSource & ProviderFollowing;
  readonly health: LateGatewayHealth;
  readonly peers: GatewayPeers;
  readonly tests: ProviderTestAdmission;
  readonly recorder: InterceptionRecorder;
  readonly recording: RecordingElsewhere | null;
  readonly providerAuth: ProviderAuthSource;
  readonly routes: readonly Route[];
};

/** Model providers, and the record of what goes through the gateway. */
async function startModels(
  deps: ControlPlaneDeps,
  parts: {
    readonly tasks: Tasks;
    readonly resources: AsyncDisposableStack;
    readonly replicaId: string;
    readonly vault: Vault;
  },
): Promise<Models> {
  const { database, pubSub, clock, random, log, metrics, config } = deps;
  const { tasks, resources, replicaId, vault } = parts;
  const seeded = await seedModelProviders(
    { database, vault, clock, random, log },
    config.providerSeeds,
  );
  if (!seeded.ok) throw new StartError(seeded.failure.join("\n"));
  const { allowByok: isByokAllowed, usageRetentionMs, logUsageRecords: logRecords } = config;
  const { recording } = config;
  const snapshotDeps = { database, pubSub, vault, clock, log, metrics, tasks, isByokAllowed };
  const snapshots = await startProviderSnapshots(snapshotDeps);
  const health = new LateGatewayHealth();
  const tests = new ProviderTestAdmission();
  resources.use(obeyProviderKeyResets(pubSub, { health, providers: snapshots }));
  const recorderDeps = { database, clock, random, log, metrics, replicaId, logRecords, recording };
  const peers = deps.recordingPeers;
  const recorder = await startRecording({ ...recorderDeps, tasks, peers }, resources);
  startOrphanTask({ database, clock, log, replicaId, tasks });
  const { usageTotalsRetentionMs: totalsRetentionMs } = config;
  const retentionDeps = { retentionMs: usageRetentionMs, totalsRetentionMs };
  startUsageRetentionTask({ database, clock, log, tasks, ...retentionDeps });
  startCatalogPrices({
    ...{ database, pubSub, clock, log, tasks },
    channel: MODELS_SEEN,
    loadCatalog: loadPriceCatalog,
    onPrices: (signal) => priceLateRequests({ database, clock }, signal),
  });
  const keyless = new BriefMemory<Uint8Array | undefined>(clock);
  const userKeyDeps = { database, vault, clock, isByokAllowed, keyless };
  return {
    providers: snapshots,
    health,
    peers: startGatewayNews({ database, pubSub, clock, log, tasks, replicaId }),
    tests,
    recorder,
    recording:
      recording.mode === "strict" ? recordingElsewhere({ ...recorderDeps, recorder }) : null,
    providerAuth: providerAuthSource(userKeyDeps),
    routes: [
      ...modelProviderRoutes({ database, vault, clock, random, status: snapshots, health }),
      ...userProviderKeyRoutes(userKeyDeps),
      providerTestRoute({ database, vault, tests, health }),
      ...usageRoutes({ database }),
      ...usageTotalsRoutes({ database, clock }),
      ...modelPriceRoutes({ database, clock }),
    ],
  };
}

/** Refuses to start with keys that are malformed, or without one that sealed something stored. */
async function openVault({ database, clock, config }: ControlPlaneDeps): Promise<Vault> {
  const vault = createVault(config.encryptionKeys);
  if (!vault.ok) throw new StartError(vault.failure.join("\n"));
  const registered = await registerEncryptionKeys({ database, clock }, vault.value);
  if (!registered.ok) throw new StartError(registered.failure.join("\n"));
  return vault.value;
}

async function startUpkeep(
  deps: ControlPlaneDeps,
  parts: { readonly tasks: Tasks; readonly usage: KeyUsage; readonly replicaId: string },
): Promise<Pick<ControlPlane, "reachableAt">> {
  const { database, clock, log, hostname, version } = deps;
  const { tasks, usage, replicaId } = parts;
  const startedAt = clock.now();
  let replica: Replica = { id: replicaId, hostname, version, startedAt, relayUrl: null };
  // Before anything refers to it: what a server without a row holds counts for nothing.
  await beatReplica({ database, clock, log }, replica);
  const auditLog = {
    table: "audit_events",
    timeColumn: "time",
    retentionMs: deps.config.auditRetentionMs,
  };
  const connectionLog = {
    table: "connection_log",
    timeColumn: "connected_at",
    retentionMs: deps.config.connectionLogRetentionMs,
  };
  const usageTotals = {
    table: "ai_usage_totals",
    timeColumn: "quarter",
    retentionMs: deps.config.usageTotalsRetentionMs,
  };
  const partitioned = [auditLog, connectionLog, usageTotals];
  tasks.run("heartbeat", (signal) => keepReplica({ database, clock, log }, () => replica, signal));
  tasks.run("credentials", (signal) => keepKeys({ database, clock, log, usage }, signal));
  tasks.run("partitions", (signal) =>
    keepPartitions({ database, clock, log }, partitioned, signal),
  );
  return {
    reachableAt: async (relayUrl) => {
      replica = { ...replica, relayUrl };
      await replacePredecessors({ database, clock, log }, replica);
      await beatReplica({ database, clock, log }, replica);
    },
  };
}

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

function observer(metrics: Metrics): Parameters<typeof createApi>[1]["observe"] {
  const seconds = metrics.histogram(
    "api_request_seconds",
    "Time to answer a request of the API, by route and status",
    ["method", "route", "status"],
    SECONDS_BUCKETS,
  );
  return ({ method, route, status, durationMs }) =>
    seconds.observe({ method, route, status: String(status) }, durationMs / 1_000);
}
