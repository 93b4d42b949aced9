/**
 * Reading back what went through the gateway (spec gateway 9.5, 9.6): everybody their own, and with
 * the right to it everybody's. Each answer is read in one moment.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { COUNT_MAX } from "@atelier/contract/http/ai-usage";
import type { Database, Sql } from "@atelier/database/database";
import { may, type Actor } from "../access/actor.ts";
import {
  countInterceptions,
  countThreads,
  findInterceptionPosition,
  findThread,
  listInterceptions,
  listThreadInterceptions,
  listThreads,
  type SessionKey,
  type ThreadPage,
} from "./usage-interception-store.ts";
import { parseUsageFilter, splitSessionCursor, type UsageFilter } from "./usage-query.ts";
import {
  countSessions,
  findInitiatorId,
  findSessions,
  listFilterValues,
  listSessions,
  type SessionPosition,
} from "./usage-session-store.ts";
import type { RecordedInterception, UsageSession, UsageThread, UsageView } from "./usage.ts";

export type UsageDeps = { readonly database: Database };

/** Of one thread in an answer; the latest ones count. A guess at what a person looks through. */
const THREAD_INTERCEPTIONS_MAX = 500;

type ReadFailure = Failure<"request.invalid" | "resource.not_found">;
type Page<Item> = { readonly items: readonly Item[]; readonly count: number };

export async function readSessions(
  { database }: UsageDeps,
  actor: Actor,
  query: {
    readonly q: string | undefined;
    readonly limit: number;
    readonly afterSessionId: string | undefined;
    readonly offset: number | undefined;
  },
): Promise<Result<Page<UsageSession>, ReadFailure>> {
  const prepared = prepare(actor, query.q);
  if (!prepared.ok) return prepared;
  const { view, filter } = prepared.value;
  const { limit, afterSessionId, offset } = query;
  if (afterSessionId !== undefined && offset !== undefined) {
    return invalid("after_session_id", "Give either after_session_id or offset.");
  }
  return database.readOnlyTransaction(async (sql) => {
    const initiator = await resolveInitiator(sql, actor, filter);
    if (initiator === "nobody") return ok({ items: [], count: 0 });
    const search = { view, filter, initiatorId: initiator };
    const after =
      afterSessionId === undefined
        ? ok(null)
        : await findCursor(sql, { view, actor, text: afterSessionId });
    if (!after.ok) return after;
    const page = { limit, after: after.value, offset: offset ?? 0 };
    const items = await listSessions(sql, search, page);
    return ok({ items, count: await countSessions(sql, search, COUNT_MAX) });
  });
}

export type SessionDetail = {
  readonly session: UsageSession;
  readonly threads: readonly UsageThread[];
  readonly threadCount: number;
};

export async function readSession(
  { database }: UsageDeps,
  actor: Actor,
  query: {
    readonly sessionId: string;
    readonly initiator: string | undefined;
    readonly limit: number;
    readonly afterId: string | undefined;
    readonly beforeId: string | undefined;
  },
): Promise<Result<SessionDetail, ReadFailure>> {
  const view = viewOf(actor);
  if (view === null) return fail({ code: "resource.not_found" });
  const { afterId, beforeId, limit, sessionId } = query;
  if (afterId !== undefined && beforeId !== undefined) {
    return invalid("after_id", "Give either after_id or before_id.");
  }
  return database.readOnlyTransaction(async (sql) => {
    const initiator = await resolveInitiator(sql, actor, { initiator: query.initiator ?? null });
    if (initiator === "nobody") return fail({ code: "resource.not_found" });
    const search = { view, sessionId, initiatorId: initiator, readerId: actor.userId };
    const [session] = await findSessions(sql, search);
    if (session === undefined) return fail({ code: "resource.not_found" });
    const key = { initiatorId: session.initiator.id, sessionId };
    const cursorId = afterId ?? beforeId;
    const cursor = cursorId === undefined ? null : await findThread(sql, key, cursorId);
    if (cursorId !== undefined && cursor === null) {
      const field = afterId === undefined ? "before_id" : "after_id";
      return invalid(field, "The session has no thread of this id.");
    }
    const side = beforeId === undefined ? "after" : "before";
    const threads = await readThreads(sql, key, { limit, side, cursor });
    return ok({ session, threads, threadCount: await countThreads(sql, key) });
  });
}

