/**
 * One server's share of the chats that want to be driven: takes them, keeps its leases, hands news to
 * their runners, and gives all of them back when it stops.
 *
 * Guarantees: a chat whose server died is taken within 10 seconds, one whose server stops at once. While
 * the database is away nothing ends and nothing is taken; what other servers took then is let go of.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { isDatabaseUnavailable, type Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import { Tasks } from "@atelier/host/tasks";
import { acquireChats } from "../state/acquisition-actions.ts";
import { releaseChats, type ChatLimits } from "../state/acquisition-store.ts";
import {
  CHAT_OWNERSHIP_CHANNEL,
  type ChatMachine,
  type ChatMoved,
  type ChatOwner,
  type ForeseenChat,
  type OwnWorker,
  type ReadChat,
  type TakenChat,
} from "../state/chat-machine.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { isAsForeseen } from "../state/foreseen-read.ts";
import { beat, deleteEndedLeases } from "../state/heartbeat-store.ts";
import { HEARTBEAT_MS, type Lease } from "../state/lease.ts";
import { ChatRunner } from "./chat-runner-actions.ts";
import { listRunnerNews } from "./runner-store.ts";
import type { RunnerTasks } from "./runner-tasks.ts";

export type ChatWorkerDeps = {
  readonly database: Database;
  readonly pubSub: PubSub;
  readonly machine: ChatMachine;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tasks: RunnerTasks;
  /** What became of a call that was made ready before its time. Absent: nobody counts. */
  readonly headStartEnded?: (outcome: "used" | "dropped") => void;
  /** By which other servers find this process; another one after each start. Absent: they need not. */
  readonly workerId?: string;
};

export interface ChatWorker extends AsyncDisposable, OwnWorker {
  /** Of this process: another one after each start. */
  readonly workerId: string;
  /** How many chats it drives. */
  readonly runnersCount: number;
}

export const UNLIMITED_CHATS: ChatLimits = { topLevelMax: null, subagentsMax: null };

/** Spec agents 2.9. */
const ACQUIRE_EVERY_MS = 1_000;
const ACQUIRE_BATCH_MAX = 10;
/** A lease is looked for when it ends, and not more often than this while it is about to. */
const ACQUIRE_EVERY_MS_MIN = 50;
/** Whoever changes a chat holds it for a few statements: its person waits for the first word meanwhile. */
const ACQUIRE_AGAIN_MS = 10;
/** Then others are at it, or it is held for long: the next turn finds it. */
const ACQUIRE_AGAIN_MAX = 20;
const CLEAN_UP_EVERY_MS = 30_000;
/** News that were lost on the way are read. */
const READ_EVERY_MS = 3_000;
/** Tasks that were cut off may write what they have before their chats are given back. */
const STOP_MS_MAX = 1_000;

export function startChatWorker(
  deps: ChatWorkerDeps,
  limits: ChatLimits = UNLIMITED_CHATS,
): ChatWorker {
  return new Worker(deps, limits);
}

class Worker implements ChatWorker {
  readonly workerId: string;
  readonly #deps: ChatWorkerDeps;
  readonly #limits: ChatLimits;
  readonly #loops: Tasks;
  readonly #ownership: Disposable;
  /** By runner, not by chat: a chat that was let go and taken anew has two for a moment. */
  readonly #runners = new Map<string, ChatRunner>();
  /** Messages on their way whose chats it is to drive. */
  readonly #sending = new Set<Promise<unknown>>();
  #nudged = Promise.withResolvers<void>();
  #acquireInMs = ACQUIRE_EVERY_MS;
  #isStopping = false;

