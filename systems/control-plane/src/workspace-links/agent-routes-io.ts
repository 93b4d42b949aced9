/**
 * Ways to workspace agents, wherever they are connected: to this server, or to another one, which is
 * then dialled. One connection to another server for each agent, kept while it is used.
 *
 * A way follows its agent: when the agent moves, streams that are open break, and the next ones go
 * to where it is then.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import {
  WORKSPACE_SERVICES,
  type WorkspaceServices,
} from "@atelier/contract/rpc/workspace/services";
import type { Link } from "@atelier/tunnel/link";
import { remoteServices } from "@atelier/tunnel/remote-services";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { AgentLinks } from "./agent-links-io.ts";
import type { Holder } from "./link-registry.ts";

export type AgentRoutesDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly replicaId: string;
  readonly links: AgentLinks;
  /** Null: the agent is connected nowhere. */
  readonly findHolder: (agentId: string) => Promise<Holder | null>;
  /** To another server. Null: it does not have the agent, or is not reached. */
  readonly dial: (holder: Holder, agentId: string) => Promise<Link | null>;
  /** Called whenever somebody uses an agent. */
  readonly onUse: (agentId: string) => void;
};

/** An agent, and the workspace whose changes concern it. */
export type RoutedAgent = { readonly agentId: string; readonly workspaceId: string };

/** A way that stays open, for whoever relays streams. */
export interface HeldRoute extends Disposable {
  /** Null: the agent is away now. */
  current(): ClientHttp2Session | null;
}

const IDLE_MS_MAX = 60_000;
const RETRY_MS = 1_000;

const DISCONNECTED: WorkspaceFailure = {
  code: "disconnected",
  message: "The workspace is not connected.",
};

export class AgentRoutes implements AsyncDisposable {
  readonly #deps: AgentRoutesDeps;
  readonly #remote = new Map<string, RemoteRoute>();
  readonly #stop = new AbortController();

  constructor(deps: AgentRoutesDeps) {
    this.#deps = deps;
  }

  /** Usable for ever: each call goes to where the agent is then. */
  servicesOf(agent: RoutedAgent): WorkspaceServices {
    const { agentId } = agent;
    return lateServices(async () => {
      this.#deps.onUse(agentId);
      const local = this.#deps.links.local(agentId);
      if (local !== null) return local.services;
      const route = this.#routeTo(agent);
      return (await route.session()) === null ? null : route.services;
    });
  }

  async hold(agent: RoutedAgent): Promise<HeldRoute> {
    const { links, onUse } = this.#deps;
    const { agentId } = agent;
    const route = this.#routeTo(agent);
    const kept = route.keep();
    if (links.local(agentId) === null) await route.session();
    return {
      current: () => {
        onUse(agentId);
        return links.local(agentId)?.session ?? route.current();
      },
      [Symbol.dispose]: () => kept[Symbol.dispose](),
    };
  }

