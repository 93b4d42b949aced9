/**
 * The transitions of one locked chat: asks the table, reads what the plan decides on, has the plan
 * carried out, and makes sure that it led where the table says.
 */
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatError, ChatRetry } from "@atelier/contract/chat/chat-words";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { fileIdsOf } from "../messages/history-message.ts";
import {
  openToolCalls,
  pendingDynamicCalls,
  type OpenToolCall,
} from "../messages/open-tool-calls.ts";
import type {
  BusyBehavior,
  LockedChat,
  Sent,
  ToolOutcome,
  TransitionFailure,
} from "./chat-machine.ts";
import type { ChatRow, NewMessage, QueuedMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import type { CarriedOut, ChatStorage } from "./chat-storage.ts";
import { executionStateOf, type ExecutionState, type TransitionName } from "./execution-state.ts";
import {
  planAbandonment,
  planArchived,
  planAttempt,
  planAwaitedAction,
  planCancelledAction,
  planClearedContext,
  planCompactionRequest,
  planCompletedAction,
  planEdit,
  planEntering,
  planError,
  planInterrupt,
  planPromotion,
  planQueueing,
  planReconciliation,
  planReorder,
  planRest,
  planRetry,
  planStep,
  type Plan,
} from "./transition-plan.ts";
import { isTransitionAllowed, mayLeadTo } from "./transition-table.ts";

type Outcome<T> = Promise<Result<T, TransitionFailure>>;

export class StoredChat implements LockedChat {
  readonly #storage: ChatStorage;
  readonly #queueMax: number;
  #row: ChatRow;
  #isActionEntered = false;

  constructor(storage: ChatStorage, queueMax: number) {
    this.#storage = storage;
    this.#row = storage.row;
    this.#queueMax = queueMax;
  }

  get row(): ChatRow {
    return this.#row;
  }

  get state(): ExecutionState {
    return executionStateOf(this.#row);
  }

  /** Whether one of the transitions began to wait for the client's tools. */
  get isActionEntered(): boolean {
    return this.#isActionEntered;
  }

  async sendMessage(message: UserMessage, busy: BusyBehavior): Outcome<Sent> {
    const transition = busy === "queue" ? "send_message_queue" : "send_message_interrupt";
    const from = this.state;
    if (!isTransitionAllowed(from, transition)) return this.#refused(transition);
    const enters = from === "W" || from === "E0";
    const promotes = from === "E1";
    // One that takes the place of the promoted head makes the queue no longer.
    if (!enters && !promotes && this.#row.queueLength >= this.#queueMax) {
      return fail({ kind: "queue_full", max: this.#queueMax });
    }
    const linked = await this.#linkFiles(message.content);
    if (!linked.ok) return linked;
    if (enters) {
      const entering = { ...message, modelConfigId: this.#modelOf(message) };
      const open = await this.#open();
      const done = await this.#carryOut(transition, planEntering(this.#row, entering, open));
      return ok({ kind: "inserted", messages: done.messages });
    }
    if (promotes) {
      const appended = await this.#write({ queue: [{ kind: "append", message }], patch: {} });
      await this.#promote(transition, await this.#first());
      return ok({ kind: "queued", queued: theQueued(appended) });
    }
    const isPending = from === "A0" || from === "A1";
    const pending = isPending ? await this.#pending() : [];
    const plan = planQueueing(this.#row, message, { busy, pending });
    return ok({ kind: "queued", queued: theQueued(await this.#carryOut(transition, plan)) });
  }

  async editMessage(
    messageId: number,
    replacement: UserMessage,
  ): Outcome<{
    readonly message: StoredMessage;
    readonly deletedMessageIds: readonly number[];
  }> {
    if (!isTransitionAllowed(this.state, "edit_message")) return this.#refused("edit_message");
    const original = await this.#storage.findMessage(messageId);
    if (original === undefined) return fail({ kind: "message_not_found" });
    // Rows that only the model sees are nobody's to edit.
    if (original.role !== "user" || original.visibility === "model") {
      return fail({ kind: "message_not_editable" });
    }
    const linked = await this.#linkFiles(replacement.content);
    if (!linked.ok) return linked;
    const plan = planEdit(this.#row, original, replacement);
    const { messages, deletedMessageIds } = await this.#carryOut("edit_message", plan);
    return ok({ message: theLast(messages), deletedMessageIds });
  }

  async deleteQueuedMessage(queuedId: number): Outcome<undefined> {
    const transition = "delete_queued_message";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    const queued = await this.#storage.findQueued(queuedId);
    if (queued === undefined) return fail({ kind: "message_not_found" });
    await this.#carryOut(transition, { queue: [{ kind: "remove", queuedId }], patch: {} });
    return ok(undefined);
  }

  async updateQueuedMessage(
    queuedId: number,
    change: { readonly content?: UserMessage["content"]; readonly index?: number },
  ): Outcome<QueuedMessage> {
    const queued = await this.#storage.findQueued(queuedId);
    if (queued === undefined) return fail({ kind: "message_not_found" });
    const linked = await this.#linkFiles(change.content ?? []);
    if (!linked.ok) return linked;
    const updated = await this.#storage.updateQueued(queuedId, change);
    await this.#write({ patch: {} });
    return ok(updated);
  }

  async promoteQueuedMessage(queuedId: number): Outcome<StoredMessage | null> {
    const transition = "promote_queued_message";
    const from = this.state;
    if (!isTransitionAllowed(from, transition)) return this.#refused(transition);
    const queued = await this.#storage.findQueued(queuedId);
    if (queued === undefined) return fail({ kind: "message_not_found" });
    if (from === "R1" || from === "I1") {
      await this.#carryOut(transition, planReorder(queuedId));
      return ok(null);
    }
    return ok(await this.#promote(transition, queued));
  }

  async interrupt(reason: string, turn?: number): Outcome<undefined> {
    if (!isTransitionAllowed(this.state, "interrupt")) return this.#refused("interrupt");
    if (turn !== undefined && turn !== (await this.#storage.newestOfPerson())) {
      return fail({ kind: "other_turn" });
    }
    const pending = this.#row.status === "requires_action" ? await this.#pending() : [];
    await this.#carryOut("interrupt", planInterrupt(this.#row, pending, reason));
    return ok(undefined);
  }

  async completeRequiresAction(results: readonly ToolOutcome[]): Outcome<undefined> {
    const transition = "complete_requires_action";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    const plan = planCompletedAction(await this.#pending(), results);
    if (!plan.ok) return plan;
    await this.#carryOut(transition, plan.value);
    return ok(undefined);
  }

  async setArchived(archived: boolean): Outcome<undefined> {
    const transition = archived ? "archive" : "unarchive";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    if (!archived && (await this.#storage.isParentArchived())) {
      return fail({ kind: "parent_archived" });
    }
    await this.#carryOut(transition, planArchived(archived));
    return ok(undefined);
  }

  async requestCompaction(): Outcome<undefined> {
    const transition = "request_compaction";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    if (!(await this.#storage.hasSinceBoundary("assistant")))
      return fail({ kind: "nothing_to_do" });
    await this.#carryOut(transition, planCompactionRequest(this.#storage.now));
    return ok(undefined);
  }

  async clearContext(messages: readonly NewMessage[]): Outcome<undefined> {
    const transition = "clear_context";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    const mayClear = messages.length > 0 && (await this.#storage.hasSinceBoundary("anything"));
    if (!mayClear) return fail({ kind: "nothing_to_do" });
    await this.#carryOut(transition, planClearedContext(messages));
    return ok(undefined);
  }

  async reconcileInvalidState(): Outcome<undefined> {
    const transition = "reconcile_invalid_state";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    await this.#carryOut(transition, planReconciliation(await this.#pending()));
    return ok(undefined);
  }

  async commitStep(messages: readonly NewMessage[]): Outcome<readonly StoredMessage[]> {
    if (!isTransitionAllowed(this.state, "commit_step")) return this.#refused("commit_step");
    if (messages.length === 0) return fail({ kind: "nothing_to_do" });
    const linked = await this.#linkFiles(messages.flatMap(({ content }) => content));
    if (!linked.ok) return linked;
    return ok((await this.#carryOut("commit_step", planStep(messages))).messages);
  }

  async enterRequiresAction(): Outcome<{ readonly deadlineAt: Date }> {
    const transition = "enter_requires_action";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    if ((await this.#pending()).length === 0) return fail({ kind: "nothing_to_do" });
    const { deadlineAt, ...plan } = planAwaitedAction(this.#storage.now);
    await this.#carryOut(transition, plan);
    this.#isActionEntered = true;
    return ok({ deadlineAt });
  }

  async finishInterruption(partial: readonly NewMessage[] | null): Outcome<undefined> {
    const transition = "finish_interruption";
    const from = this.state;
    if (!isTransitionAllowed(from, transition)) return this.#refused(transition);
    const linked = await this.#linkFiles(partial?.flatMap(({ content }) => content) ?? []);
    if (!linked.ok) return linked;
    if (from === "I0") {
      await this.#carryOut(transition, planRest(partial ?? []));
      return ok(undefined);
    }
    // Written first: it may hold calls, which what is promoted behind it closes.
    if (partial !== null) await this.#write({ messages: partial, patch: {} });
    await this.#promote(transition, await this.#first());
    return ok(undefined);
  }

  async recordGenerationAttempt(): Outcome<{ readonly attempt: number }> {
    const transition = "record_generation_attempt";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    const { row } = await this.#carryOut(transition, planAttempt(this.#row));
    return ok({ attempt: row.generationAttempt });
  }

  async recordRetryState(retry: ChatRetry): Outcome<undefined> {
    const transition = "record_retry_state";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    await this.#carryOut(transition, planRetry(retry));
    return ok(undefined);
  }

  async finishTurn(): Outcome<undefined> {
    const from = this.state;
    if (!isTransitionAllowed(from, "finish_turn")) return this.#refused("finish_turn");
    if (from === "R0") await this.#carryOut("finish_turn", planRest([]));
    else await this.#promote("finish_turn", await this.#first());
    return ok(undefined);
  }

  async finishError(error: ChatError): Outcome<undefined> {
    if (!isTransitionAllowed(this.state, "finish_error")) return this.#refused("finish_error");
    await this.#carryOut("finish_error", planError(error));
    return ok(undefined);
  }

  async cancelRequiresAction(reason: string): Outcome<undefined> {
    const transition = "cancel_requires_action";
    if (!isTransitionAllowed(this.state, transition)) return this.#refused(transition);
    await this.#carryOut(transition, planCancelledAction(await this.#pending(), reason));
    return ok(undefined);
  }

  async abandon(): Outcome<undefined> {
    await this.#write(planAbandonment());
    return ok(undefined);
  }

  #refused(transition: TransitionName): Result<never, TransitionFailure> {
    return fail({ kind: "refused", from: this.state, transition });
  }

  /** The last step of a transition: it must have led where the table says. */
  async #carryOut(transition: TransitionName, plan: Plan): Promise<CarriedOut> {
    const from = this.state;
    const done = await this.#write(plan);
    assert(
      mayLeadTo(from, transition, this.state),
      `${transition} leads from ${from} where its table says, not to ${this.state}`,
    );
    return done;
  }

  async #write(plan: Plan): Promise<CarriedOut> {
    const done = await this.#storage.carryOut(this.#row, plan);
    this.#row = done.row;
    return done;
  }

  async #promote(transition: TransitionName, queued: QueuedMessage): Promise<StoredMessage> {
    const modelConfigId = await this.#storage.usableModel(this.#modelOf(queued));
    const plan = planPromotion(this.#row, { queued, modelConfigId }, await this.#open());
    return theLast((await this.#carryOut(transition, plan)).messages);
  }

  async #first(): Promise<QueuedMessage> {
    const queued = await this.#storage.firstQueued();
    assert(queued !== undefined, "a queue with a length has a first message");
    return queued;
  }

  async #open(): Promise<readonly OpenToolCall[]> {
    return openToolCalls(await this.#storage.callsAndResults());
  }

  async #pending(): Promise<readonly OpenToolCall[]> {
    return pendingDynamicCalls(await this.#open(), this.#row.dynamicTools);
  }

  #modelOf(message: UserMessage): string {
    return message.modelConfigId ?? this.#row.lastModelConfigId;
  }

  async #linkFiles(content: readonly MessagePart[]): Outcome<undefined> {
    const fileIds = fileIdsOf(content);
    return fileIds.length === 0 ? ok(undefined) : this.#storage.linkFiles(fileIds);
  }
}

function theQueued({ queued }: CarriedOut): QueuedMessage {
  assert(queued !== null, "an appended message is in the queue");
  return queued;
}

function theLast(messages: readonly StoredMessage[]): StoredMessage {
  const message = messages.at(-1);
  assert(message !== undefined, "what enters the history is in it");
  return message;
}