  constructor(deps: ChatWorkerDeps, limits: ChatLimits) {
    this.workerId = deps.workerId ?? deps.random.uuid();
    this.#deps = deps;
    this.#limits = limits;
    const nudge = (): void => this.#nudged.resolve();
    this.#ownership = deps.pubSub.subscribe(CHAT_OWNERSHIP_CHANNEL, {
      message: nudge,
      resync: nudge,
    });
    this.#loops = new Tasks(deps.log);
    this.#every(
      () => this.#acquireInMs,
      "chat acquisition",
      (signal) => this.#acquire(signal),
      () => this.#nudged.promise,
    );
    this.#every(
      () => HEARTBEAT_MS,
      "chat heartbeats",
      () => this.#beat(),
    );
    this.#every(
      () => READ_EVERY_MS,
      "chat news",
      () => this.#read(),
    );
    this.#every(
      () => CLEAN_UP_EVERY_MS,
      "chat leases",
      async () => {
        await deleteEndedLeases(deps.database.sql);
      },
    );
  }

  get runnersCount(): number {
    return this.#runners.size;
  }

  get #isLimited(): boolean {
    return this.#limits.topLevelMax !== null || this.#limits.subagentsMax !== null;
  }

  /** Where places are limited, they are counted: chats are taken by the loop that does. */
  async taking<Sent extends { readonly chat: ChatRow; readonly read: ReadChat | null }>(
    chatId: string,
    send: (owner: ChatOwner | null) => Promise<Sent | null>,
    foreseen: ForeseenChat | null,
  ): Promise<Sent | null> {
    if (this.#isStopping || this.#isLimited) return send(null);
    const runnerId = this.#deps.random.uuid();
    const sending = this.#goingOn(
      { runnerId, foreseen },
      () => send({ workerId: this.workerId, runnerId }),
      (chat, read) => this.#drive(chat, read),
    );
    // Nobody knows whether it was taken: others should not have to wait for its lease to end.
    const ended = sending
      .catch(() => this.#giveBack([{ chatId, runnerId }]))
      .then(() => {
        this.#sending.delete(ended);
      });
    this.#sending.add(ended);
    return sending;
  }

  hear(chat: ChatMoved): void {
    const runner = chat.runnerId === null ? undefined : this.#runners.get(chat.runnerId);
    runner?.hear(chat);
  }

  async stepping<Stepped extends { readonly chat: ChatRow; readonly read: ReadChat }>(
    runnerId: string,
    commit: () => Promise<Stepped | null>,
    foreseen: ForeseenChat | null,
  ): Promise<Stepped | null> {
    const runner = this.#runners.get(runnerId);
    if (runner === undefined) return commit();
    return runner.stepping(async () =>
      this.#goingOn(
        { runnerId, foreseen: this.#isStopping ? null : foreseen },
        commit,
        (chat, read) => runner.hear(chat, read),
      ),
    );
  }

  /** The call that comes next is made ready while `write` is under way, and is gone on with where all is as foreseen. */
  async #goingOn<Written extends { readonly chat: ChatRow; readonly read: ReadChat | null }>(
    { runnerId, foreseen }: { readonly runnerId: string; readonly foreseen: ForeseenChat | null },
    write: () => Promise<Written | null>,
    goOn: (chat: ChatRow, read: TakenChat | null) => void,
  ): Promise<Written | null> {
    const writing = write();
    const headStart = (foreseen && this.#deps.tasks.headStart?.(foreseen)) ?? null;
    let isUsed = false;
    try {
      const written = await writing;
      if (written?.chat.runnerId !== runnerId) return written;
      const { chat, read } = written;
      isUsed = read !== null && foreseen !== null && isAsForeseen(foreseen, read);
      if (isUsed) await headStart?.confirm();
      goOn(chat, read && { ...read, headStart: isUsed ? headStart : null });
      return written;
    } finally {
      if (!isUsed) headStart?.drop();
      if (headStart !== null) this.#deps.headStartEnded?.(isUsed ? "used" : "dropped");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#ownership[Symbol.dispose]();
    this.#nudged.resolve();
    // First: what it is just taking has to be given back too.
    await this.#loops[Symbol.asyncDispose]();
    await Promise.all(this.#sending);
    const runners = [...this.#runners.values()];
    for (const runner of runners) runner.end();
    const enough = new AbortController();
    await Promise.race([
      Promise.all(runners.map((runner) => runner.settled())),
      this.#deps.clock.sleep(STOP_MS_MAX, enough.signal).catch(() => {}), // All were settled.
    ]);
    enough.abort();
    await this.#giveBack(runners.map(({ lease }) => lease));
  }

  async #giveBack(leases: readonly Lease[]): Promise<void> {
    const { database, log } = this.#deps;
    if (leases.length === 0) return;
    try {
      await releaseChats(database.sql, leases);
    } catch (error) {
      // Their leases end by themselves.
      log.warn({ error, chats: leases.length }, "chats not given back");
    }
  }

  /** A failure is tried again at the next turn: each of these is safe to repeat. */
  #every(
    intervalMs: () => number,
    name: string,
    work: (signal: AbortSignal) => Promise<void>,
    nudged: () => Promise<void> = forever,
  ): void {
    const { clock, log } = this.#deps;
    this.#loops.run(name, async (signal) => {
      while (!signal.aborted) {
        try {
          await work(signal);
        } catch (error) {
          const level = isDatabaseUnavailable(error) ? "warn" : "error";
          log[level]({ error }, `${name} failed`);
        }
        const woken = new AbortController();
        const slept = clock.sleep(intervalMs(), AbortSignal.any([signal, woken.signal]));
        await Promise.race([slept, nudged()]).finally(() => {
          slept.catch(() => {}); // Nobody waits for it any more.
          woken.abort(WOKEN);
        });
      }
    });
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    const { database, random, clock, log } = this.#deps;
    // Who nudges from here on is heard by the wait after this turn.
    this.#nudged = Promise.withResolvers<void>();
    this.#acquireInMs = ACQUIRE_EVERY_MS;
    let again = 0;
    for (let isMore = true; isMore && !this.#isStopping;) {
      const taken = await acquireChats({ database, random }, this.workerId, {
        limits: this.#limits,
        max: ACQUIRE_BATCH_MAX,
      });
      for (const chat of taken.chats) this.#drive(chat);
      this.#acquireInMs = Math.max(
        ACQUIRE_EVERY_MS_MIN,
        Math.min(ACQUIRE_EVERY_MS, taken.lookAgainInMs ?? ACQUIRE_EVERY_MS),
      );
      ({ isMore } = taken);
      if (!isMore && taken.isContended && again < ACQUIRE_AGAIN_MAX) {
        again += 1;
        await clock.sleep(ACQUIRE_AGAIN_MS, signal);
        isMore = true;
      }
      if (taken.chats.length > 0) log.debug({ chats: taken.chats.length }, "chats acquired");
    }
  }

  #drive(chat: ChatRow, read: TakenChat | null = null): void {
    const { runnerId } = chat;
    if (runnerId === null) return; // Acquired ones have one.
    const deps = { ...this.#deps, sql: this.#deps.database.sql };
    const runner = new ChatRunner(deps, { chat, read }, () => {
      if (this.#isStopping) return;
      this.#runners.delete(runnerId);
      // Its place may be another's.
      if (this.#isLimited) this.#nudged.resolve();
    });
    this.#runners.set(runnerId, runner);
  }

  async #beat(): Promise<void> {
    const leases = [...this.#runners.values()].map(({ lease }) => lease);
    if (leases.length > 0) await beat(this.#deps.database.sql, leases);
  }

  async #read(): Promise<void> {
    const runners = [...this.#runners.values()];
    if (runners.length === 0) return;
    const chatIds = [...new Set(runners.map(({ lease }) => lease.chatId))];
    const news = await listRunnerNews(this.#deps.database.sql, chatIds);
    const byChat = new Map(news.map((each) => [each.chatId, each]));
    for (const runner of runners) {
      const event = byChat.get(runner.lease.chatId);
      if (event === undefined) runner.end();
      else runner.hear(event);
    }
  }
}

/** Made once: an abort without a reason makes one, with a trace of the stack. */
const WOKEN = new Error("there is something to do");

async function forever(): Promise<never> {
  return new Promise(() => {});
}
