/**
 * Drives one chat from its acquisition until another has it, or it rests: hears news, decides, and keeps
 * the one task going that the chat's state asks for.
 *
 * News may be lost, doubled or late. What is decided on them is undone by fences where it was wrong, and
 * the database is read after each reconnect and now and then, so nothing is missed for long.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { isDatabaseUnavailable, type Sql } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import { chatUpdateChannel, type ChatMachine, type TakenChat } from "../state/chat-machine.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { parseChatUpdate } from "../state/chat-update.ts";
import { HeldNews } from "../state/held-news.ts";
import type { Lease } from "../state/lease.ts";
import { runAbandon, runDynamicToolsTimeout } from "./own-runner-actions.ts";
import {
  decide,
  initialView,
  type RunnerEvent,
  type RunnerTaskKind,
  type RunnerView,
} from "./runner-decision.ts";
import { listRunnerNews } from "./runner-store.ts";
import type { RunnerTaskContext, RunnerTasks } from "./runner-tasks.ts";

export type ChatRunnerDeps = {
  readonly machine: ChatMachine;
  readonly sql: Sql;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tasks: RunnerTasks;
};

/** Pauses between attempts of a task that failed in a way nobody expected. */
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;
/** A task's end and the news of it come together: whichever is first waits so long for the other. */
const NEWS_MS_MAX = 250;
/** Who has just taken a chat knows it. What came before it heard anything is read out of its first word's way. */
const FIRST_READ_MS = 50;

/** Made once: with each comes a trace of the stack. */
const STOPPED = new Error("the runner stops");
const MOVED_ON = new Error("the chat has moved on");

type ActiveTask = { readonly stop: AbortController; readonly ended: Promise<void> };

export class ChatRunner {
  readonly lease: Lease;
  readonly #workerId: string;
  readonly #fence: number;
  readonly #deps: ChatRunnerDeps;
  readonly #ended: () => void;
  readonly #stop = new AbortController();
  readonly #subscription: Disposable;
  /** Also those that were cut off and have not ended yet. */
  readonly #running = new Set<Promise<void>>();
  /** Of the chat as it was taken, or as its last step left it, until the task behind that has had it. */
  #taken: TakenChat | null;
  #view: RunnerView;
  /** Of a step whose statement has not answered: only the last counts. */
  readonly #announced: HeldNews<RunnerEvent>;
  #active: ActiveTask | null = null;

