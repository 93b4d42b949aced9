/**
 * Puts together what is about workspaces: their routes, the links of their agents on this server and
 * on others, what users open to them, and the log of all that.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, ok } from "@atelier/base/result";
import * as live from "@atelier/contract/http/workspace-live";
import * as sockets from "@atelier/contract/http/workspace-sockets";
import type { ConnectionType } from "@atelier/contract/http/connection-log";
import type { WorkspaceLinks, WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import type { UserSocketEndpoint } from "@atelier/contract/socket-endpoint";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { Tasks } from "@atelier/host/tasks";
import { PRINCIPALS_CHANGED, parsePrincipalChange } from "./access/principal-change.ts";
import { ConnectionLog } from "./connection-log/connection-log-actions.ts";
import { connectionLogRoutes } from "./connection-log/connection-log-routes.ts";
import { RelayPasses } from "./deployment/relay-pass.ts";
import { eventSocket, VIEWER_PAYLOAD_BYTES_MAX } from "./http/event-socket-io.ts";
import type { Route } from "./http/route.ts";
import {
  streamRoute,
  type EventStream,
  type SocketRequest,
  type StreamRoute,
} from "./http/socket-route.ts";
import { userSocket, type UpgradeDeps, type UpgradeRoute } from "./http/upgrades-io.ts";
import { signerFor, type Vault } from "./vault/vault.ts";
import { agentLink, LINK_PAYLOAD_BYTES_MAX } from "./workspace-links/agent-link-io.ts";
import { AgentLinks } from "./workspace-links/agent-links-io.ts";
import { AgentRoutes } from "./workspace-links/agent-routes-io.ts";
import { serveClientLink } from "./workspace-links/client-link-io.ts";
import {
  findAgentById,
  findAgentByToken,
  findHolderOf,
  noteUse,
  PostgresLinkRegistry,
} from "./workspace-links/link-registry-actions.ts";
import { keepLinks } from "./workspace-links/link-upkeep-task.ts";
import { dialReplica } from "./workspace-links/replica-dial-io.ts";
import { replicaLink } from "./workspace-links/replica-link-io.ts";
import { serveTerminal, TERMINAL_PAYLOAD_BYTES_MAX } from "./workspace-links/terminal-io.ts";
import { UseNotes } from "./workspace-links/use-notes.ts";
import { showGit, showOutput, showPorts, showStats } from "./workspace-panel/live-io.ts";
import { panelRoutes } from "./workspace-panel/panel-routes.ts";
import { showWorkspace } from "./workspaces/workspace-actions.ts";
import { workspaceRoutes } from "./workspaces/workspace-routes.ts";
import { watchWorkspace } from "./workspaces/workspace-watch.ts";
import { WORKSPACES_CHANGED, type KnownWorkspaceAgent } from "./workspaces/workspace.ts";

export type WorkspacesDeps = {
  readonly database: Database;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly vault: Vault;
  readonly replicaId: string;
  readonly accessUrl: string;
  /** What lets users in, and out again. */
  readonly upgrades: UpgradeDeps;
};

export type Workspaces = {
  readonly routes: readonly Route[];
  readonly streams: readonly StreamRoute[];
  readonly upgradeRoutes: readonly UpgradeRoute[];
  readonly links: WorkspaceLinks;
  readonly connections: ConnectionLog;
  /** Tells agents to dial again: another server may take them. */
  drain(): void;
};

