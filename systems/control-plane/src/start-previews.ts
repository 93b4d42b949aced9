/** Puts together what shows ports of workspaces in browsers, on hosts of their own. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import {
  previewLabelOf,
  type PreviewTarget,
  type PreviewWildcard,
} from "@atelier/contract/preview-address";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Actor } from "./access/actor.ts";
import type { Route } from "./http/route.ts";
import type { UpgradeDeps } from "./http/upgrades-io.ts";
import type { Workspaces } from "./start-workspaces.ts";
import type { Vault } from "./vault/vault.ts";
import { answerPreviewAuth } from "./workspace-previews/preview-auth-io.ts";
import { PreviewHost } from "./workspace-previews/preview-host-io.ts";
import { PreviewPasses } from "./workspace-previews/preview-passes.ts";
import { previewRoutes } from "./workspace-previews/preview-routes.ts";
import { PreviewSessions } from "./workspace-previews/preview-sessions.ts";
import { findKnownAgentById, findKnownAgentByName } from "./workspaces/workspace-store.ts";
import { WORKSPACES_CHANGED, type KnownWorkspaceAgent } from "./workspaces/workspace.ts";

export type PreviewsDeps = {
  readonly database: Database;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly vault: Vault;
  readonly config: {
    readonly accessUrl: string;
    /** Null: ports of workspaces have no hosts. */
    readonly previewWildcard: PreviewWildcard | null;
  };
  readonly access: Pick<
    UpgradeDeps,
    "authenticate" | "cookies" | "rateLimit" | "guard" | "trustedProxies"
  > & {
    /** By the id of a credential. Null: it lets nobody in any more. */
    readonly findActor: (apiKeyId: string) => Promise<Actor | null>;
  };
  readonly workspaces: Pick<Workspaces, "links" | "connections">;
};

/** Ports of workspaces in browsers. */
export interface PreviewHosts {
  /** Whether a request of this host is for a preview, whatever its path. */
  isPreviewHost(host: string | undefined): boolean;
  /** Answers one request of such a host. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Answers what comes to our own origin's `PREVIEW_AUTH_PATH`. */
  authorize(request: IncomingMessage, response: ServerResponse): void;
}

export type Previews = {
  readonly routes: readonly Route[];
  readonly hosts: PreviewHosts | null;
  /** Lets nobody in any more. */
  close(): void;
};

const PURPOSE = "previews of workspaces";

export function startPreviews(deps: PreviewsDeps, resources: AsyncDisposableStack): Previews {
  const { previewWildcard: wildcard } = deps.config;
  const routes = previewRoutes(wildcard);
  if (wildcard === null) return { routes, hosts: null, close: () => {} };
  const findAgent = (target: PreviewTarget) => findPreviewed(deps, target);
  const sessions = startSessions(deps, findAgent, resources);
  const { access, clock, log, random, vault, workspaces } = deps;
  const signer = {
    sign: (text: string) => vault.sign(text, PURPOSE),
    isSigned: (text: string, signature: string) => vault.isSigned(text, PURPOSE, signature),
  };
  const passes = new PreviewPasses({ clock, random, signer });
  const accessUrl = deps.config.accessUrl.replace(/\/+$/, "");
  const { authenticate, rateLimit, cookies, trustedProxies } = access;
  const ways = { log, wildcard, accessUrl, trustedProxies, passes };
  const host = new PreviewHost({ ...ways, clock, sessions, links: workspaces.links });
  const hosts: PreviewHosts = {
    isPreviewHost: (name) => previewLabelOf(name, wildcard) !== null,
    handle: (request, response) => host.handle(request, response),
    upgrade: (request, socket, head) => host.upgrade(request, socket, head),
    authorize: (request, response) =>
      answerPreviewAuth(
        { ...ways, authenticate, rateLimit, cookies, findAgent },
        request,
        response,
      ),
  };
  return { routes, hosts, close: () => sessions.close() };
}

type FindAgent = (target: PreviewTarget) => Promise<KnownWorkspaceAgent | null>;

function startSessions(
  { clock, log, pubSub, access, workspaces }: PreviewsDeps,
  findAgent: FindAgent,
  resources: AsyncDisposableStack,
): PreviewSessions {
  const { guard, findActor } = access;
  const sessions = new PreviewSessions({
    ...{ clock, log, guard, findAgent, findActor },
    logOpened: ({ agent, actor, visitor }) => {
      const user = { id: actor.userId, username: actor.username };
      return workspaces.connections.opened({
        ...{ ...agent, ...visitor, type: "workspace_preview", user },
      });
    },
  });
  const recheck = (workspaceId: string | null): void => {
    sessions.workspaceChanged(workspaceId).catch((error: unknown) => {
      // Whoever was let in is not put out because the database is away.
      log.warn({ error }, "previews were not rechecked");
    });
  };
  const on = { message: recheck, resync: () => recheck(null) };
  resources.use(pubSub.subscribe(WORKSPACES_CHANGED, on));
  return sessions;
}

async function findPreviewed(
  { database }: PreviewsDeps,
  { workspace }: PreviewTarget,
): Promise<KnownWorkspaceAgent | null> {
  const found =
    workspace.by === "id"
      ? await findKnownAgentById(database.sql, workspace.agentId)
      : await findKnownAgentByName(database.sql, workspace);
  return found ?? null;
}
