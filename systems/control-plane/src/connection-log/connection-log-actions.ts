/**
 * Reading the connection log, and writing it. A connection is not refused because its row cannot be
 * written; a row whose end could not be written is closed by the upkeep.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { CONNECTION_COUNT_MAX } from "@atelier/contract/http/connection-log";
import type { Database } from "@atelier/database/database";
import { REPLICA_DEAD_AFTER_MS } from "../deployment/replica-store.ts";
import { parseConnectionSearch, type ConnectionSearch } from "./connection-search.ts";
import {
  closeConnection,
  closeLostConnections,
  countConnections,
  findConnectionPlace,
  insertConnection,
  listConnections,
  type ConnectionFilter,
} from "./connection-store.ts";
import type { LoggedConnection, OpenedConnection } from "./connection.ts";

export type ConnectionLogDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly replicaId: string;
};

/** What whoever opens a connection says of it. */
export type ConnectionFacts = Omit<OpenedConnection, "id" | "connectedAt" | "replicaId">;

export class ConnectionLog {
  readonly #deps: ConnectionLogDeps;
  readonly #open = new Set<string>();

  constructor(deps: ConnectionLogDeps) {
    this.#deps = deps;
  }

  /** What it returns writes the end, once. */
  async opened(facts: ConnectionFacts): Promise<(reason: string) => Promise<void>> {
    const { database, clock, random, log, replicaId } = this.#deps;
    const row = { ...facts, id: random.uuid(), connectedAt: clock.now(), replicaId };
    this.#open.add(row.id);
    try {
      await insertConnection(database.sql, row);
    } catch (error) {
      log.warn({ error, type: facts.type }, "a connection is missing in the connection log");
    }
    return async (reason) => {
      this.#open.delete(row.id);
      try {
        await closeConnection(database.sql, row, { at: clock.now(), reason });
      } catch (error) {
        log.warn({ error, type: facts.type }, "the end of a connection is logged late");
      }
    };
  }

  async closeLost(): Promise<void> {
    const { database, clock, replicaId } = this.#deps;
    const at = clock.now();
    const liveSince = new Date(at.getTime() - REPLICA_DEAD_AFTER_MS);
    const openIds = [...this.#open];
    await closeLostConnections(database.sql, { replicaId, openIds }, { at, liveSince });
  }
}

export type ConnectionPage = {
  readonly connections: readonly LoggedConnection[];
  readonly count: number;
};

export async function readConnections(
  { database }: Pick<ConnectionLogDeps, "database">,
  query: { readonly q: string; readonly afterId: string | null; readonly limit: number },
): Promise<Result<ConnectionPage, Failure<"request.invalid">>> {
  const search = parseConnectionSearch(query.q);
  if (!search.ok) return search;
  const filter = toFilter(search.value);
  return database.readOnlyTransaction(async (db) => {
    const after = query.afterId === null ? null : await findConnectionPlace(db, query.afterId);
    if (after === undefined) {
      const validations = [{ field: "after_id", detail: "No such connection." }];
      return fail({ code: "request.invalid", validations });
    }
    const connections = await listConnections(db, filter, { after, limit: query.limit });
    return ok({ connections, count: await countConnections(db, filter, CONNECTION_COUNT_MAX) });
  });
}

function toFilter(search: ConnectionSearch): ConnectionFilter {
  const momentOf = (text: string | undefined): Date | undefined =>
    text === undefined ? undefined : new Date(text);
  return {
    type: search.type,
    isOngoing: search.status === undefined ? undefined : search.status === "ongoing",
    workspaceName: search.workspace,
    workspaceId: search.workspace_id,
    ownerName: search.workspace_owner,
    username: search.username,
    from: momentOf(search.connected_after),
    until: momentOf(search.connected_before),
  };
}