export async function readInterceptions(
  { database }: UsageDeps,
  actor: Actor,
  query: {
    readonly q: string | undefined;
    readonly limit: number;
    readonly afterId: string | undefined;
  },
): Promise<Result<Page<RecordedInterception>, ReadFailure>> {
  const prepared = prepare(actor, query.q);
  if (!prepared.ok) return prepared;
  const { view, filter } = prepared.value;
  const { limit, afterId } = query;
  return database.readOnlyTransaction(async (sql) => {
    const initiator = await resolveInitiator(sql, actor, filter);
    if (initiator === "nobody") return ok({ items: [], count: 0 });
    const after = afterId === undefined ? null : await findInterceptionPosition(sql, view, afterId);
    if (afterId !== undefined && after === null) {
      return invalid("after_id", "There is no interception of this id.");
    }
    const search = { view, filter, initiatorId: initiator };
    const items = await listInterceptions(sql, search, { limit, after });
    return ok({ items, count: await countInterceptions(sql, search, COUNT_MAX) });
  });
}

export async function readFilterValues(
  { database }: UsageDeps,
  actor: Actor,
  query: {
    readonly kind: "model" | "client" | "provider";
    readonly prefix: string;
    readonly limit: number;
  },
): Promise<Result<readonly string[], ReadFailure>> {
  const view = viewOf(actor);
  if (view === null) return fail({ code: "resource.not_found" });
  return ok(await database.readOnlyTransaction((sql) => listFilterValues(sql, { view, ...query })));
}

/** Null: not even one's own, which a narrow token may lack. */
export function viewOf(actor: Actor): UsageView | null {
  if (may(actor, "ai_usage:read", null)) return { kind: "everybody" };
  const isAllowed = may(actor, "ai_usage:read", actor.userId);
  return isAllowed ? { kind: "own", userId: actor.userId } : null;
}

function prepare(
  actor: Actor,
  q: string | undefined,
): Result<{ readonly view: UsageView; readonly filter: UsageFilter }, ReadFailure> {
  const view = viewOf(actor);
  if (view === null) return fail({ code: "resource.not_found" });
  const filter = parseUsageFilter(q);
  if (!filter.ok) return fail({ code: "request.invalid", validations: filter.failure });
  return ok({ view, filter: filter.value });
}

/** Null: everybody whom the reader may see. `nobody`: there is no such person. */
export async function resolveInitiator(
  sql: Sql,
  actor: Actor,
  { initiator }: Pick<UsageFilter, "initiator">,
): Promise<string | null> {
  if (initiator === null) return null;
  if (initiator === "me") return actor.userId;
  return (await findInitiatorId(sql, initiator)) ?? "nobody";
}

async function findCursor(
  sql: Sql,
  { view, actor, text }: { readonly view: UsageView; readonly actor: Actor; readonly text: string },
): Promise<Result<SessionPosition, ReadFailure>> {
  const exact = { view, sessionId: text, initiatorId: null, readerId: actor.userId };
  const found = await findSessions(sql, exact);
  const split = found.length === 0 ? splitSessionCursor(text) : null;
  const candidates = split === null ? found : await findSessions(sql, { ...exact, ...split });
  const [session, another] = candidates;
  if (session === undefined) return invalid("after_session_id", "There is no such session.");
  if (another !== undefined) {
    const detail = "Several people used this session id: write <user id>/<session id>.";
    return invalid("after_session_id", detail);
  }
  const { id: sessionId, initiator, lastActiveAt } = session;
  return ok({ lastActiveAt, sessionId, initiatorId: initiator.id });
}

async function readThreads(
  sql: Sql,
  key: SessionKey,
  page: ThreadPage,
): Promise<readonly UsageThread[]> {
  const heads = await listThreads(sql, key, page);
  const interceptions = await listThreadInterceptions(sql, key, {
    threadIds: heads.map((head) => head.id),
    limitPerThread: THREAD_INTERCEPTIONS_MAX,
  });
  const byThread = Map.groupBy(interceptions, (each) => each.rootId ?? each.id);
  return heads.map((head) => ({ ...head, interceptions: byThread.get(head.id) ?? [] }));
}

function invalid(field: string, detail: string): Result<never, Failure<"request.invalid">> {
  return fail({ code: "request.invalid", validations: [{ field, detail }] });
}
