/** One locked chat in Postgres, within the transaction that holds its lock. */
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Sql } from "@atelier/database/database";
import type { HistoryMessage } from "../messages/history-message.ts";
import type { TransitionFailure } from "./chat-machine.ts";
import type { ChatRow, QueuedMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import type { CarriedOut, ChatStorage } from "./chat-storage.ts";
import { findArchivedShared, updateChat } from "./chat-store.ts";
import { evictFiles, insertFileLinks, listLinkableFiles } from "./file-link-store.ts";
import {
  findMessage,
  findNewestOfPerson,
  hasMessagesSinceBoundary,
  insertMessages,
  listCallsAndResults,
  softDeleteMessagesFrom,
} from "./message-store.ts";
import {
  appendQueued,
  deleteAllQueued,
  deleteQueued,
  findFirstQueued,
  findQueued,
  listQueued,
  updateQueuedContent,
  updateQueueOrder,
} from "./queue-store.ts";
import { isNews, type Plan, type QueueWrite } from "./transition-plan.ts";
import { findUsableModel } from "./usable-model-store.ts";

/** Of one chat (spec agents 2.1). */
export const CHAT_FILES_MAX = 50;

export class PostgresChat implements ChatStorage {
  readonly now: Date;
  readonly row: ChatRow;
  /** All that was added to its history. */
  readonly written: StoredMessage[] = [];
  /** Nothing was taken out of it. */
  isAdded = true;
  readonly #db: Sql;

  constructor(db: Sql, row: ChatRow, now: Date) {
    this.#db = db;
    this.row = row;
    this.now = now;
  }

  async carryOut(row: ChatRow, plan: Plan): Promise<CarriedOut> {
    const from = plan.deleteMessagesFrom;
    const deletedMessageIds =
      from === undefined ? [] : await softDeleteMessagesFrom(this.#db, row.id, from);
    if (from !== undefined) this.isAdded = false;
    let queued: QueuedMessage | null = null;
    for (const write of plan.queue ?? []) queued = (await this.#writeQueue(write)) ?? queued;
    const { messages = [], patch } = plan;
    const inserted =
      messages.length === 0 ? [] : await insertMessages(this.#db, row.id, messages, this.now);
    this.written.push(...inserted);
    const touchedAt = isNews(patch) ? this.now : undefined;
    const after = await updateChat(this.#db, row.id, patch, touchedAt);
    return { row: after, messages: inserted, queued, deletedMessageIds };
  }

  async callsAndResults(): Promise<readonly HistoryMessage[]> {
    return listCallsAndResults(this.#db, this.row.id);
  }

  async newestOfPerson(): Promise<number> {
    return findNewestOfPerson(this.#db, this.row.id);
  }

  async findMessage(messageId: number): Promise<StoredMessage | undefined> {
    return findMessage(this.#db, this.row.id, messageId);
  }

  async findQueued(queuedId: number): Promise<QueuedMessage | undefined> {
    return findQueued(this.#db, this.row.id, queuedId);
  }

  async firstQueued(): Promise<QueuedMessage | undefined> {
    return findFirstQueued(this.#db, this.row.id);
  }

  async updateQueued(
    queuedId: number,
    { content, index }: { readonly content?: UserMessage["content"]; readonly index?: number },
  ): Promise<QueuedMessage> {
    if (content !== undefined) await updateQueuedContent(this.#db, queuedId, content);
    if (index !== undefined) {
      const others = (await listQueued(this.#db, this.row.id))
        .map(({ id }) => id)
        .filter((id) => id !== queuedId);
      await updateQueueOrder(this.#db, this.row.id, others.toSpliced(index, 0, queuedId));
    }
    const updated = await this.findQueued(queuedId);
    assert(updated !== undefined, "a queued message stays while its chat is locked");
    return updated;
  }

  async usableModel(wanted: string): Promise<string> {
    return (await findUsableModel(this.#db, this.row.organizationId, wanted)) ?? wanted;
  }

  async hasSinceBoundary(what: "assistant" | "anything"): Promise<boolean> {
    return hasMessagesSinceBoundary(this.#db, this.row.id, what);
  }

  async linkFiles(fileIds: readonly string[]): Promise<Result<undefined, TransitionFailure>> {
    return linkFiles(this.#db, this.row, fileIds, this.now);
  }

  async isParentArchived(): Promise<boolean> {
    const { parentChatId } = this.row;
    if (parentChatId === null) return false;
    return (await findArchivedShared(this.#db, parentChatId)) === true;
  }

  async #writeQueue(write: QueueWrite): Promise<QueuedMessage | null> {
    const chatId = this.row.id;
    switch (write.kind) {
      case "append":
        return appendQueued(this.#db, chatId, write.message, this.now);
      case "remove":
        await deleteQueued(this.#db, chatId, write.queuedId);
        return null;
      case "clear":
        await deleteAllQueued(this.#db, chatId);
        return null;
      case "move_first":
        await this.updateQueued(write.queuedId, { index: 0 });
        return null;
    }
  }
}

/** One that another chat holds is refused as one that does not exist: it is not told which it is. */
export async function linkFiles(
  db: Sql,
  chat: Pick<ChatRow, "id" | "ownerId" | "organizationId">,
  fileIds: readonly string[],
  now: Date,
): Promise<Result<undefined, TransitionFailure>> {
  const refused = (detail: string): Result<undefined, TransitionFailure> =>
    fail({ kind: "files_refused", detail });
  if (fileIds.length > CHAT_FILES_MAX) {
    return refused(`a message has at most ${CHAT_FILES_MAX} files`);
  }
  const linkable = new Set(await listLinkableFiles(db, chat, fileIds));
  const absent = fileIds.find((id) => !linkable.has(id));
  if (absent !== undefined) return refused(`there is no file ${absent}`);
  const linked = await insertFileLinks(db, chat.id, fileIds, now);
  if (linked < fileIds.length) return refused("a file is not there any more");
  await evictFiles(db, chat.id, { keep: fileIds, max: CHAT_FILES_MAX });
  return ok(undefined);
}