  /** The agents of this workspace may have moved. Null: all may. */
  recheck(workspaceId: string | null): void {
    for (const route of this.#remote.values()) {
      if (workspaceId === null || route.workspaceId === workspaceId) route.recheck();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the routes are closed"));
    await Promise.all([...this.#remote.values()].map((route) => route.end()));
  }

  #routeTo(agent: RoutedAgent): RemoteRoute {
    const { agentId } = agent;
    const known = this.#remote.get(agentId);
    if (known !== undefined) return known;
    const route = new RemoteRoute(agent, {
      ...this.#deps,
      signal: this.#stop.signal,
      onIdle: () => {
        if (this.#remote.get(agentId) === route) this.#remote.delete(agentId);
      },
    });
    this.#remote.set(agentId, route);
    return route;
  }
}

type RemoteRouteDeps = AgentRoutesDeps & {
  readonly signal: AbortSignal;
  readonly onIdle: () => void;
};

/** The way to one agent over another server. */
class RemoteRoute {
  readonly services: WorkspaceServices;
  readonly workspaceId: string;
  readonly #agentId: string;
  readonly #deps: RemoteRouteDeps;
  #link: { readonly link: Link; readonly connectionId: string } | null = null;
  #resolving: Promise<void> | null = null;
  #isStale = false;
  #keepers = 0;
  #streams = 0;
  #idleTimer: AbortController | null = null;

  constructor({ agentId, workspaceId }: RoutedAgent, deps: RemoteRouteDeps) {
    this.workspaceId = workspaceId;
    this.#agentId = agentId;
    this.#deps = deps;
    this.services = remoteServices((path) => this.#open(path));
  }

  current(): ClientHttp2Session | null {
    const session = this.#link?.link.session;
    return session === undefined || session.closed || session.destroyed ? null : session;
  }

  async session(): Promise<ClientHttp2Session | null> {
    if (this.current() === null) await this.#resolve();
    this.#idle();
    return this.current();
  }

  keep(): Disposable {
    this.#keepers += 1;
    return {
      [Symbol.dispose]: () => {
        this.#keepers -= 1;
        this.#idle();
      },
    };
  }

  recheck(): void {
    this.#isStale = true;
    if (this.#keepers > 0 || this.#link !== null) this.#resolveSoon();
  }

  async end(): Promise<void> {
    this.#idleTimer?.abort(new Error("the route ends"));
    await this.#resolving;
    const { link } = this.#link ?? {};
    link?.close();
    await link?.closed;
  }

  #open(path: string): ClientHttp2Stream | null {
    const stream = this.current()?.request(
      { ":method": "POST", ":path": path },
      { endStream: false },
    );
    if (stream === undefined) return null;
    this.#streams += 1;
    stream.once("close", () => {
      this.#streams -= 1;
      this.#idle();
    });
    return stream;
  }

  #resolveSoon(): void {
    this.#resolve().catch(() => {}); // It says itself what went wrong.
  }

  /** One at a time. Never rejects. */
  #resolve(): Promise<void> {
    this.#resolving ??= this.#lookUntilSettled();
    return this.#resolving;
  }

  async #lookUntilSettled(): Promise<void> {
    do {
      this.#isStale = false;
      try {
        await this.#look();
      } catch (error) {
        this.#deps.log.warn({ error }, "the way to a workspace agent is not known");
        this.#retryLater();
      }
    } while (this.#isStale && !this.#deps.signal.aborted);
    // In the same turn as the last look at it: whoever makes it stale from here on begins anew.
    this.#resolving = null;
  }

  async #look(): Promise<void> {
    const { findHolder, dial, replicaId, signal } = this.#deps;
    const holder = await findHolder(this.#agentId);
    if (holder !== null && this.#link?.connectionId === holder.connectionId) {
      if (this.current() !== null) return;
    }
    this.#link?.link.close();
    this.#link = null;
    if (holder === null || holder.replicaId === replicaId || signal.aborted) return;
    const link = await dial(holder, this.#agentId);
    if (link === null) return this.#retryLater();
    if (signal.aborted) return link.close();
    this.#link = { link, connectionId: holder.connectionId };
    link.closed.then(
      () => this.#lost(link),
      () => {}, // It never rejects.
    );
  }

  #lost(link: Link): void {
    if (this.#link?.link !== link) return;
    this.#link = null;
    this.#retryLater();
    this.#idle();
  }

  /** For those who keep it. When the agent connects anew, its message makes it looked for at once. */
  #retryLater(): void {
    const { clock, signal, links } = this.#deps;
    clock.sleep(RETRY_MS, signal).then(
      () => {
        const isWanted = this.#keepers > 0 && links.local(this.#agentId) === null;
        if (isWanted && this.current() === null) this.#resolveSoon();
      },
      () => {}, // The server stops.
    );
  }

  /** Nobody uses it: closed after a while, and forgotten. */
  #idle(): void {
    this.#idleTimer?.abort(new Error("used"));
    this.#idleTimer = null;
    if (this.#keepers > 0 || this.#streams > 0) return;
    if (this.#link === null) return this.#deps.onIdle();
    const timer = new AbortController();
    this.#idleTimer = timer;
    const stop = AbortSignal.any([timer.signal, this.#deps.signal]);
    this.#deps.clock.sleep(IDLE_MS_MAX, stop).then(
      () => {
        this.#link?.link.close();
        this.#deps.onIdle();
      },
      () => {}, // Used again, or the server stops.
    );
  }
}

type Method = (...args: readonly unknown[]) => Promise<Result<unknown, WorkspaceFailure>>;

/** Services that are looked up anew for each call. */
function lateServices(find: () => Promise<WorkspaceServices | null>): WorkspaceServices {
  const services = Object.entries(WORKSPACE_SERVICES).map(([service, table]) => [
    service,
    Object.fromEntries(
      Object.keys(table).map((name) => {
        const call: Method = async (...args) => {
          const found = (await find()) as unknown as Record<string, Record<string, Method>> | null;
          const method = found?.[service]?.[name];
          return method === undefined ? fail(DISCONNECTED) : method(...args);
        };
        return [name, call];
      }),
    ),
  ]);
  return Object.fromEntries(services) as WorkspaceServices;
}
