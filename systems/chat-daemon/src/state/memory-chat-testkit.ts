/**
 * A chat in memory: what the database's rows and triggers do, said a second time. Millions of
 * transitions are walked on it, and Postgres is compared with it row by row.
 */
import { isDeepStrictEqual } from "node:util";
import { ok, type Result } from "@atelier/base/result";
import type { HistoryMessage } from "../messages/history-message.ts";
import type { ChatOwner, LockedChat, TransitionFailure } from "./chat-machine.ts";
import {
  toStored,
  type ChatRow,
  type NewMessage,
  type QueuedMessage,
  type StoredMessage,
  type UserMessage,
} from "./chat-row.ts";
import type { CarriedOut, ChatStorage } from "./chat-storage.ts";
import { StoredChat } from "./locked-chat-actions.ts";
import { isNews, type Plan, type QueueWrite } from "./transition-plan.ts";

export type MemoryState = {
  readonly row: ChatRow;
  readonly messages: readonly StoredMessage[];
  readonly queue: readonly QueuedMessage[];
};

export class MemoryChat {
  #state: MemoryState;
  readonly #queueMax: number;
  readonly #ids = { message: 0, queued: 0 };

  constructor(row: ChatRow, messages: readonly NewMessage[], queueMax: number) {
    this.#queueMax = queueMax;
    const created = { ...row, snapshotVersion: 1, historyVersion: 1 };
    this.#state = { row: created, messages: [], queue: [] };
    const storage = new MemoryStorage(this.#state, this.#ids, row.createdAt);
    this.#state = { ...this.#state, messages: storage.insert(messages) };
  }

  get state(): MemoryState {
    return this.#state;
  }

  async change<T, F>(
    now: Date,
    work: (chat: LockedChat) => Promise<Result<T, F>>,
  ): Promise<Result<T, F>> {
    const { row } = this.#state;
    const locked = { ...row, snapshotVersion: row.snapshotVersion + 1 };
    const storage = new MemoryStorage({ ...this.#state, row: locked }, this.#ids, now);
    const result = await work(new StoredChat(storage, this.#queueMax));
    if (result.ok) this.#state = storage.state;
    return result;
  }

  /** As `change`, with Acquire and `record_generation_attempt` behind it in the same transaction. */
  async changeTaken<T, F>(
    now: Date,
    owner: ChatOwner,
    work: (chat: LockedChat) => Promise<Result<T, F>>,
  ): Promise<Result<T, F | TransitionFailure>> {
    const done = await this.change<T, F | TransitionFailure>(now, async (chat) => {
      const value = await work(chat);
      const counted = value.ok ? await chat.recordGenerationAttempt() : value;
      return counted.ok ? value : counted;
    });
    if (done.ok) this.#own(owner);
    return done;
  }

  acquire(owner: ChatOwner): void {
    this.#own(owner);
    const { row } = this.#state;
    this.#state = { ...this.#state, row: { ...row, snapshotVersion: row.snapshotVersion + 1 } };
  }

  #own(owner: ChatOwner): void {
    const { row } = this.#state;
    this.#state = { ...this.#state, row: { ...row, ...owner, fence: row.fence + 1 } };
  }
}

class MemoryStorage implements ChatStorage {
  readonly now: Date;
  readonly row: ChatRow;
  readonly #ids: { message: number; queued: number };
  #state: MemoryState;

  constructor(state: MemoryState, ids: { message: number; queued: number }, now: Date) {
    this.#state = state;
    this.#ids = ids;
    this.now = now;
    this.row = state.row;
  }

  get state(): MemoryState {
    return this.#state;
  }

  async carryOut(_row: ChatRow, plan: Plan): Promise<CarriedOut> {
    await Promise.resolve();
    const deletedMessageIds = this.#deleteFrom(plan.deleteMessagesFrom);
    let queued: QueuedMessage | null = null;
    for (const write of plan.queue ?? []) queued = this.#writeQueue(write) ?? queued;
    const { messages: wanted = [], patch } = plan;
    const before = this.#state.messages.length;
    const messages = this.insert(wanted);
    if (wanted.length > 0) this.#historyChanged(messages);
    this.#update({ ...patch, ...(isNews(patch) ? { updatedAt: this.now } : {}) });
    const { row } = this.#state;
    return { row, messages: messages.slice(before), queued, deletedMessageIds };
  }

  /** Behind those that are there; all of them are returned. */
  insert(messages: readonly NewMessage[]): readonly StoredMessage[] {
    const { row } = this.#state;
    const stored = messages.map((message) => {
      this.#ids.message += 1;
      return toStored(message, {
        ...{ id: this.#ids.message, chatId: row.id, createdAt: this.now },
        revision: row.snapshotVersion,
      });
    });
    return [...this.#state.messages, ...stored];
  }

  async callsAndResults(): Promise<readonly HistoryMessage[]> {
    return Promise.resolve(this.#active());
  }

  async newestOfPerson(): Promise<number> {
    const asked = this.#active().findLast(
      ({ role, visibility }) => role === "user" && visibility !== "model",
    );
    return Promise.resolve(asked?.id ?? 0);
  }

  async findMessage(messageId: number): Promise<StoredMessage | undefined> {
    return Promise.resolve(this.#active().find(({ id }) => id === messageId));
  }

  async findQueued(queuedId: number): Promise<QueuedMessage | undefined> {
    return Promise.resolve(this.#state.queue.find(({ id }) => id === queuedId));
  }

  async firstQueued(): Promise<QueuedMessage | undefined> {
    return Promise.resolve(this.#state.queue[0]);
  }

  async updateQueued(
    queuedId: number,
    { content, index }: { readonly content?: UserMessage["content"]; readonly index?: number },
  ): Promise<QueuedMessage> {
    await Promise.resolve();
    const { queue } = this.#state;
    const found = queue.find(({ id }) => id === queuedId) as QueuedMessage; // Looked up before.
    const updated = { ...found, content: content ?? found.content };
    const others = queue.filter(({ id }) => id !== queuedId);
    const at = index ?? queue.indexOf(found);
    this.#setQueue(others.toSpliced(at, 0, updated), index !== undefined);
    return this.#state.queue.find(({ id }) => id === queuedId) as QueuedMessage;
  }

  async usableModel(wanted: string): Promise<string> {
    return Promise.resolve(wanted);
  }

  async hasSinceBoundary(what: "assistant" | "anything"): Promise<boolean> {
    await Promise.resolve();
    const active = this.#active();
    return active
      .slice(active.findLastIndex(({ compressed }) => compressed) + 1)
      .some(({ role }) => role === "assistant" || (what === "anything" && role !== "system"));
  }

  async linkFiles(): Promise<Result<undefined, TransitionFailure>> {
    return Promise.resolve(ok(undefined));
  }

  async isParentArchived(): Promise<boolean> {
    return Promise.resolve(false);
  }

  #active(): readonly StoredMessage[] {
    return this.#state.messages.filter(({ deleted }) => !deleted);
  }

  #deleteFrom(messageId: number | undefined): readonly number[] {
    if (messageId === undefined) return [];
    const ids = this.#active()
      .map(({ id }) => id)
      .filter((id) => id >= messageId);
    const revision = this.#state.row.snapshotVersion;
    this.#historyChanged(
      this.#state.messages.map((message) =>
        ids.includes(message.id) ? { ...message, deleted: true, revision } : message,
      ),
    );
    return ids;
  }

  #writeQueue(write: QueueWrite): QueuedMessage | null {
    const { queue, row } = this.#state;
    switch (write.kind) {
      case "append": {
        this.#ids.queued += 1;
        const position = (queue.at(-1)?.position ?? 0) + 1;
        const { content, createdBy, apiKeyId, modelConfigId, reasoningEffort } = write.message;
        const queued = {
          ...{ content, createdBy, apiKeyId, modelConfigId, reasoningEffort },
          ...{ id: this.#ids.queued, chatId: row.id, createdAt: this.now, position },
        };
        this.#setQueue([...queue, queued], false);
        return queued;
      }
      case "remove":
        this.#setQueue(
          queue.filter(({ id }) => id !== write.queuedId),
          false,
        );
        return null;
      case "clear":
        this.#setQueue([], false);
        return null;
      case "move_first": {
        const first = queue.filter(({ id }) => id === write.queuedId);
        this.#setQueue([...first, ...queue.filter(({ id }) => id !== write.queuedId)], true);
        return null;
      }
    }
  }

  #setQueue(wanted: readonly QueuedMessage[], isRenumbered: boolean): void {
    const queue = isRenumbered
      ? wanted.map((queued, at) => ({ ...queued, position: at + 1 }))
      : wanted;
    const { row } = this.#state;
    const isChanged = !isDeepStrictEqual(queue, this.#state.queue);
    const queueVersion = isChanged ? row.snapshotVersion : row.queueVersion;
    this.#state = {
      ...this.#state,
      queue,
      row: { ...row, queueVersion, queueLength: queue.length },
    };
  }

  #historyChanged(messages: readonly StoredMessage[]): void {
    this.#state = { ...this.#state, messages };
    this.#update({ historyVersion: this.#state.row.snapshotVersion });
  }

  /** One update of the chat's row, with what its trigger makes of it. */
  #update(change: Partial<ChatRow>): void {
    const old = this.#state.row;
    const row: { -readonly [Key in keyof ChatRow]: ChatRow[Key] } = { ...old, ...change };
    const requested = row.compactionRequestedAt?.getTime();
    if (requested !== undefined && requested !== old.compactionRequestedAt?.getTime()) {
      row.historyVersion = row.snapshotVersion;
    }
    if (row.historyVersion !== old.historyVersion) row.generationAttempt = 0;
    if (row.generationAttempt !== old.generationAttempt) row.retryState = null;
    if (!isDeepStrictEqual(row.retryState, old.retryState)) {
      row.retryStateVersion = row.snapshotVersion;
    }
    this.#state = { ...this.#state, row };
  }
}
