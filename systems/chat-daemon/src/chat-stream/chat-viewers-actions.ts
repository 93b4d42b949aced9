/**
 * Keeps the viewers of chats on this server up to date: told at once by notifications of the database,
 * and within POLL_MS when those get lost (spec agents 4.4, 2.7).
 *
 * A viewer that does not take what it is sent holds nothing up and costs no memory: hints collapse into
 * one, parts stay in the episode's own list, and nothing is read for it until it takes more.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { STREAM_BATCH_MAX, type ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { BufferedPart } from "../live-parts/part-buffer.ts";
import { chatUpdateChannel, type ChatUpdate } from "../state/chat-machine.ts";
import { parseChatUpdate } from "../state/chat-update.ts";
import { readSnapshotVersions, readView } from "./chat-view-store.ts";
import type { PartSources } from "./part-sources-actions.ts";
import {
  firstSync,
  partEvents,
  sync,
  viewOfUpdate,
  type PartCursor,
  type PartTarget,
  type Synced,
  type ViewerState,
} from "./viewer-sync.ts";

export type ViewersDeps = {
  readonly database: Database;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sources: PartSources;
};

export type ViewerRequest = {
  readonly chatId: string;
  /** The viewer holds messages up to this one; 0: none. */
  readonly afterId: number;
  readonly cursor: PartCursor | null;
};

/** Takes events in arrays; resolves when the viewer can take more. */
export type SendEvents = (events: readonly ChatStreamEvent[]) => Promise<void>;

export type ViewEnd = "closed" | "chat_gone";

const POLL_MS = 10_000;

/** Everybody on this server who watches one chat. */
type Watched = { readonly viewers: Set<Viewer>; readonly subscription: Disposable };

export class ChatViewers {
  readonly #deps: ViewersDeps;
  readonly #chats = new Map<string, Watched>();

  constructor(deps: ViewersDeps) {
    this.#deps = deps;
  }

  /** Until the signal aborts or the chat is gone. Rejects when the database stays away. */
  async view(request: ViewerRequest, send: SendEvents, signal: AbortSignal): Promise<ViewEnd> {
    const viewer = new Viewer(this.#deps, request, send);
    const watched = this.#watch(request.chatId);
    watched.viewers.add(viewer);
    try {
      return await viewer.run(signal);
    } finally {
      watched.viewers.delete(viewer);
      if (watched.viewers.size === 0 && this.#chats.get(request.chatId) === watched) {
        this.#chats.delete(request.chatId);
        watched.subscription[Symbol.dispose]();
      }
    }
  }

  /** For lost notifications: one query for all watched chats. */
  async keepPolling(signal: AbortSignal): Promise<void> {
    const { clock, database, log } = this.#deps;
    for (;;) {
      await clock.sleep(POLL_MS, signal);
      try {
        const versions = await readSnapshotVersions(database.sql, [...this.#chats.keys()]);
        for (const [chatId, { viewers }] of this.#chats) {
          for (const viewer of viewers) viewer.hint(versions.get(chatId) ?? null, null);
        }
      } catch (error) {
        log.warn({ error }, "watched chats were not looked at");
      }
    }
  }

  get count(): number {
    let count = 0;
    for (const { viewers } of this.#chats.values()) count += viewers.size;
    return count;
  }

  #watch(chatId: string): Watched {
    const known = this.#chats.get(chatId);
    if (known !== undefined) return known;
    const viewers = new Set<Viewer>();
    const subscription = this.#deps.pubSub.subscribe(chatUpdateChannel(chatId), {
      message: (payload) => {
        const update = parseChatUpdate(payload);
        for (const viewer of viewers) viewer.hint(update?.snapshot_version ?? null, update);
      },
      resync: () => {
        for (const viewer of viewers) viewer.hint(null, null);
      },
    });
    const watched = { viewers, subscription };
    this.#chats.set(chatId, watched);
    return watched;
  }
}

/** One viewer: reads, tells, waits. Does one thing at a time. */
class Viewer {
  readonly #deps: ViewersDeps;
  readonly #request: ViewerRequest;
  readonly #send: SendEvents;
  #state: ViewerState | null = null;
  /** Something may have changed since the database was read. */
  #isDirty = true;
  /** What that is, as far as its announcement says. Null: nobody knows. */
  #update: ChatUpdate | null = null;
  #following: Following | null = null;
  #wake: () => void = () => {};

