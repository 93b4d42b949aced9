/**
 * Writes records of interceptions to Postgres, in batches, for every way of recording.
 *
 * Repeating a batch changes nothing: a row that is there stays, an interception ends once, and
 * sessions grow only with the statement that ends one. What it remembers saves statements and is
 * never needed: another server finds the same in the database.
 */
import { isDatabaseUnavailable, type Database } from "@atelier/database/database";
import { LRUCache } from "lru-cache";
import { RecordIndex } from "./record-index.ts";
import {
  endInterceptions,
  findToolCallers,
  insertFilterValues,
  insertInterceptions,
  insertSeenModels,
  touchSessions,
  type ToolCallRef,
} from "./usage-record-store.ts";
import {
  filterValuesOf,
  seenModelOf,
  touchesOf,
  type EndText,
  type StartRow,
  type ToolCaller,
} from "./usage-record.ts";
import { storableName } from "./usage-text.ts";

/** Whose results may come back with a request that another thread of this server gets. */
export type EmittedToolCalls = {
  readonly initiatorId: string;
  readonly toolCallIds: readonly string[];
  readonly caller: ToolCaller;
};

/** The other threads of this server that write records. */
export interface RecordingPeers {
  tell(emitted: EmittedToolCalls): void;
  /** What others tell. */
  onTold(listener: (emitted: EmittedToolCalls) => void): void;
}

export type RecordWriterDeps = {
  readonly database: Pick<Database, "pool">;
  /** Told of each end that is in the database. */
  readonly onEnded?: (id: string) => void;
  /** Absent: this thread records alone. */
  readonly peers?: RecordingPeers | undefined;
};

/** Tool calls whose results may come back soon, so that most requests need no look into the database. */
const TOOL_CALLS_MAX = 20_000;
/** Requests under way. Far more than one process relays at a time. Ids are no keys here: see record-index.ts. */
const LIVE_MAX = 100_000;
const SEEN_MAX = 20_000;
/** A session that goes on is shown to be active at least this often, and whenever a request ends. */
const TOUCH_EVERY_MS = 5_000;

export class RecordWriter {
  readonly #deps: RecordWriterDeps;
  readonly #live = new RecordIndex<StartRow>({ max: LIVE_MAX });
  readonly #toolCalls = new LRUCache<string, ToolCaller>({ max: TOOL_CALLS_MAX });
  /** What a session was last touched with → the start of that interception. */
  readonly #touched = new LRUCache<string, number>({ max: SEEN_MAX });
  readonly #seenValues = new LRUCache<string, true>({ max: SEEN_MAX });

