/**
 * Looks at what chats change in their workspaces, beside their turns: when one connects to its machine,
 * after tools that may have changed something, and when the turn ends. Nobody waits for a look, it has a
 * time limit, and what it does not learn is learned by the next one.
 *
 * A chat is looked at no more often than every LOOK_EVERY_MS, and for a machine on which looking takes
 * long more seldom, so that it has the time for its work. What goes on while one waits is one look later.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { WakeableSleep } from "@atelier/base/wakeable-sleep";
import type { Database } from "@atelier/database/database";
import { Tasks } from "@atelier/host/tasks";
import type { ToolChat, ToolWorkspace } from "../tools/tool.ts";
import { isSameStatus, toDiffStatus, type Bases, type DiffStatus } from "./diff-status.ts";
import { findBases, saveDiffStatus, type DiffPlace } from "./diff-status-store.ts";

export type DiffLooksDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Only what is looked at, and whose it is. */
export type LookedAtChat = Pick<ToolChat, "id" | "ownerId" | "rootChatId">;

const LOOK_EVERY_MS = 5_000;
/** A look of one second is followed by none for ten. */
const REST_FACTOR = 10;
const LOOK_MS_MAX = 15_000;
/** After a look that failed: the machine is away, or its agent is too old. */
const FAILED_REST_MS = 30_000;
/** Of one server, at once. */
const LOOKS_MAX = 8;
/** Chats whose machines are remembered; the one that was longest not heard of goes first. */
const REMEMBERED_MAX = 2_000;
/** What did not change is written down as still so this often. */
const CONFIRM_EVERY_MS = 60_000;

type Watched = {
  place: DiffPlace;
  workspace: ToolWorkspace;
  /** Undefined: not read yet. Null: this is the first look of all. */
  bases: Bases | null | undefined;
  saved: { readonly status: DiffStatus; readonly atMs: number } | null;
  /** Of the monotonic clock: no look before. */
  restsUntilMs: number;
  isWanted: boolean;
  /** Without a rest before it. */
  isUrgent: boolean;
  isRunning: boolean;
  readonly rest: WakeableSleep;
};

export class DiffLooks implements AsyncDisposable {
  readonly #deps: DiffLooksDeps;
  readonly #tasks: Tasks;
  readonly #watched = new Map<string, Watched>();
  readonly #waiting: (() => void)[] = [];
  #looks = 0;
  #isStopping = false;

  constructor(deps: DiffLooksDeps) {
    this.#deps = deps;
    this.#tasks = new Tasks(deps.log);
  }

  /** The chat has its machine. Children's machines are those of their root chat. */
  connected(chat: LookedAtChat, workspace: ToolWorkspace): void {
    const chatId = rootOf(chat);
    const { workspaceId, agentId } = workspace;
    const place = { chatId, ownerId: chat.ownerId, workspaceId, agentId };
    const known = this.#watched.get(chatId);
    const isSame = known?.place.agentId === agentId && known.place.workspaceId === workspaceId;
    const watched = isSame ? known : newWatched(place, workspace, this.#deps.clock);
    watched.workspace = workspace;
    // Behind all others: the first of the map is the one to go.
    this.#watched.delete(chatId);
    this.#watched.set(chatId, watched);
    this.#forget();
    this.#want(watched);
  }

  /** Tools of the chat have run in its workspace. */
  toolsRan(chat: LookedAtChat): void {
    const watched = this.#watched.get(rootOf(chat));
    if (watched !== undefined) this.#want(watched);
  }

  /** What stands there now stands for a while: it is looked at without a rest. */
  turnEnded(chatId: string): void {
    const watched = this.#watched.get(chatId);
    if (watched === undefined) return;
    watched.isUrgent = true;
    watched.rest.wake();
    this.#want(watched);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    const stopped = this.#tasks[Symbol.asyncDispose]();
    for (const wake of this.#waiting.splice(0)) wake();
    await stopped;
  }

  #forget(): void {
    for (const [chatId, { isRunning }] of this.#watched) {
      if (this.#watched.size <= REMEMBERED_MAX) return;
      if (!isRunning) this.#watched.delete(chatId);
    }
  }

  #want(watched: Watched): void {
    watched.isWanted = true;
    if (watched.isRunning || this.#isStopping) return;
    watched.isRunning = true;
    this.#tasks.run("changes of a chat", async (signal) => {
      try {
        while (watched.isWanted) await this.#lookOnce(watched, signal);
      } finally {
        watched.isRunning = false;
      }
    });
  }