export function startWorkspaces(
  deps: WorkspacesDeps,
  { tasks, resources }: { readonly tasks: Tasks; readonly resources: AsyncDisposableStack },
): Workspaces {
  const { database, clock, random, log, replicaId, accessUrl } = deps;
  const connections = new ConnectionLog({ database, clock, random, log, replicaId });
  const registry = new PostgresLinkRegistry({ database, clock, log, replicaId });
  const agentLinks = resources.use(
    new AgentLinks({
      ...{ clock, random, log, registry },
      logOpened: ({ agent }, { ip, userAgent }) =>
        connections.opened({ ...agent, type: "workspace_agent", user: null, ip, userAgent }),
    }),
  );
  const signer = signerFor(deps.vault, "workspace links between servers");
  const passes = new RelayPasses({ clock, random, signer });
  const uses = new UseNotes({ clock, log, write: (agentId) => noteUse(deps, agentId) });
  const agentRoutes = resources.use(
    new AgentRoutes({
      ...{ clock, log, replicaId, links: agentLinks },
      findHolder: (agentId) => findHolderOf(deps, agentId),
      dial: (holder, agentId) => dialReplica({ clock, log, passes }, holder, agentId),
      onUse: (agentId) => uses.note(agentId),
    }),
  );
  const links = linksOf(deps, agentRoutes);
  listen(deps, { agentLinks, agentRoutes, resources });
  const upkeep = { clock, log, registry, connections, held: () => agentLinks.held() };
  tasks.run("workspace links", (signal) => keepLinks(upkeep, signal));
  const workspaceDeps = { database, clock, random, accessUrl };
  const open = { ...deps, agentRoutes, connections };
  const recheck = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await clock.sleep(RECHECK_EVERY_MS, signal);
      agentLinks.check(() => true);
    }
  };
  tasks.run("workspace agents' standing", recheck);
  return {
    routes: [
      ...workspaceRoutes(workspaceDeps, links),
      ...panelRoutes({
        ...{ sql: database.sql, log, links },
        findAgent: (agentId) => findAgentById(deps, agentId),
      }),
      ...connectionLogRoutes({ database }),
    ],
    streams: [
      streamRoute(sockets.watchWorkspace, ({ params }, stream) =>
        watchWorkspace(watchDeps(deps), params.workspace, stream),
      ),
    ],
    upgradeRoutes: [
      agentLink({
        links: agentLinks,
        rateLimit: deps.upgrades.rateLimit,
        findAgentByToken: (token) => findAgentByToken(deps, token),
      }),
      replicaLink({ clock, log, replicaId, links: agentLinks, passes }),
      ...userSockets(open),
      ...liveSockets(deps, links),
    ],
    ...{ links, connections },
    drain: () => agentLinks.drain(),
  };
}

const RECHECK_EVERY_MS = 60_000;

type Open = WorkspacesDeps & {
  readonly agentRoutes: AgentRoutes;
  readonly connections: ConnectionLog;
};

/** What users open to a workspace. */
function userSockets(open: Open): UpgradeRoute[] {
  const { agentRoutes, clock, log, upgrades } = open;
  return [
    userSocket(sockets.watchWorkspaceSocket, upgrades, {
      payloadBytesMax: VIEWER_PAYLOAD_BYTES_MAX,
      run: async ({ params }, socket, signal) => {
        const stream = eventSocket(socket, signal);
        socket.resume();
        await watchWorkspace(watchDeps(open), params.workspace, stream);
      },
    }),
    userSocket(sockets.linkWorkspaceClient, upgrades, {
      payloadBytesMax: LINK_PAYLOAD_BYTES_MAX,
      run: (request, socket, signal) =>
        logged(open, { type: "client_link", request, signal }, (agent) =>
          serveClientLink({ clock, log, routes: agentRoutes }, agent, socket, signal),
        ),
    }),
    userSocket(sockets.openWorkspaceTerminal, upgrades, {
      payloadBytesMax: TERMINAL_PAYLOAD_BYTES_MAX,
      run: (request, socket, signal) =>
        logged(open, { type: "reconnecting_pty", request, signal }, (agent) =>
          serveTerminal(agentRoutes.servicesOf(agent), request.query, socket, signal),
        ),
    }),
  ];
}