  /** `ended` is called once when the runner has nothing more to do for the chat. */
  constructor(
    deps: ChatRunnerDeps,
    { chat, read }: { readonly chat: ChatRow; readonly read: TakenChat | null },
    ended: () => void,
  ) {
    this.#taken = read;
    const { id: chatId, workerId, runnerId } = chat;
    this.lease = { chatId, runnerId: runnerId ?? "" };
    this.#workerId = workerId ?? "";
    this.#fence = chat.fence;
    this.#deps = deps;
    this.#announced = new HeldNews(deps.clock, (held) => {
      const last = held.at(-1);
      if (last !== undefined && !this.#stop.signal.aborted) this.#follow(last, null);
    });
    this.#ended = ended;
    this.#view = initialView({ workerId: this.#workerId, runnerId: this.lease.runnerId });
    let firstReadMs = FIRST_READ_MS;
    this.#subscription = deps.pubSub.subscribe(chatUpdateChannel(chatId), {
      message: (payload) => {
        const update = parseChatUpdate(payload);
        if (update === null) this.#readSoon(0);
        else this.hear(toEvent(update));
      },
      resync: () => {
        this.#readSoon(firstReadMs);
        firstReadMs = 0;
      },
    });
    this.hear(chat);
  }

  /** In any order, as often as it comes. `read`: the chat as the event says it is. */
  hear(event: RunnerEvent, read: TakenChat | null = null): void {
    if (this.#stop.signal.aborted) {
      read?.headStart?.drop();
      return;
    }
    const isHeld = read === null && this.#announced.isChanging && isStepOf(this.#view, event);
    if (isHeld) this.#announced.hold(event);
    else this.#follow(event, read);
  }

  #follow(event: RunnerEvent, read: TakenChat | null): void {
    const { view, action } = decide(event, this.#view);
    this.#view = view;
    if (action.kind === "start") {
      // Who has heard of it before has begun to read it: then it is read twice, and never begun twice.
      if (read !== null) this.#keepTaken(read);
      // Only a step of the turn takes it, and only as the history was.
      const isWanted =
        action.task === "generation" && this.#taken?.chat.historyVersion === view.historyVersion;
      if (!isWanted) this.#keepTaken(null);
      this.#start(action.task);
    } else read?.headStart?.drop();
    if (action.kind === "clean_up") this.end();
  }

  /** What is announced of a step is heard from its own statement first, with what that read. */
  stepping<Value>(commit: () => Promise<Value>): Promise<Value> {
    return this.#announced.during(commit);
  }

  /** Also said when the chat is gone. Cuts off what is active, and does not wait for it. */
  end(): void {
    if (this.#stop.signal.aborted) return;
    this.#subscription[Symbol.dispose]();
    this.#keepTaken(null);
    this.#stop.abort(STOPPED);
    this.#ended();
  }

  /** Resolves when all that was cut off has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(kind: RunnerTaskKind): void {
    const before = this.#active;
    before?.stop.abort(MOVED_ON);
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#stop.signal]);
    const { historyVersion, status } = this.#view;
    const context: RunnerTaskContext = {
      ...this.lease,
      workerId: this.#workerId,
      fence: this.#fence,
      historyVersion,
      status: status ?? "waiting", // Never null once something was heard.
      machine: this.#deps.machine,
      signal,
      takeRead: () => this.#takeRead(historyVersion),
    };
    const ended = this.#runUntilDone(kind, context).then(() => {
      this.#running.delete(ended);
      if (this.#active?.ended === ended) this.#active = null;
    });
    this.#running.add(ended);
    this.#active = { stop, ended };
  }

  /** Once: later it may have changed. */
  #takeRead(historyVersion: number): TakenChat | null {
    const read = this.#taken;
    if (read?.chat.historyVersion !== historyVersion) return null;
    this.#taken = null;
    return read;
  }

  #keepTaken(read: TakenChat | null): void {
    this.#taken?.headStart?.drop();
    this.#taken = read;
  }

  /** What rejects is repeated without end: everything a task does is fenced, or keyed by its call. */
  async #runUntilDone(kind: RunnerTaskKind, context: RunnerTaskContext): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal, chatId } = context;
    let delayMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      try {
        await this.#run(kind, context);
        if (!(await this.#isStillSo(context))) return;
        log.warn({ chatId, task: kind, retryInMs: delayMs }, "chat task ended without progress");
      } catch (error) {
        if (signal.aborted) return;
        const fields = { chatId, task: kind, error, retryInMs: delayMs };
        if (isDatabaseUnavailable(error)) log.warn(fields, "chat task waits for the database");
        else log.error(fields, "chat task failed");
      }
      await clock.sleep(this.#jittered(delayMs), signal).catch(() => {}); // Cut off: the loop ends.
      delayMs = Math.min(delayMs * 2, RETRY_MS_MAX);
    }
  }

  async #run(kind: RunnerTaskKind, context: RunnerTaskContext): Promise<void> {
    switch (kind) {
      case "generation":
        return this.#deps.tasks.runGeneration(context);
      case "interrupt":
        return this.#deps.tasks.runInterrupt(context);
      case "dynamic_tools_timeout":
        return runDynamicToolsTimeout(context, this.#deps);
      case "abandon":
        if (await runAbandon(context)) this.end();
    }
  }

  /** Whether the chat asks for the very task that has just ended: usually news of its end come at once. */
  async #isStillSo({
    chatId,
    signal,
    historyVersion,
    status,
  }: RunnerTaskContext): Promise<boolean> {
    const { clock, sql } = this.#deps;
    try {
      await clock.sleep(NEWS_MS_MAX, signal);
    } catch {
      return false;
    }
    const [news] = await listRunnerNews(sql, [chatId]);
    if (news === undefined) this.end();
    else this.hear(news);
    if (signal.aborted || news === undefined) return false;
    return news.historyVersion === historyVersion && news.status === status;
  }

  #readSoon(delayMs: number): void {
    const reading = this.#read(delayMs).then(() => {
      this.#running.delete(reading);
    });
    this.#running.add(reading);
  }

  async #read(delayMs: number): Promise<void> {
    const { sql, log, clock } = this.#deps;
    const { chatId } = this.lease;
    const { signal } = this.#stop;
    try {
      if (delayMs > 0) await clock.sleep(delayMs, signal);
      const [news] = await listRunnerNews(sql, [chatId]);
      if (news === undefined) this.end();
      else this.hear(news);
    } catch (error) {
      if (signal.aborted) return;
      // The worker reads all its chats every few seconds.
      log.debug({ chatId, error }, "chat not read");
    }
  }

  /** Between half and all of it, so that runners do not return in step. */
  #jittered(delayMs: number): number {
    return delayMs * (0.5 + Number.parseInt(this.#deps.random.uuid().slice(0, 4), 16) / 0x20000);
  }
}

/** What a step of this runner makes of its chat. Whatever else happens to it is heard at once. */
function isStepOf(view: RunnerView, event: RunnerEvent): boolean {
  const { runnerId, status, archived, historyVersion } = event;
  const goesOn = runnerId === view.runnerId && status === "running" && !archived;
  return goesOn && historyVersion > view.historyVersion;
}

function toEvent(update: NonNullable<ReturnType<typeof parseChatUpdate>>): RunnerEvent {
  return {
    workerId: update.worker_id,
    runnerId: update.runner_id,
    snapshotVersion: update.snapshot_version,
    historyVersion: update.history_version,
    generationAttempt: update.generation_attempt,
    archived: update.archived,
    status: update.status,
  };
}
