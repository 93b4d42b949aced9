/** Puts together what chats need of the control plane, and the part of the API that they answer. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  ChatAudit,
  ChatCosts,
  ChatPeople,
  ChatProvider,
  ChatProviderCatalog,
  ChatSecrets,
  ChatWorkspaceDirectory,
} from "@atelier/contract/rpc/chat-ports";
import {
  CHAT_SERVICE_ENDPOINTS,
  CHAT_SOCKETS,
  type ChatService,
  type ChatSocketService,
} from "@atelier/contract/rpc/chat-service";
import type { PartLines, PartLineService } from "@atelier/contract/rpc/chat-part-lines";
import type { Database } from "@atelier/database/database";
import type { ProviderFollowing } from "./ai-providers/provider-snapshot-task.ts";
import { chatCosts } from "./ai-usage/chat-cost-actions.ts";
import { chatAudit } from "./audit/chat-audit-actions.ts";
import { BriefMemory } from "./ai-user-keys/brief-memory.ts";
import { chatProviderCatalog } from "./ai-user-keys/chat-provider-catalog-actions.ts";
import { chatRelay } from "./chat-relay/chat-relay-io.ts";
import { chatSecrets } from "./chat-secrets/chat-secret-actions.ts";
import { RelayPasses } from "./deployment/relay-pass.ts";
import { findRelayUrl, REPLICA_SILENT_AFTER_MS } from "./deployment/replica-store.ts";
import type { Route } from "./http/route.ts";
import { serviceRoutes } from "./http/service-routes.ts";
import { serviceSockets } from "./http/service-sockets-io.ts";
import type { UpgradeDeps, UpgradeRoute } from "./http/upgrades-io.ts";
import { chatPeople } from "./users/chat-people-actions.ts";
import { signerFor, type Vault } from "./vault/vault.ts";
import { UseNotes } from "./workspace-links/use-notes.ts";
import {
  chatWorkspaceDirectory,
  noteWorkspaceUse,
} from "./workspaces/chat-workspace-directory-actions.ts";

export type ChatPorts = {
  readonly providers: ChatProviderCatalog;
  readonly people: ChatPeople;
  readonly workspaces: ChatWorkspaceDirectory;
  readonly secrets: ChatSecrets;
  readonly costs: ChatCosts;
  readonly audit: ChatAudit;
  /** Of this server, among those that share the database; another one after each start. */
  readonly serverId: string;
  /** To the servers that drive chats which are watched here. */
  readonly lines: PartLines;
  /** Answers the API's part about chats from now on, and other servers, until the result is disposed. */
  serveWith(served: {
    readonly service: ChatService;
    readonly sockets: ChatSocketService;
    readonly partLines: PartLineService;
  }): Disposable;
};

export type ChatPortsDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly config: { readonly allowByok: boolean; readonly accessUrl: string };
};

export function chatPorts(
  deps: ChatPortsDeps,
  {
    vault,
    replicaId,
    upgrades,
    providers,
  }: {
    readonly vault: Vault;
    readonly replicaId: string;
    readonly upgrades: UpgradeDeps;
    readonly providers: ProviderFollowing;
  },
): {
  readonly ports: ChatPorts;
  readonly routes: readonly Route[];
  readonly upgradeRoutes: readonly UpgradeRoute[];
  /** Tells other servers to look elsewhere for live parts. */
  drain(): void;
} {
  const { database, clock, random, log, config } = deps;
  const { allowByok: isByokAllowed, accessUrl } = config;
  const workspaceDeps = { database, clock, random, accessUrl };
  const service = serviceRoutes(CHAT_SERVICE_ENDPOINTS, database.sql);
  const sockets = serviceSockets(CHAT_SOCKETS, upgrades);
  const signer = signerFor(vault, "parts of chats between servers");
  const relay = chatRelay({
    ...{ log, replicaId, pulse: upgrades.pulse },
    passes: new RelayPasses({ clock, random, signer }),
    findUrl: (id) => {
      const heardSince = new Date(clock.now().getTime() - REPLICA_SILENT_AFTER_MS);
      return findRelayUrl(database.sql, id, heardSince);
    },
  });
  const known = new BriefMemory<ChatProvider | undefined>(clock);
  // As long as this process: a change that an administrator makes here counts when it is answered.
  providers.follow(async () => known.forget());
  const write = (workspaceId: string): Promise<void> => noteWorkspaceUse(deps, workspaceId);
  return {
    ports: {
      providers: chatProviderCatalog({ database, vault, clock, isByokAllowed, known }),
      people: chatPeople(database),
      secrets: chatSecrets({ database, vault }),
      costs: chatCosts(database),
      audit: chatAudit({ clock, random }),
      workspaces: chatWorkspaceDirectory(workspaceDeps, new UseNotes({ clock, log, write })),
      serverId: replicaId,
      lines: relay.lines,
      serveWith: (served) => {
        const mounted = new DisposableStack();
        mounted.use(service.serveWith(served.service));
        mounted.use(sockets.serveWith(served.sockets));
        mounted.use(relay.serveWith(served.partLines));
        return mounted;
      },
    },
    routes: service.routes,
    upgradeRoutes: [...sockets.routes, relay.route],
    drain: () => relay.drain(),
  };
}
