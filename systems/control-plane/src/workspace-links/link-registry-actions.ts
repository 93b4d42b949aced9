/** The registry of links on Postgres, who may come with a token, and where an agent is. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Secret } from "@atelier/base/secret";
import type { Database, Sql } from "@atelier/database/database";
import { REPLICA_SILENT_AFTER_MS } from "../deployment/replica-store.ts";
import { hashAgentToken } from "../workspaces/agent-token.ts";
import {
  findAgentOfToken,
  findKnownAgentById,
  holdAgentOfToken,
  publishWorkspaceChange,
  updateAgentConnected,
  updateAgentDisconnected,
  updateAgentFacts,
  updateLastUsed,
} from "../workspaces/workspace-store.ts";
import type { KnownWorkspaceAgent, MachineFacts } from "../workspaces/workspace.ts";
import { cutFacts } from "../workspaces/workspace.ts";
import type { HeldConnection, Holder, LinkRegistry } from "./link-registry.ts";
import {
  deleteLink,
  findHolder,
  insertLinkIfAbsent,
  listLinksOfDeadReplicas,
  listLinksOfReplica,
  upsertLink,
  type LinkRow,
  type NewLink,
} from "./link-store.ts";

export type LinkRegistryDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly replicaId: string;
};

/** Null: the token lets nobody in. */
export async function findAgentByToken(
  { database }: Pick<LinkRegistryDeps, "database">,
  token: Secret,
): Promise<{ readonly agent: KnownWorkspaceAgent; readonly hashedToken: Uint8Array } | null> {
  const hashedToken = hashAgentToken(token);
  if (hashedToken === null) return null;
  const agent = await findAgentOfToken(database.sql, hashedToken);
  return agent === undefined ? null : { agent, hashedToken };
}

/** Null: there is no such agent, or its workspace is deleted. */
export async function findAgentById(
  { database }: Pick<LinkRegistryDeps, "database">,
  agentId: string,
): Promise<KnownWorkspaceAgent | null> {
  return (await findKnownAgentById(database.sql, agentId)) ?? null;
}

/** Null: it is connected nowhere. */
export async function findHolderOf(
  { database, clock }: Pick<LinkRegistryDeps, "database" | "clock">,
  agentId: string,
): Promise<Holder | null> {
  return (await findHolder(database.sql, agentId, liveSince(clock))) ?? null;
}

export async function noteUse(
  { database, clock }: Pick<LinkRegistryDeps, "database" | "clock">,
  agentId: string,
): Promise<void> {
  await updateLastUsed(database.sql, agentId, clock.now());
}

export class PostgresLinkRegistry implements LinkRegistry {
  readonly #deps: LinkRegistryDeps;

  constructor(deps: LinkRegistryDeps) {
    this.#deps = deps;
  }

  async claim(held: HeldConnection): Promise<boolean> {
    const { agentId, workspaceId } = held.agent;
    return this.#deps.database.transaction(async (db) => {
      // Locked: neither a new token nor another connection comes in between.
      if (!(await holdAgentOfToken(db, agentId, held.hashedToken))) return false;
      const link = this.#linkOf(held);
      await upsertLink(db, link);
      await updateAgentConnected(db, agentId, link.connectedAt);
      await publishWorkspaceChange(db, workspaceId);
      return true;
    });
  }

  async reclaim(held: HeldConnection): Promise<void> {
    const { agentId, workspaceId } = held.agent;
    await this.#deps.database.transaction(async (db) => {
      if (!(await holdAgentOfToken(db, agentId, held.hashedToken))) return;
      const link = this.#linkOf(held);
      if (!(await insertLinkIfAbsent(db, link))) return;
      await updateAgentConnected(db, agentId, link.connectedAt);
      await publishWorkspaceChange(db, workspaceId);
    });
  }

  async release(row: LinkRow): Promise<void> {
    const { database, clock } = this.#deps;
    await database.transaction((db) => this.#drop(db, row, clock.now()));
  }

  async standing(held: HeldConnection): Promise<"holds" | "replaced" | "refused"> {
    const { database, clock } = this.#deps;
    const agent = await findAgentOfToken(database.sql, held.hashedToken);
    if (agent === undefined || agent.isOwnerSuspended) return "refused";
    const holder = await findHolder(database.sql, held.agent.agentId, liveSince(clock));
    // Nobody: the row was lost, and the upkeep writes it again.
    return holder === undefined || holder.connectionId === held.connectionId ? "holds" : "replaced";
  }

  async saveFacts({ agent }: HeldConnection, facts: MachineFacts): Promise<void> {
    await this.#deps.database.transaction(async (db) => {
      await updateAgentFacts(db, agent.agentId, cutFacts(facts));
      await publishWorkspaceChange(db, agent.workspaceId);
    });
  }

  /**
   * Makes the rows agree with what is so: those of this server with what it holds, and none of
   * servers that are dead.
   */
  async reconcile(held: readonly HeldConnection[]): Promise<void> {
    const { database, clock, replicaId } = this.#deps;
    const isHeld = new Set(held.map(({ connectionId }) => connectionId));
    const own = await listLinksOfReplica(database.sql, replicaId);
    const dead = await listLinksOfDeadReplicas(database.sql, liveSince(clock));
    for (const row of [...own, ...dead]) {
      if (!isHeld.has(row.connectionId)) await this.release(row);
    }
    const isWritten = new Set(own.map(({ connectionId }) => connectionId));
    for (const each of held) if (!isWritten.has(each.connectionId)) await this.reclaim(each);
  }

  async #drop(db: Sql, row: LinkRow, at: Date): Promise<void> {
    if (!(await deleteLink(db, row))) return;
    await updateAgentDisconnected(db, row.agentId, at);
    const agent = await findKnownAgentById(db, row.agentId);
    if (agent !== undefined) await publishWorkspaceChange(db, agent.workspaceId);
  }

  #linkOf({ agent, connectionId }: HeldConnection): NewLink {
    const { clock, replicaId } = this.#deps;
    return { agentId: agent.agentId, connectionId, replicaId, connectedAt: clock.now() };
  }
}

function liveSince(clock: Clock): Date {
  return new Date(clock.now().getTime() - REPLICA_SILENT_AFTER_MS);
}
