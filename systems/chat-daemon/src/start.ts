/**
 * The chat daemon: agents as durable chats. `startChatDaemon()` is the system's only export.
 *
 * It knows people, providers and workspaces by ports, and answers its part of the API as a service.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  ChatAudit,
  ChatCosts,
  ChatPeople,
  ChatProviderCatalog,
  ChatSecrets,
  ChatWorkspaceDirectory,
} from "@atelier/contract/rpc/chat-ports";
import type { PartLines, PartLineService } from "@atelier/contract/rpc/chat-part-lines";
import type { ChatService, ChatSocketService } from "@atelier/contract/rpc/chat-service";
import type {
  ModelFetch,
  ModelTransports,
  ProviderAuthSource,
} from "@atelier/contract/rpc/model-transport";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { Metrics } from "@atelier/host/metrics";
import { Tasks } from "@atelier/host/tasks";
import {
  autoArchiveSetting,
  chatSettingService,
  personalModelsSetting,
  retentionSetting,
  systemPromptSetting,
} from "./chat-settings/chat-setting-actions.ts";
import {
  areCallsRecordedOf,
  debugRetentionSetting,
} from "./chat-settings/debug-setting-actions.ts";
import { chatNewsWatch } from "./chat-stream/chat-news-actions.ts";
import { ChatMoves } from "./chat-stream/chat-moves-task.ts";
import { chatSocketService } from "./chat-stream/chat-socket-routes.ts";
import { ChatViewers } from "./chat-stream/chat-viewers-actions.ts";
import { DialledLines } from "./chat-stream/part-lines-actions.ts";
import { partLineService } from "./chat-stream/part-line-service-actions.ts";
import { PartSources } from "./chat-stream/part-sources-actions.ts";
import { keepArchiving } from "./chats/auto-archive-task.ts";
import { markReadBy, showChatsById } from "./chats/chat-actions.ts";
import type { ChatDeps } from "./chats/chat-deps.ts";
import { chatService } from "./chats/chat-routes.ts";
import { keepPurging } from "./chats/purge-task.ts";
import { forgetAnswers } from "./chats/request-keys-task.ts";
import { keepDebugRuns } from "./debug-runs/debug-cleanup-task.ts";
import type { DebugRecorder, HttpTap } from "./debug-runs/debug-recorder.ts";
import { chatDebugService } from "./debug-runs/debug-run-routes.ts";
import { DebugWriting } from "./debug-runs/debug-writing-task.ts";
import { ClientTap } from "./debug-runs/http-tap-io.ts";
import { showChatDiff } from "./diffs/chat-diff-actions.ts";
import { DiffLooks } from "./diffs/diff-looks-task.ts";
import { BufferedEpisodes } from "./live-parts/live-episodes-actions.ts";
import { PartBuffer } from "./live-parts/part-buffer.ts";
import { PartJournal } from "./live-parts/part-journal-actions.ts";
import { callMcpTool, listMcpTools } from "./mcp/mcp-client-io.ts";
import { mcpAuthorizer } from "./mcp/mcp-oauth-io.ts";
import { McpSignIns } from "./mcp/mcp-sign-in-actions.ts";
import { chooseServers } from "./mcp/mcp-server-actions.ts";
import { mcpServerService } from "./mcp/mcp-server-routes.ts";
import { McpTools, type McpClient } from "./mcp/mcp-tools-actions.ts";
import { chatModelsService } from "./models/chat-models-routes.ts";
import { MODEL_BUILDERS } from "./models/model-builders-io.ts";
import { newModel } from "./models/model-clients-io.ts";
import { agentsUserAgent } from "./models/model-route.ts";
import type { ModelRouter } from "./models/model-router.ts";
import {
  resolveModelRouteForConfig,
  resolveModelRouteForProviderType,
} from "./models/model-routing-actions.ts";
import {
  chooseComputerUseModel,
  chooseLightModel,
  chooseModelForNewChat,
  chooseModelOfChat,
  chooseOverride,
  type SelectionDeps,
} from "./models/model-selection-actions.ts";
import { isChoosable } from "./models/usable-models-actions.ts";
import { proposeTitle } from "./quickgen/quickgen-actions.ts";
import { ShortTexts } from "./quickgen/short-texts-task.ts";
import { keepReadingWords } from "./search/chat-words-task.ts";
import { chatSharingService } from "./sharing/sharing-routes.ts";
import { SpendingGate } from "./spending/spending-actions.ts";
import { chatSpendingService } from "./spending/spending-routes.ts";
import { TURN_BESIDE, turnDeps } from "./start-turns.ts";
import { listQueuedForCapacity, type ChatLimits } from "./state/acquisition-store.ts";
import { createChatMachine } from "./state/chat-machine-actions.ts";
import type { ChatMachine, OwnViewers, OwnWorker } from "./state/chat-machine.ts";
import { runGeneration } from "./turn/generation-task.ts";
import { TurnHeadStart } from "./turn/head-start-actions.ts";
import { runInterruption } from "./turn/interrupt-task.ts";
import type { TurnDeps, TurnRun } from "./turn/turn-deps.ts";
import { startChatWorker, type ChatWorkerDeps } from "./worker/chat-worker-task.ts";
import type { RunnerTaskContext, RunnerTasks } from "./worker/runner-tasks.ts";

export type ChatDaemonConfig = {
  /** Whether chats reach models through this deployment's gateway; else they call providers directly. */
  readonly isGatewayRoutingEnabled: boolean;
  /** What providers are told of this server. */
  readonly host: Parameters<typeof agentsUserAgent>[0];
  /** Messages that wait in one chat. */
  readonly queueMax: number;
  /** How many chats work at once, on all servers together. */
  readonly limits: ChatLimits;
  /** Of this server, as browsers reach it; without a slash at the end. */
  readonly accessUrl: string;
  /** How long archived chats are kept. Null: for ever. */
  readonly retentionMs: number | null;
  /** Chats that nobody did anything with for so long are archived. Null: never. */
  readonly autoArchiveMs: number | null;
  /** Whether people may let others read their chats. */
  readonly isSharingEnabled: boolean;
  /** The model calls of all chats are recorded. */
  readonly isDebugForced: boolean;
};

