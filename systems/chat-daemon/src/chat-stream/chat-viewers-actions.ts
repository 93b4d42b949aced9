/**
 * Keeps the viewers of chats on this server up to date: told at once by notifications of the database,
 * and within POLL_MS when those get lost (spec agents 4.4, 2.7). Of what this server changes itself, they are
 * told by that.
 *
 * A viewer that does not take what it is sent holds nothing up and costs no memory: hints collapse into
 * one, parts stay in the episode's own list, and nothing is read for it until it takes more.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { STREAM_BATCH_MAX, type ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { SharedText } from "@atelier/contract/rpc/socket-service";
import type { PartReader } from "../live-parts/part-buffer.ts";
import { chatUpdateChannel, type ChatUpdate, type OwnViewers } from "../state/chat-machine.ts";
import type { ChatRow, StoredMessage } from "../state/chat-row.ts";
import { parseChatUpdate } from "../state/chat-update.ts";
import { HeldNews } from "../state/held-news.ts";
import { readSnapshotVersions, readView } from "./chat-view-store.ts";
import { groupText } from "./part-line.ts";
import type { PartSources } from "./part-sources-actions.ts";
import {
  firstSync,
  partEvents,
  stateAfterAll,
  sync,
  viewOfChange,
  viewOfUpdate,
  type ChatView,
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
  readonly sources: Pick<PartSources, "follow">;
};

export type ViewerRequest = {
  readonly chatId: string;
  /** The viewer holds messages up to this one; 0: none. */
  readonly afterId: number;
  readonly cursor: PartCursor | null;
};

/**
 * Takes events as JSON, in arrays; `done` is called once: when the viewer can take more, or with an error
 * when it is gone.
 */
export type SendEvents = (
  events: string | SharedText,
  done: (error?: Error | null) => void,
) => void;

export type ViewEnd = "closed" | "chat_gone";

const POLL_MS = 10_000;

/** Everybody on this server who watches one chat. */
type Watched = {
  readonly viewers: Set<Viewer>;
  readonly subscription: Disposable;
  readonly held: HeldNews<ChatUpdate | null>;
};

export class ChatViewers implements OwnViewers {
  readonly #deps: ViewersDeps;
  readonly #chats = new Map<string, Watched>();

  constructor(deps: ViewersDeps) {
    this.#deps = deps;
  }

  /** Until the signal aborts or the chat is gone. Rejects when the database stays away. */
  view(request: ViewerRequest, send: SendEvents, signal: AbortSignal): Promise<ViewEnd> {
    const { promise, resolve, reject } = Promise.withResolvers<ViewEnd>();
    const watched = this.#watch(request.chatId);
    const viewer = new Viewer(this.#deps, request, send, (end) => {
      watched.viewers.delete(viewer);
      if (watched.viewers.size === 0 && this.#chats.get(request.chatId) === watched) {
        this.#chats.delete(request.chatId);
        watched.subscription[Symbol.dispose]();
      }
      if (typeof end === "string") resolve(end);
      else reject(end.error);
    });
    watched.viewers.add(viewer);
    if (signal.aborted) viewer.end("closed");
    else signal.addEventListener("abort", () => viewer.end("closed"), { once: true });
    viewer.next();
    return promise;
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

  async during<Value>(chatId: string, write: () => Promise<Value>): Promise<Value> {
    const watched = this.#chats.get(chatId);
    return watched === undefined ? write() : watched.held.during(write);
  }

  tell(chat: ChatRow, added: readonly StoredMessage[]): void {
    for (const viewer of this.#chats.get(chat.id)?.viewers ?? []) viewer.tell(chat, added);
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
    const hint = (update: ChatUpdate | null): void => {
      for (const viewer of viewers) viewer.hint(update?.snapshot_version ?? null, update);
    };
    const held = new HeldNews<ChatUpdate | null>(this.#deps.clock, (updates) => {
      for (const update of updates) hint(update);
    });
    const subscription = this.#deps.pubSub.subscribe(chatUpdateChannel(chatId), {
      message: (payload) => {
        const update = parseChatUpdate(payload);
        if (held.isChanging) held.hold(update);
        else hint(update);
      },
      resync: () => hint(null),
    });
    const watched = { viewers, subscription, held };
    this.#chats.set(chatId, watched);
    return watched;
  }
}

/**
 * One viewer: reads, tells, waits. Does one thing at a time. Many viewers wait for hours, so one that waits
 * is this object and no more: nothing of it is suspended.
 */
class Viewer {
  readonly #deps: ViewersDeps;
  readonly #request: ViewerRequest;
  readonly #send: SendEvents;
  readonly #ended: (end: ViewEnd | { readonly error: unknown }) => void;
  #state: ViewerState | null = null;
  /** Something may have changed since the database was read. */
  #isDirty = true;
  /** What that is, as far as its announcement says. Null: nobody knows. */
  #update: ChatUpdate | null = null;
  /** What became of it by this server, in place of a reading. Null: it has to be read. */
  #given: ChatView | null = null;
  #following: Following | null = null;
  #isBusy = false;
  #isOver = false;