/** What happens in a workspace, as far as its person looks. */
function liveSockets({ upgrades }: WorkspacesDeps, links: WorkspaceLinks): UpgradeRoute[] {
  const viewer = <const E extends UserSocketEndpoint>(
    endpoint: E,
    show: (
      services: WorkspaceServices,
      stream: EventStream,
      request: SocketRequest<E>,
    ) => Promise<void>,
  ): UpgradeRoute =>
    userSocket(endpoint, upgrades, {
      payloadBytesMax: VIEWER_PAYLOAD_BYTES_MAX,
      run: async (request, socket, signal) => {
        const stream = eventSocket(socket, signal);
        socket.resume();
        const services = await links.servicesOf(String(request.params["agent"]));
        if (services.ok) await show(services.value, stream, request);
      },
    });
  return [
    viewer(live.watchWorkspacePorts, showPorts),
    viewer(live.watchWorkspaceStats, showStats),
    viewer(live.watchWorkspaceGit, (services, stream, { query }) =>
      showGit(services, query, stream),
    ),
    viewer(live.followWorkspaceProcess, (services, stream, { params, query }) =>
      showOutput(services, { id: params.process, ...query }, stream),
    ),
  ];
}

/** For whoever works in workspaces. */
function linksOf(deps: WorkspacesDeps, agentRoutes: AgentRoutes): WorkspaceLinks {
  return {
    servicesOf: async (agentId) => {
      const agent = await findAgentById(deps, agentId);
      return agent === null
        ? fail({ code: "not_found", message: "There is no such workspace." })
        : ok(agentRoutes.servicesOf(agent));
    },
  };
}

/** Finds the agent, and writes down who was connected to it from when to when. */
async function logged(
  { connections, ...deps }: Open,
  opened: {
    readonly type: ConnectionType;
    readonly request: Pick<SocketRequest, "actor" | "ip" | "userAgent"> & {
      readonly params: { readonly agent: string };
    };
    readonly signal: AbortSignal;
  },
  work: (agent: KnownWorkspaceAgent) => Promise<void>,
): Promise<void> {
  const { type, signal } = opened;
  const { actor, params, ip, userAgent } = opened.request;
  const agent = await findAgentById(deps, params.agent);
  if (agent === null) return; // Deleted a moment ago.
  const user = { id: actor.userId, username: actor.username };
  const closed = await connections.opened({ ...agent, type, user, ip, userAgent });
  let reason = "it ended";
  try {
    await work(agent);
  } catch (error) {
    reason = "it broke";
    throw error;
  } finally {
    await closed(signal.reason instanceof Error ? signal.reason.message : reason);
  }
}

function watchDeps(deps: WorkspacesDeps): Parameters<typeof watchWorkspace>[0] {
  return {
    ...deps,
    findWorkspace: async (id) => {
      const found = await showWorkspace(deps, { id });
      return found.ok ? found.value : undefined;
    },
  };
}

/** Whoever holds something looks anew when it may have changed. */
function listen(
  { pubSub, upgrades: { guard } }: WorkspacesDeps,
  parts: {
    readonly agentLinks: AgentLinks;
    readonly agentRoutes: AgentRoutes;
    readonly resources: AsyncDisposableStack;
  },
): void {
  const { agentLinks, agentRoutes, resources } = parts;
  const all = (): void => {
    agentLinks.check(() => true);
    agentRoutes.recheck(null);
    guard.recheckAll();
  };
  resources.use(
    pubSub.subscribe(WORKSPACES_CHANGED, {
      message: (workspaceId) => {
        agentLinks.check(({ agent }) => agent.workspaceId === workspaceId);
        agentRoutes.recheck(workspaceId);
        guard.workspaceChanged(workspaceId);
      },
      resync: all,
    }),
  );
  resources.use(
    pubSub.subscribe(PRINCIPALS_CHANGED, {
      message: (payload) => {
        const change = parsePrincipalChange(payload);
        if (change?.kind !== "key") {
          agentLinks.check(({ agent }) => change === null || agent.ownerId === change.userId);
        }
        guard.principalChanged(payload);
      },
      resync: all,
    }),
  );
}