  async #lookOnce(watched: Watched, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    await this.#rest(watched, signal);
    await this.#place(signal);
    [watched.isWanted, watched.isUrgent] = [false, false];
    const startedMs = clock.monotonicMs();
    let hasFailed = false;
    try {
      hasFailed = !(await this.#look(watched, signal));
    } catch (error) {
      signal.throwIfAborted();
      hasFailed = true;
      log.debug({ err: error, chatId: watched.place.chatId }, "changes could not be looked at");
    } finally {
      this.#looks -= 1;
      this.#waiting.shift()?.();
    }
    const nowMs = clock.monotonicMs();
    const restMs = hasFailed ? FAILED_REST_MS : REST_FACTOR * (nowMs - startedMs);
    watched.restsUntilMs = nowMs + Math.max(LOOK_EVERY_MS, restMs);
  }

  async #rest(watched: Watched, signal: AbortSignal): Promise<void> {
    const restMs = watched.restsUntilMs - this.#deps.clock.monotonicMs();
    if (restMs <= 0 || watched.isUrgent) return;
    await watched.rest.sleep(restMs, signal);
  }

  /** One of LOOKS_MAX, when one is free. */
  async #place(signal: AbortSignal): Promise<void> {
    while (this.#looks >= LOOKS_MAX) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      signal.throwIfAborted();
    }
    this.#looks += 1;
  }

  /** False: nothing was learned. */
  async #look(watched: Watched, signal: AbortSignal): Promise<boolean> {
    const { database, clock, log } = this.#deps;
    const { place, workspace } = watched;
    if (watched.bases === undefined) {
      watched.bases = (await findBases(database.sql, place)) ?? null;
    }
    const asked = { since: watched.bases ?? {}, othersAreNew: watched.bases !== null };
    const found = await this.#withinTime(signal, (limited) =>
      workspace.services.git.changes(asked, { signal: limited }),
    );
    if (!found.ok) {
      const { code } = found.failure;
      log.debug({ chatId: place.chatId, code }, "changes could not be looked at");
      return false;
    }
    const status = toDiffStatus(found.value.repositories, found.value);
    const { saved } = watched;
    const nowMs = clock.monotonicMs();
    const isKnown =
      saved !== null && isSameStatus(saved.status, status) && nowMs - saved.atMs < CONFIRM_EVERY_MS;
    if (!isKnown) {
      await saveDiffStatus(database.sql, place, { status, now: clock.now() });
      watched.saved = { status, atMs: nowMs };
    }
    watched.bases = status.bases;
    return true;
  }

  async #withinTime<Value>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const ended = new AbortController();
    const late = new AbortController();
    this.#deps.clock.sleep(LOOK_MS_MAX, AbortSignal.any([signal, ended.signal])).then(
      () => late.abort(new Error("The machine took too long.")),
      () => {}, // It is over.
    );
    try {
      return await work(AbortSignal.any([signal, late.signal]));
    } finally {
      ended.abort();
    }
  }
}

function newWatched(place: DiffPlace, workspace: ToolWorkspace, clock: Clock): Watched {
  return {
    ...{ place, workspace, bases: undefined, saved: null, restsUntilMs: 0 },
    ...{ isWanted: false, isUrgent: false, isRunning: false },
    rest: new WakeableSleep(clock),
  };
}

function rootOf({ id, rootChatId }: LookedAtChat): string {
  return rootChatId ?? id;
}