  constructor(deps: ViewersDeps, request: ViewerRequest, send: SendEvents) {
    this.#deps = deps;
    this.#request = request;
    this.#send = send;
  }

  /** The chat may have reached this version; null: nobody knows which. `update`: as it was announced. */
  hint(version: number | null, update: ChatUpdate | null): void {
    if (version !== null && this.#state !== null && version <= this.#state.snapshotVersion) return;
    // What was announced says nothing about a change before it that nobody knows.
    this.#update = this.#isDirty && this.#update === null ? null : update;
    this.#isDirty = true;
    this.#wake();
  }

  async run(signal: AbortSignal): Promise<ViewEnd> {
    const stop = (): void => this.#wake();
    signal.addEventListener("abort", stop);
    try {
      for (;;) {
        if (signal.aborted) return "closed";
        if (this.#isDirty) {
          this.#isDirty = false;
          if (!(await this.#sync())) return "chat_gone";
        } else if (this.#following !== null && this.#following.batch !== null) {
          await this.#tellParts(this.#following);
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#following?.stop();
    }
  }

  /** False: the chat is gone. */
  async #sync(): Promise<boolean> {
    const { chatId, afterId, cursor } = this.#request;
    const state = this.#state;
    const update = this.#update;
    this.#update = null;
    const announced = state === null || update === null ? null : viewOfUpdate(state, update);
    const view =
      announced ??
      (await readView(this.#deps.database, {
        chatId,
        historyVersion: state?.historyVersion ?? -1,
        queueVersion: state?.queueVersion ?? -1,
        afterId,
      }));
    if (view === undefined) return false;
    const synced: Synced | null = state === null ? firstSync(view, cursor) : sync(state, view);
    if (synced === null) return true;
    this.#state = synced.state;
    await this.#tell(synced.events);
    this.#follow(synced.target);
    return true;
  }

  async #tell(events: readonly ChatStreamEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += STREAM_BATCH_MAX) {
      await this.#send(events.slice(start, start + STREAM_BATCH_MAX));
    }
  }

  async #tellParts(following: Following): Promise<void> {
    const parts = following.take();
    if (this.#state === null) return;
    const told = partEvents(this.#state, following.target.episode, parts);
    this.#state = told.state;
    await this.#tell(told.events);
  }

  #follow(target: PartTarget): void {
    if (target !== null && this.#following?.isOf(target) === true) return;
    this.#following?.stop();
    this.#following = null;
    if (target === null) return;
    this.#following = new Following(this.#deps, target, () => this.#wake());
  }
}

/** Reads one episode for one viewer, a batch ahead and no more. */
class Following {
  readonly target: NonNullable<PartTarget>;
  readonly #stop = new AbortController();
  readonly #onBatch: () => void;
  #batch: readonly BufferedPart[] | null = null;
  #taken: () => void = () => {};

  constructor(deps: ViewersDeps, target: NonNullable<PartTarget>, onBatch: () => void) {
    this.target = target;
    this.#onBatch = onBatch;
    this.#read(deps.sources).catch((error: unknown) => {
      // The viewer still hears of what is committed; parts come again with the next episode.
      deps.log.warn({ error, chat: target.episode.chatId }, "live parts of a chat broke off");
    });
  }

  get batch(): readonly BufferedPart[] | null {
    return this.#batch;
  }

  isOf({ workerId, episode }: NonNullable<PartTarget>): boolean {
    return (
      workerId === this.target.workerId &&
      episode.historyVersion === this.target.episode.historyVersion &&
      episode.generationAttempt === this.target.episode.generationAttempt
    );
  }

  take(): readonly BufferedPart[] {
    const batch = this.#batch ?? [];
    this.#batch = null;
    this.#taken();
    return batch;
  }

  stop(): void {
    this.#stop.abort();
    this.#taken();
  }

  async #read(sources: PartSources): Promise<void> {
    const { signal } = this.#stop;
    for await (const batch of sources.follow(this.target, signal)) {
      if (signal.aborted) return;
      this.#batch = batch;
      this.#onBatch();
      await new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
      if (signal.aborted) return;
    }
  }
}