  constructor(deps: RecordWriterDeps) {
    this.#deps = deps;
    deps.peers?.onTold((emitted) => this.#remember(emitted));
  }

  /** For each call who emitted it; null where it is no call or nobody knows. Asks the database. */
  async findCallers(
    calls: readonly (ToolCallRef | null)[],
    { onFailure }: { readonly onFailure: (error: unknown) => void },
  ): Promise<readonly (ToolCaller | null)[]> {
    const found = calls.map((call) =>
      call === null ? null : (this.#toolCalls.get(keyOf(call)) ?? null),
    );
    const unknown = calls.flatMap((call, index) =>
      call === null || found[index] !== null ? [] : [{ call, index }],
    );
    if (unknown.length === 0) return found;
    try {
      const wanted = unknown.map((each) => each.call);
      const callers = await findToolCallers(this.#deps.database.pool, wanted);
      for (const [position, { index }] of unknown.entries()) {
        found[index] = callers[position] ?? null;
      }
    } catch (error) {
      onFailure(error);
    }
    return found;
  }

  async insertStarts(rows: readonly StartRow[]): Promise<void> {
    const { pool } = this.#deps.database;
    try {
      await insertInterceptions(pool, rows);
    } catch (error) {
      // A pooled connection that died while idle shows it at its next use. Repeating is safe: the
      // statement skips rows that are there. Once only, because callers wait.
      if (!isDatabaseUnavailable(error)) throw error;
      await insertInterceptions(pool, rows);
    }
  }

  noteStarted(row: StartRow): void {
    this.#live.add(row.id, row);
  }

  /** Results of its tool calls may come back before it is written. */
  noteEnded({ id, toolCallIds }: EndText): void {
    const row = this.#live.delete(id);
    if (row === undefined || toolCallIds.length === 0) return;
    const emitted = { initiatorId: row.initiator_id, caller: callerOf(row), toolCallIds };
    this.#remember(emitted);
    this.#deps.peers?.tell(emitted);
  }

  #remember({ initiatorId, toolCallIds, caller }: EmittedToolCalls): void {
    for (const toolCallId of toolCallIds) {
      this.#toolCalls.set(keyOf({ initiatorId, toolCallId }), caller);
    }
  }

  /** Makes sessions appear with what has begun, and their filters with it. */
  async writeStarted(
    started: readonly StartRow[],
    { endedToo }: { readonly endedToo: readonly EndText[] },
  ) {
    const { pool } = this.#deps.database;
    const ended = indexOf(endedToo);
    // An end brings all that a touch would.
    const touching = started.filter(
      (row) => ended.get(row.id) === undefined && this.#isTouchDue(row),
    );
    if (touching.length > 0) {
      await touchSessions(pool, touchesOf(touching));
      for (const row of touching) this.#touched.set(touchKey(row), Date.parse(row.started_at));
    }
    const fresh = new Map<string, StartRow>();
    let before: StartRow | null = null;
    for (const row of started) {
      const isAlike = before !== null && hasSameValues(row, before);
      before = row;
      if (isAlike) continue;
      const key = valuesKey(row);
      if (!this.#seenValues.has(key)) fresh.set(key, row);
    }
    if (fresh.size === 0) return;
    await insertFilterValues(pool, [...fresh.values()].flatMap(filterValuesOf));
    await insertSeenModels(pool, [...fresh.values()].map(seenModelOf));
    for (const key of fresh.keys()) this.#seenValues.set(key, true);
  }

  async writeEnds(all: readonly EndText[]): Promise<void> {
    const { pool } = this.#deps.database;
    const ended = firstOfEach(all);
    const written = await endInterceptions(pool, ended);
    const rest = written.length === ended.length ? [] : without(ended, new Set(written));
    // Ended before, unknown, or taken for dead by another server in this very moment. Only a second
    // look tells the last case, and then writes what is ours.
    if (rest.length > 0) await endInterceptions(pool, rest);
    const { onEnded } = this.#deps;
    if (onEnded !== undefined) for (const { id } of ended) onEnded(id);
  }

  #isTouchDue(row: StartRow): boolean {
    const touchedMs = this.#touched.get(touchKey(row));
    return touchedMs === undefined || Date.parse(row.started_at) - touchedMs >= TOUCH_EVERY_MS;
  }
}

/** 40001 and 40P01: Postgres undid the statement in favour of another one. 57014: it took too long. */
export function mayWorkLater(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "40001" || code === "40P01" || code === "57014" || isDatabaseUnavailable(error);
}

function callerOf(row: StartRow): ToolCaller {
  const rootId = row.thread_root_id ?? row.id;
  return { interceptionId: row.id, rootId, sessionId: row.session_id };
}

/** As it is stored: what is longer or strange is cut the same way on both sides. */
function keyOf({ initiatorId, toolCallId }: ToolCallRef): string {
  return `${initiatorId} ${storableName(toolCallId)}`;
}

function touchKey(row: StartRow): string {
  return `${row.session_id} ${valuesKey(row)}`;
}

/** Of two with one key; a text of both is dearer. */
function hasSameValues(row: StartRow, other: StartRow): boolean {
  return (
    row.initiator_id === other.initiator_id &&
    row.provider === other.provider &&
    row.provider_name === other.provider_name &&
    row.model === other.model &&
    row.client === other.client
  );
}

function valuesKey(row: StartRow): string {
  return `${row.initiator_id} ${row.provider} ${row.provider_name} ${row.model}\n${row.client}`;
}

function without(ends: readonly EndText[], ids: ReadonlySet<string>): readonly EndText[] {
  return ends.filter((end) => !ids.has(end.id));
}

/** Inside one statement a second end could not see the first. */
function firstOfEach(ends: readonly EndText[]): readonly EndText[] {
  const firsts = indexOf(ends);
  return firsts.size === ends.length ? ends : ends.filter((end) => firsts.get(end.id) === end);
}

/** Of a few hundred at most. */
const BATCH_PLACES = 256;

/** Where an id stands twice, the first counts. */
function indexOf(ends: readonly EndText[]): RecordIndex<EndText> {
  const index = new RecordIndex<EndText>({ max: ends.length, places: BATCH_PLACES });
  for (const end of ends) index.add(end.id, end);
  return index;
}