  constructor(
    deps: ViewersDeps,
    request: ViewerRequest,
    send: SendEvents,
    ended: (end: ViewEnd | { readonly error: unknown }) => void,
  ) {
    this.#deps = deps;
    this.#request = request;
    this.#send = send;
    this.#ended = ended;
  }

  /** The chat may have reached this version; null: nobody knows which. `update`: as it was announced. */
  hint(version: number | null, update: ChatUpdate | null): void {
    if (version !== null && this.#state !== null && version <= this.#state.snapshotVersion) return;
    // What was announced says nothing about a change before it that nobody knows.
    this.#update = this.#isDirty && this.#update === null ? null : update;
    this.#isDirty = true;
    this.next();
  }

  /** The chat behind one change of this server. Nothing where that is not all that there is to know. */
  tell(chat: ChatRow, added: readonly StoredMessage[]): void {
    if (this.#isBusy || this.#isDirty || this.#isOver || this.#state === null) return;
    this.#given = viewOfChange(this.#state, chat, added);
    if (this.#given === null) return;
    this.#isDirty = true;
    this.next();
  }

  end(how: ViewEnd | { readonly error: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#following?.reader[Symbol.dispose]();
    this.#following = null;
    this.#ended(how);
  }

  /** What there is to do now, unless something is being done: whoever ends that asks again. */
  next(): void {
    if (this.#isBusy || this.#isOver) return;
    try {
      this.#isBusy = this.#isDirty ? this.#beginSync() : this.#tellParts();
    } catch (error) {
      this.end({ error });
    }
  }

  #beginSync(): true {
    this.#isDirty = false;
    this.#sync().then(
      (isThere) => (isThere ? this.#done() : this.end("chat_gone")),
      (error: unknown) => this.end({ error }),
    );
    return true;
  }

  readonly #done = (error?: Error | null): void => {
    if (error) return this.end("closed");
    this.#isBusy = false;
    this.next();
  };

  /** False: the chat is gone. */
  async #sync(): Promise<boolean> {
    const { chatId, afterId, cursor } = this.#request;
    const state = this.#state;
    const update = this.#update;
    const given = this.#given;
    this.#update = null;
    this.#given = null;
    const announced = state === null || update === null ? null : viewOfUpdate(state, update);
    const view =
      given ??
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
    if (!this.#isOver) this.#follow(synced.target);
    return true;
  }

  async #tell(events: readonly ChatStreamEvent[]): Promise<void> {
    for (let start = 0; start < events.length && !this.#isOver; start += STREAM_BATCH_MAX) {
      const text = JSON.stringify(events.slice(start, start + STREAM_BATCH_MAX));
      await new Promise<void>((resolve) => {
        this.#send(text, (error) => {
          if (error) this.end("closed");
          resolve();
        });
      });
    }
  }

  /** Whether it is being told something now. */
  #tellParts(): boolean {
    const state = this.#state;
    const following = this.#following;
    if (state === null || following === null) return false;
    const { reader, target } = following;
    const group = reader.take();
    if (group === null) {
      if (reader.isDropped) this.#leave();
      return false;
    }
    const after = stateAfterAll(state, target.episode, group.parts);
    if (after !== null && group.parts.length <= STREAM_BATCH_MAX) {
      this.#send(groupText(group, target.episode), this.#done);
      this.#state = after;
      return true;
    }
    const told = partEvents(state, target.episode, group.parts);
    this.#state = told.state;
    if (told.events.length === 0) return false;
    this.#tell(told.events).then(() => this.#done(), this.#done);
    return true;
  }

  /** Its parts come again with the next change of the chat: those that it holds are left out then. */
  #leave(): void {
    const { log } = this.#deps;
    log.warn({ chat: this.#request.chatId }, "a viewer left live parts of a chat lying");
    this.#following?.reader[Symbol.dispose]();
    this.#following = null;
  }

  #follow(target: PartTarget): void {
    if (target !== null && isSame(target, this.#following?.target)) return;
    this.#following?.reader[Symbol.dispose]();
    this.#following = null;
    if (target === null) return;
    const reader = this.#deps.sources.follow(target, () => this.next());
    this.#following = { target, reader };
  }
}

type Following = { readonly target: NonNullable<PartTarget>; readonly reader: PartReader };

function isSame({ workerId, episode }: NonNullable<PartTarget>, other?: PartTarget): boolean {
  return (
    workerId === other?.workerId &&
    episode.historyVersion === other.episode.historyVersion &&
    episode.generationAttempt === other.episode.generationAttempt
  );
}
