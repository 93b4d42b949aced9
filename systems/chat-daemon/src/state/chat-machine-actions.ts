/**
 * The machine of chats on Postgres. One transaction for each change: lock and new version in its first
 * statement, announcement in its last, so nobody hears of what did not happen.
 */
import type { ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import type { Clock } from "@atelier/base/clock";
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Database, Sql } from "@atelier/database/database";
import { fileIdsOf } from "../messages/history-message.ts";
import { acquireChat, findAcquirable } from "./acquisition-store.ts";
import { announceChange } from "./announcement-store.ts";
import type {
  ChatFence,
  ChatMachine,
  ChatOwner,
  LockedChat,
  NewChat,
  OwnViewers,
  OwnWorker,
  ReadBeside,
  SendBeside,
  Stale,
  TransitionFailure,
} from "./chat-machine.ts";
import type { ChatRow, NewMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import {
  findArchivedShared,
  findChat,
  insertChat,
  lockChat,
  lockDescendants,
} from "./chat-store.ts";
import { isAtWork } from "./execution-state.ts";
import { foreseeSend, foreseeStep } from "./foreseen-read.ts";
import { NOTHING_BESIDE, type Reading } from "./history-store.ts";
import { StoredChat } from "./locked-chat-actions.ts";
import { insertMessages } from "./message-store.ts";
import { linkFiles, PostgresChat } from "./postgres-chat-actions.ts";
import { ReadHistories, type OwnChange } from "./read-histories.ts";
import { sendAtOnce } from "./send-store.ts";
import {
  abandonAtOnce,
  beginWithHistory,
  commitStepAndBegin,
  commitStepAtOnce,
  readWithHistory,
  recordAttemptAtOnce,
} from "./step-store.ts";

export type ChatMachineDeps = {
  readonly database: Database;
  readonly clock: Clock;
  /** Without one nothing is taken at once, and everybody hears of changes from the database. */
  readonly ownWorker?: OwnWorker;
  readonly ownViewers?: OwnViewers;
  /** What is read beside a chat that is taken at once. */
  readonly besideTaken?: ReadBeside;
};

export type ChatMachineOptions = {
  /** Messages that wait in one chat (spec agents 3.3). */
  readonly queueMax: number;
};

export const QUEUE_MAX_DEFAULT = 20;

export function createChatMachine(
  deps: ChatMachineDeps,
  { queueMax }: ChatMachineOptions = { queueMax: QUEUE_MAX_DEFAULT },
): ChatMachine {
  return new PostgresChatMachine(deps, queueMax);
}

const NO_WORKER: OwnWorker = {
  taking: (_chatId, send) => send(null),
  hear: () => {},
  stepping: (_runnerId, commit) => commit(),
};

const NO_VIEWERS: OwnViewers = { during: (_chatId, write) => write(), tell: () => {} };

type Family = Result<undefined, TransitionFailure>;
type Worked<T> = {
  readonly change: OwnChange;
  readonly value: T;
};

class PostgresChatMachine implements ChatMachine {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ownWorker: OwnWorker;
  readonly #ownViewers: OwnViewers;
  readonly #besideTaken: ReadBeside;
  readonly #queueMax: number;
  readonly #reading: Reading;

  constructor(deps: ChatMachineDeps, queueMax: number) {
    const { database, clock, ownWorker = NO_WORKER, besideTaken = NOTHING_BESIDE } = deps;
    this.#ownViewers = deps.ownViewers ?? NO_VIEWERS;
    this.#besideTaken = besideTaken;
    this.#database = database;
    this.#clock = clock;
    this.#ownWorker = ownWorker;
    this.#queueMax = queueMax;
    this.#reading = { pool: database.pool, histories: new ReadHistories() };
  }

  async create(
    chat: NewChat,
    also: (db: Sql) => Promise<void> = async () => {},
  ): Promise<
    Result<
      { readonly chat: ChatRow; readonly messages: readonly StoredMessage[] },
      TransitionFailure
    >
  > {
    const hasMessage = chat.messages.some(({ role }) => role === "user");
    assert(hasMessage, "a chat begins with a message of a person");
    const now = this.#clock.now();
    return this.#transaction(async (db) => {
      // Held until the end, so that the family is not archived meanwhile.
      const parent = chat.parentChatId;
      if (parent !== null) {
        const isParentArchived = await findArchivedShared(db, parent);
        if (isParentArchived === undefined) return fail({ kind: "chat_not_found" });
        if (isParentArchived) return fail({ kind: "parent_archived" });
      }
      await insertChat(db, chat, now);
      const messages = await insertMessages(
        db,
        chat.id,
        chat.messages.map((message) => withModelOf(chat, message)),
        now,
      );
      const fileIds = fileIdsOf(chat.messages.flatMap(({ content }) => content));
      const linked = fileIds.length === 0 ? ok(undefined) : await linkFiles(db, chat, fileIds, now);
      if (!linked.ok) return linked;
      const row = await findChat(db, chat.id);
      assert(row !== undefined, "a chat is there once it was inserted");
      await also(db);
      await announceChange(db, row, ["created"]);
      return ok({ chat: row, messages });
    });
  }

  async change<T, F>(
    chatId: string,
    work: (chat: LockedChat, db: Sql) => Promise<Result<T, F>>,
  ): Promise<Result<T, F | TransitionFailure>> {
    return this.#moving<T, F | TransitionFailure>(chatId, async (db) => {
      const row = await lockChat(db, chatId, null);
      if (row === undefined) return fail({ kind: "chat_not_found" });
      return this.#work(db, row, (chat) => work(chat, db));
    });
  }

  async changeFenced<T, F>(
    chatId: string,
    fence: ChatFence,
    work: (chat: LockedChat) => Promise<Result<T, F>>,
  ): Promise<Result<T, F | TransitionFailure | Stale>> {
    return this.#moving<T, F | TransitionFailure | Stale>(chatId, async (db) => {
      const row = await lockChat(db, chatId, fence);
      if (row === undefined) return fail({ kind: "stale" });
      return this.#work(db, row, work);
    });
  }

  async sendAtRest(
    chatId: string,
    message: UserMessage,
    beside: SendBeside,
  ): Promise<StoredMessage | null> {
    if (fileIdsOf(message.content).length > 0) return null;
    const send = (owner: ChatOwner | null) =>
      sendAtOnce(this.#reading, chatId, message, {
        ...{ owner, ...beside, read: this.#besideTaken, now: this.#clock.now() },
      });
    const foreseen = foreseeSend(this.#reading.histories.get(chatId), message);
    return this.#ownViewers.during(chatId, async () => {
      const sent = await this.#ownWorker.taking(chatId, send, foreseen);
      if (sent === null) return null;
      this.#ownWorker.hear(sent.chat);
      this.#ownViewers.tell(sent.chat, [sent.message]);
      return sent.message;
    });
  }

  async readFenced(
    chatId: string,
    fence: ChatFence,
  ): Promise<
    Result<{ readonly chat: ChatRow; readonly messages: readonly StoredMessage[] }, Stale>
  > {
    const read = await readWithHistory(this.#reading, chatId, fence);
    return read === undefined ? fail({ kind: "stale" }) : ok(read);
  }

  async beginFenced(
    chatId: string,
    fence: ChatFence,
    beside: ReadBeside | null,
  ): ReturnType<ChatMachine["beginFenced"]> {
    const begun = await beginWithHistory(this.#reading, chatId, fence, beside);
    return begun === undefined ? fail({ kind: "stale" }) : ok(begun);
  }

  async recordAttemptFenced(
    chatId: string,
    fence: ChatFence,
  ): Promise<Result<{ readonly attempt: number }, Stale>> {
    const attempt = await recordAttemptAtOnce(this.#database.pool, chatId, fence);
    return attempt === undefined ? fail({ kind: "stale" }) : ok({ attempt });
  }

  async abandonFenced(chatId: string, fence: ChatFence): Promise<Result<undefined, Stale>> {
    const isLetGo = await abandonAtOnce(this.#database.pool, chatId, fence);
    return isLetGo ? ok(undefined) : fail({ kind: "stale" });
  }

  async commitStepFenced(
    chatId: string,
    fence: ChatFence,
    messages: readonly NewMessage[],
    next?: { readonly beside: ReadBeside | null },
  ): Promise<Result<undefined, TransitionFailure | Stale>> {
    const hasFiles = fileIdsOf(messages.flatMap(({ content }) => content)).length > 0;
    if (hasFiles || messages.length === 0) {
      const done = await this.changeFenced(chatId, fence, (chat) => chat.commitStep(messages));
      return done.ok ? ok(undefined) : done;
    }
    const step = { messages, now: this.#clock.now() };
    // A boundary is where the history behind it begins: what is read with it would be the one before.
    const isBoundary = messages.some(({ compressed }) => compressed === true);
    if (next === undefined || isBoundary || this.#ownWorker === NO_WORKER) {
      const moved = await commitStepAtOnce(this.#database.pool, chatId, fence, step);
      if (moved === undefined) return fail({ kind: "stale" });
      this.#ownWorker.hear(moved);
      return ok(undefined);
    }
    const known = this.#reading.histories.get(chatId);
    const foreseen = foreseeStep(known, fence.historyVersion, messages);
    const commit = () => commitStepAndBegin(this.#reading, chatId, fence, { ...step, ...next });
    return this.#ownViewers.during(chatId, async () => {
      const done = await this.#ownWorker.stepping(fence.runnerId, commit, foreseen);
      if (done === null) return fail({ kind: "stale" });
      this.#ownViewers.tell(done.chat, done.added);
      return ok(undefined);
    });
  }

  async setFamilyArchived(
    rootChatId: string,
    archived: boolean,
    only?: { readonly idleSince: Date; record(db: Sql, root: ChatRow): Promise<void> },
  ): Promise<Family> {
    const isMeant = (chat: ChatRow): boolean =>
      only === undefined || (!isAtWork(chat.status) && chat.updatedAt < only.idleSince);
    return this.#transaction(async (db) => {
      const root = await lockChat(db, rootChatId, null);
      if (root === undefined) return fail({ kind: "chat_not_found" });
      if (!isMeant(root)) return fail({ kind: "nothing_to_do" });
      const done = await this.#work(db, root, (chat) => chat.setArchived(archived));
      if (!done.ok) return done;
      for (const child of await lockDescendants(db, rootChatId, { exceptArchived: archived })) {
        if (!isMeant(child)) return fail({ kind: "nothing_to_do" });
        const changed = await this.#work(db, child, (chat) => chat.setArchived(archived));
        if (!changed.ok) return fail({ kind: "family_busy" });
      }
      await only?.record(db, root);
      return ok(undefined);
    });
  }

  async acquire(
    chatId: string,
    owner: { readonly workerId: string; readonly runnerId: string },
  ): Promise<ChatRow | null> {
    const seen = await findAcquirable(this.#database.sql, chatId);
    return seen === undefined ? null : acquireChat(this.#database.sql, seen, owner);
  }

  /** A change of one chat: who drives it here, and who watches it, hears of it as soon as it has committed. */
  async #moving<T, F>(
    chatId: string,
    work: (db: Sql) => Promise<Result<Worked<T>, F>>,
  ): Promise<Result<T, F>> {
    return this.#ownViewers.during(chatId, async () => {
      const done = await this.#transaction(work);
      if (!done.ok) return done;
      const { change, value } = done.value;
      this.#ownWorker.hear(change.after);
      this.#reading.histories.changed(change);
      if (change.isAdded) this.#ownViewers.tell(change.after, change.written);
      return ok(value);
    });
  }

  /** Several of one chat in one transaction would raise its version once each. */
  async #work<T, F>(
    db: Sql,
    row: ChatRow,
    work: (chat: LockedChat) => Promise<Result<T, F>>,
  ): Promise<Result<Worked<T>, F>> {
    const storage = new PostgresChat(db, row, this.#clock.now());
    const chat = new StoredChat(storage, this.#queueMax);
    const result = await work(chat);
    if (!result.ok) return result;
    const kinds: ChatNewsKind[] = [];
    const isMoved = chat.row.status !== row.status || chat.row.archived !== row.archived;
    if (isMoved) kinds.push("status_change");
    if (chat.isActionEntered) kinds.push("action_required");
    await announceChange(db, chat.row, kinds);
    const { written, isAdded } = storage;
    return ok({ change: { before: row, after: chat.row, written, isAdded }, value: result.value });
  }

  /** A failure undoes everything. */
  async #transaction<T, F>(work: (db: Sql) => Promise<Result<T, F>>): Promise<Result<T, F>> {
    let failed: { readonly ok: false; readonly failure: F } | undefined;
    try {
      return await this.#database.transaction(async (db) => {
        const result = await work(db);
        if (result.ok) return result;
        failed = result;
        throw new Undone();
      });
    } catch (error) {
      if (error instanceof Undone && failed !== undefined) return failed;
      throw error;
    }
  }
}

/** Makes a transaction roll back; never leaves this file. */
class Undone extends Error {}

/** What a person wrote names the model that answers it. */
function withModelOf(chat: NewChat, message: NewMessage): NewMessage {
  if (message.role !== "user") return message;
  return {
    ...message,
    modelConfigId: message.modelConfigId ?? chat.lastModelConfigId,
    reasoningEffort: message.reasoningEffort ?? chat.lastReasoningEffort,
  };
}