export type ChatDaemonDeps = {
  readonly database: Database;
  readonly pubSub: PubSub;
  /** Of this server, among those that share the database; another one after each start. */
  readonly serverId: string;
  /** To the servers that drive chats which are watched here. */
  readonly lines: PartLines;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly providers: ChatProviderCatalog;
  readonly people: ChatPeople;
  readonly workspaces: ChatWorkspaceDirectory;
  readonly links: WorkspaceLinks;
  readonly secrets: ChatSecrets;
  readonly costs: ChatCosts;
  readonly audit: ChatAudit;
  /** People's own provider keys. */
  readonly providerAuth: ProviderAuthSource;
  /** Of the gateway in this process. Null: there is none. */
  readonly transports: ModelTransports | null;
  /** For calls that do not go through the gateway. */
  readonly directFetch: ModelFetch;
  readonly config: ChatDaemonConfig;
};

/** Disposed, it gives the chats that it drives to other servers, and writes what was shown. */
export interface ChatDaemon extends AsyncDisposable {
  /** Answers the API's part about chats. */
  readonly service: ChatService;
  readonly sockets: ChatSocketService;
  /** Tells other servers what chats that are driven here say. */
  readonly partLines: PartLineService;
  /** The one way to models. */
  readonly models: ModelRouter;
}

