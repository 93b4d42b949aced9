/**
 * The links of workspace agents that are connected to this server. Of one agent only the newest
 * connection counts, wherever it is; what the database says of it is kept true by the registry.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { askOverSocket, type Link } from "@atelier/tunnel/link";
import { CLOSE_REPLACED } from "@atelier/tunnel/link-handshake";
import type { WebSocket } from "ws";
import { CLOSE_RESTART, SERVER_STOPS } from "../http/upgrades-io.ts";
import type { HeldConnection, LinkRegistry } from "./link-registry.ts";

/** The token is void, or the owner suspended: to dial again helps only with another token. */
const CLOSE_TOKEN_VOID = 4401;
const LOST = "the connection was lost";
const GOODBYE_MS_MAX = 1_000;
const FACTS_MS_MAX = 10_000;

export type AgentLinksDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: LinkRegistry;
  /** Writes the connection log: the beginning, and with what it returns the end. */
  readonly logOpened: (
    held: HeldConnection,
    from: { readonly ip: string; readonly userAgent: string },
  ) => Promise<(reason: string) => Promise<void>>;
};

export type NewAgentSocket = Pick<HeldConnection, "agent" | "hashedToken"> & {
  readonly ip: string;
  readonly userAgent: string;
};

type Held = HeldConnection & {
  readonly socket: WebSocket;
  readonly link: Link;
  /** Why it ends, once somebody decided that. */
  reason: string;
  /** Settles when the registry knows of it, or never will. */
  claimed: Promise<unknown>;
};

export class AgentLinks implements AsyncDisposable {
  readonly #deps: AgentLinksDeps;
  readonly #byAgent = new Map<string, Held>();
  /** Also those that nobody gets any more, until they are over. */
  readonly #running = new Map<Held, Promise<void>>();

  constructor(deps: AgentLinksDeps) {
    this.#deps = deps;
  }

  /** Takes the agent's side of a WebSocket, and resolves when it is over. */
  async attach(socket: WebSocket, { agent, hashedToken, ...from }: NewAgentSocket): Promise<void> {
    const connectionId = this.#deps.random.uuid();
    const link = askOverSocket(socket, this.#deps);
    const identity = { agent, hashedToken, connectionId };
    const claimed = Promise.resolve();
    const held: Held = { ...identity, socket, link, reason: LOST, claimed };
    const former = this.#byAgent.get(agent.agentId);
    this.#byAgent.set(agent.agentId, held);
    if (former !== undefined) this.#cut(former, CLOSE_REPLACED, "replaced by a newer connection");
    // In order, so that the newest has the last word.
    const claiming = (former?.claimed ?? claimed).then(() => this.#claim(held));
    held.claimed = claiming.catch(() => {});
    const running = this.#run(held, claiming, from).finally(() => this.#running.delete(held));
    this.#running.set(held, running);
    await running;
  }

  /** Null: the agent is not connected to this server. */
  local(agentId: string): Link | null {
    return this.#byAgent.get(agentId)?.link ?? null;
  }

  held(): readonly HeldConnection[] {
    return [...this.#byAgent.values()];
  }

  /** Something about these may have changed: whoever may not stay is cut off. */
  check(isMeant: (held: HeldConnection) => boolean): void {
    for (const held of this.#byAgent.values()) {
      if (!isMeant(held)) continue;
      this.#checkOne(held).catch((error: unknown) => {
        this.#deps.log.warn({ error }, "a workspace agent was not rechecked");
      });
    }
  }

  /** Tells all of them to dial again, at once: another server may take them. */
  drain(): void {
    for (const held of this.#byAgent.values()) this.#cut(held, CLOSE_RESTART, SERVER_STOPS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drain();
    for (const { link } of this.#running.keys()) link.close();
    await Promise.all(this.#running.values());
  }

  async #run(
    held: Held,
    claiming: Promise<boolean>,
    from: { readonly ip: string; readonly userAgent: string },
  ): Promise<void> {
    const { registry, log } = this.#deps;
    const { agentId, workspaceId } = held.agent;
    const logClosed = await this.#deps.logOpened(held, from);
    try {
      if (await claiming) {
        log.info({ agentId, workspaceId }, "workspace agent connected");
        this.#readFacts(held);
      } else if (held.reason === LOST && isOpen(held))
        this.#cut(held, CLOSE_TOKEN_VOID, "its token is void");
    } catch (error) {
      log.warn({ error, agentId }, "a workspace agent's link could not be written down");
      held.reason = "the server could not take it";
      held.link.close();
    }
    await held.link.closed;
    if (this.#byAgent.get(agentId) === held) this.#byAgent.delete(agentId);
    await registry
      .release({ agentId, connectionId: held.connectionId })
      .catch((error: unknown) => log.warn({ error, agentId }, "a link's end is noted late"));
    await logClosed(held.reason);
    log.info({ agentId, workspaceId, reason: held.reason }, "workspace agent disconnected");
  }

  async #claim(held: Held): Promise<boolean> {
    // Replaced before it was written down: the newer one writes. Over by then: the agent may be elsewhere.
    if (this.#byAgent.get(held.agent.agentId) !== held || !isOpen(held)) return false;
    return this.#deps.registry.claim(held);
  }

  async #checkOne(held: Held): Promise<void> {
    await held.claimed;
    const standing = await this.#deps.registry.standing(held);
    if (standing === "replaced") this.#cut(held, CLOSE_REPLACED, "replaced by a newer connection");
    else if (standing === "refused") this.#cut(held, CLOSE_TOKEN_VOID, "its token is void");
  }

  /** Nobody gets it any more; the other side is told why. */
  #cut(held: Held, code: number, reason: string): void {
    const { clock } = this.#deps;
    if (this.#byAgent.get(held.agent.agentId) === held) this.#byAgent.delete(held.agent.agentId);
    held.reason = reason;
    held.socket.close(code, reason);
    const timer = new AbortController();
    clock.sleep(GOODBYE_MS_MAX, timer.signal).then(
      () => held.link.close(),
      () => {}, // It closed in time.
    );
    held.link.closed.then(
      () => timer.abort(new Error("closed")),
      () => {}, // It never rejects.
    );
  }

  /** What the machine says of itself is shown; a machine that does not say it is as good. */
  #readFacts(held: Held): void {
    const { clock, log, registry } = this.#deps;
    const over = new AbortController();
    clock.sleep(FACTS_MS_MAX, over.signal).then(
      () => over.abort(new Error("no answer")),
      () => {}, // It answered.
    );
    const read = async (): Promise<void> => {
      const info = await held.link.services.machine.info({}, { signal: over.signal });
      over.abort(new Error("answered"));
      if (!info.ok) return;
      const {
        os: operatingSystem,
        arch: architecture,
        agentVersion: version,
        directory,
      } = info.value;
      await registry.saveFacts(held, { operatingSystem, architecture, version, directory });
    };
    read().catch((error: unknown) => log.warn({ error }, "a machine's facts are not known"));
  }
}

function isOpen({ socket }: Held): boolean {
  return socket.readyState === socket.OPEN;
}