export function startChatDaemon(deps: ChatDaemonDeps): ChatDaemon {
  const { database, pubSub, clock, random, log, config } = deps;
  const resources = new AsyncDisposableStack();
  const tasks = resources.use(new Tasks(log));
  const ownWorker: OwnWorker = {
    taking: (chatId, send, foreseen) => worker.taking(chatId, send, foreseen),
    hear: (chat) => worker.hear(chat),
    stepping: (runnerId, commit, foreseen) => worker.stepping(runnerId, commit, foreseen),
  };
  const ownViewers: OwnViewers = {
    during: (chatId, write) => viewers.during(chatId, write),
    tell: (chat, added) => viewers.tell(chat, added),
  };
  const machine = createChatMachine(
    { database, clock, ownWorker, ownViewers, besideTaken: TURN_BESIDE },
    { queueMax: config.queueMax },
  );
  const live = startLiveParts(deps, tasks);
  const viewers = startViewers(deps, { live, tasks, resources });
  startUpkeep(deps, tasks, machine);
  const selection = selectionOf(deps);
  const models = modelRouter(deps, selection);
  const debug = startDebugRuns(deps, tasks);
  const texts = { database, clock, log, models, recorder: debug.recorder, tapOf: debug.tapOf };
  const shortTexts = resources.use(new ShortTexts(texts));
  const signIns = mcpSignIns(deps);
  const mcp = mcpTools(deps, signIns);
  const diffs = resources.use(new DiffLooks({ database, clock, log }));
  const moves = new ChatMoves({ database, clock, log });
  tasks.run("chats that move", (signal) => moves.keepTelling(signal));
  const turn = turnDeps({
    ...{ database, pubSub, clock, random, log, machine, selection, models },
    ...{ episodes: live.episodes, workspaces: deps.workspaces, links: deps.links, mcp, diffs },
    ...{ recorder: debug.recorder, isDebugForced: config.isDebugForced },
    actionBegan: (chat) => {
      moves.moved(chat);
      shortTexts.moved(chat.id);
    },
    turnEnded: (chatId, end) => {
      debug.recorder.turnEnded(chatId, end === "error" ? "error" : "completed");
      shortTexts.turnEnded(chatId, end);
    },
  });
  const worker = resources.use(
    startChatWorker(
      {
        ...{ database, pubSub, machine, clock, random, log, workerId: deps.serverId },
        headStartEnded: headStartCounter(deps.metrics),
        tasks: runnerTasks(turn, {
          chatBegan: (chatId) => shortTexts.chatBegan(chatId),
          interrupting: (chatId) => debug.recorder.turnEnded(chatId, "interrupted"),
        }),
      },
      config.limits,
    ),
  );
  const chats = chatDeps(deps, {
    ...{ machine, selection },
    proposeTitle: (chatId, signal) => proposeTitle(texts, chatId, signal),
  });
  return {
    models,
    service: serviceOf(deps, { chats, selection, debug, mcp: { tools: mcp, signIns } }),
    sockets: startSockets(deps, { chats, viewers }),
    partLines: partLineService(live.buffer),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What happens to chats without anybody's doing. */
function startUpkeep(deps: ChatDaemonDeps, tasks: Tasks, machine: ChatMachine): void {
  const { database, clock, log, audit, config } = deps;
  const settings = { database, clock, options: config };
  tasks.run("chat request keys", (signal) => forgetAnswers({ database, clock, log }, signal));
  const idleMs = () => autoArchiveSetting(settings);
  const archiving = { database, machine, clock, log, audit, idleMs };
  tasks.run("idle chats", (signal) => keepArchiving(archiving, signal));
  const purging = { database, clock, log, retentionMs: () => retentionSetting(settings) };
  tasks.run("old chats", (signal) => keepPurging(purging, signal));
  tasks.run("words of chats", (signal) => keepReadingWords({ database, clock, log }, signal));
}

/** The part of the API that chats answer. */
function serviceOf(
  deps: ChatDaemonDeps,
  {
    chats,
    selection,
    debug,
    mcp,
  }: {
    readonly chats: ChatDeps;
    readonly selection: SelectionDeps;
    readonly debug: DebugRuns;
    readonly mcp: Parameters<typeof mcpServerService>[1];
  },
): ChatService {
  const { database, clock, random, log, people, secrets, config } = deps;
  const { catalog, arePersonalModelsAllowed } = selection;
  const { isSharingEnabled } = config;
  return {
    ...chatModelsService({
      ...{ database, clock, random, log, catalog, people, arePersonalModelsAllowed },
    }),
    ...chatService(chats),
    ...chatSettingService({ database, clock, options: config }),
    ...chatSharingService({ database, clock, people, isSharingEnabled }),
    ...chatDebugService({ database, isRecorded: debug.isRecorded }),
    ...chatSpendingService({ database, clock, people, costs: chats.costs }),
    ...mcpServerService({ database, clock, random, secrets }, mcp),
  };
}

function headStartCounter(metrics: Metrics): NonNullable<ChatWorkerDeps["headStartEnded"]> {
  const ended = metrics.counter(
    "chat_head_starts_total",
    "Calls of a model that were made ready while what they answer was stored: used, or dropped because their chat was not as foreseen.",
    ["outcome"],
  );
  return (outcome) => ended.inc({ outcome });
}

/** Nothing has been answered yet. */
const FIRST_HISTORY_VERSION = 1;

function runnerTasks(
  turn: TurnDeps,
  tell: Record<"chatBegan" | "interrupting", (chatId: string) => void>,
): RunnerTasks {
  return {
    runGeneration: async (context) => {
      if (context.historyVersion === FIRST_HISTORY_VERSION) tell.chatBegan(context.chatId);
      await runGeneration(turn, toTurnRun(context));
    },
    headStart: (foreseen) => new TurnHeadStart(turn, foreseen),
    runInterrupt: async (context) => {
      tell.interrupting(context.chatId);
      await runInterruption(turn, toTurnRun(context));
    },
  };
}

type DebugRuns = {
  readonly recorder: DebugRecorder;
  readonly isRecorded: (ownerId: string) => Promise<boolean>;
  /** Null: calls for this person are not recorded. */
  readonly tapOf: (ownerId: string) => Promise<HttpTap | null>;
};

function startDebugRuns(deps: ChatDaemonDeps, tasks: Tasks): DebugRuns {
  const { database, clock, random, log, metrics, config } = deps;
  const settings = { database, clock, options: config };
  const recorder = new DebugWriting({ database, clock, random, log, metrics });
  tasks.run("chat debug records", (signal) => recorder.keepWriting(signal));
  const keeping = { database, clock, log, retentionMs: () => debugRetentionSetting(settings) };
  tasks.run("old chat debug records", (signal) => keepDebugRuns(keeping, signal));
  const isRecorded = (ownerId: string) => areCallsRecordedOf(settings, ownerId);
  const tapOf = async (ownerId: string) =>
    (await isRecorded(ownerId)) ? new ClientTap(clock) : null;
  return { recorder, isRecorded, tapOf };
}

type LiveParts = {
  readonly buffer: PartBuffer;
  readonly journal: PartJournal;
  readonly episodes: BufferedEpisodes;
};

function startLiveParts(
  { database, clock, log, serverId }: ChatDaemonDeps,
  tasks: Tasks,
): LiveParts {
  const journal = new PartJournal({
    ...{ database, clock, log, workerId: () => serverId },
    kept: (id, range) => buffer.kept(id, range),
  });
  const buffer = new PartBuffer(clock, (id, part) => journal.add(id, part));
  tasks.run("chat parts", (signal) => journal.keepWriting(signal));
  tasks.run("chat part partitions", (signal) => journal.keepHours(signal));
  return { buffer, journal, episodes: new BufferedEpisodes({ buffer, journal, clock, log }) };
}

function startViewers(
  { database, pubSub, clock, log, serverId, lines }: ChatDaemonDeps,
  parts: {
    readonly live: LiveParts;
    readonly tasks: Tasks;
    readonly resources: AsyncDisposableStack;
  },
): ChatViewers {
  const { live, tasks, resources } = parts;
  const { buffer, journal } = live;
  const dialled = resources.use(new DialledLines({ lines, clock, log }));
  const sources = new PartSources({
    ...{ clock, log, workerId: serverId, buffer, lines: dialled },
    readKept: (id, fromSeq) => journal.read(id, fromSeq),
  });
  const viewers = new ChatViewers({ database, pubSub, clock, log, sources });
  tasks.run("chat viewers", (signal) => viewers.keepPolling(signal));
  return viewers;
}

function startSockets(
  { pubSub, clock, log }: ChatDaemonDeps,
  { chats, viewers }: { readonly chats: ChatDeps; readonly viewers: ChatViewers },
): ChatSocketService {
  const showChats = (chatIds: readonly string[]) => showChatsById(chats, chatIds);
  const news = chatNewsWatch({ pubSub, clock, log, showChats });
  return chatSocketService({
    viewers,
    news,
    markRead: (chatId, viewerId) => markReadBy(chats, chatId, viewerId),
  });
}

function chatDeps(
  deps: ChatDaemonDeps,
  parts: {
    readonly machine: ChatMachine;
    readonly selection: SelectionDeps;
    readonly proposeTitle: ChatDeps["proposeTitle"];
  },
): ChatDeps {
  const { database, clock, random, log, people, workspaces } = deps;
  const { machine, selection } = parts;
  const costs = deps.config.isGatewayRoutingEnabled ? deps.costs : null;
  const gate = new SpendingGate({ database, clock, costs });
  return {
    ...{ machine, database, clock, random, log, people, workspaces, costs },
    isSharingEnabled: deps.config.isSharingEnabled,
    spendingRefusal: (userId) => gate.refusal(userId),
    unlimited: () => gate.condition,
    models: {
      defaultFor: async (ownerId, organizationId) => {
        const chosen = await chooseModelForNewChat(selection, { ownerId, organizationId });
        return chosen.ok ? { modelConfigId: chosen.value.id, reasoningEffort: null } : null;
      },
      canUse: (modelConfigId, organizationId) =>
        isChoosable(selection, modelConfigId, organizationId),
    },
    chooseMcpServers: (wanted) => chooseServers({ database }, wanted),
    systemPrompt: () => systemPromptSetting({ database }),
    queuedForCapacity: (chatIds) =>
      listQueuedForCapacity(database.sql, chatIds, deps.config.limits),
    showDiff: (chatId, request) =>
      showChatDiff({ database, clock, directory: workspaces, links: deps.links }, chatId, request),
    proposeTitle: parts.proposeTitle,
  };
}

function mcpSignIns(deps: ChatDaemonDeps): McpSignIns {
  const { database, clock, random, log, secrets, directFetch } = deps;
  const authorizer = mcpAuthorizer({ clock, fetch: directFetch });
  const { accessUrl } = deps.config;
  return new McpSignIns({ database, clock, random, log, secrets, authorizer, accessUrl });
}

function mcpTools(
  { database, clock, log, secrets, directFetch, config }: ChatDaemonDeps,
  signIns: McpSignIns,
): McpTools {
  const asking = { clock, fetch: directFetch, version: config.host.version };
  const client = {
    listTools: (target, signal) => listMcpTools(asking, target, signal),
    callTool: (target, call, signal) => callMcpTool(asking, target, call, signal),
  } satisfies McpClient;
  return new McpTools({ database, clock, log, secrets, client, signIns });
}

function toTurnRun({
  chatId,
  runnerId,
  historyVersion,
  status,
  signal,
  takeRead,
}: RunnerTaskContext): TurnRun {
  return { chatId, fence: { runnerId, historyVersion, status }, signal, takeRead };
}

function selectionOf(deps: ChatDaemonDeps): SelectionDeps {
  const { database, providers: catalog, providerAuth } = deps;
  const { isGatewayRoutingEnabled } = deps.config;
  const arePersonalModelsAllowed = () => personalModelsSetting({ database });
  return { database, catalog, providerAuth, isGatewayRoutingEnabled, arePersonalModelsAllowed };
}

function modelRouter(deps: ChatDaemonDeps, routing: SelectionDeps): ModelRouter {
  const { transports, directFetch } = deps;
  const { host } = deps.config;
  const clients = { builders: MODEL_BUILDERS, transports, directFetch };
  const userAgent = agentsUserAgent(host);
  return {
    modelOfChat: (user, chosen, stored) => chooseModelOfChat(routing, user, chosen, stored),
    modelForNewChat: (user) => chooseModelForNewChat(routing, user),
    override: (user, context, modes, stored) =>
      chooseOverride(routing, user, { context, modes }, stored),
    computerUse: (ownerId, provider) => chooseComputerUseModel(routing, ownerId, provider),
    routeForConfig: (ownerId, config, keys) =>
      resolveModelRouteForConfig(routing, ownerId, config, keys),
    routeForProviderType: (ownerId, type) =>
      resolveModelRouteForProviderType(routing, ownerId, type),
    lightModel: (own) => chooseLightModel(routing, own),
    newModel: (request, route, options) =>
      newModel(clients, { ...request, userAgent }, route, options),
  };
}
