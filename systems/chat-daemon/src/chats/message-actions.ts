/** What people do with the messages of a chat and its queue. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { Failure } from "@atelier/contract/failures";
import type { ChatInputPart, ChatMessage, ChatQueuedMessage } from "@atelier/contract/http/chats";
import type {
  ServiceCaller,
  ServiceCallerProof,
  ServiceRequestAudit,
  ServiceTarget,
} from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import type { BusyBehavior, LockedChat } from "../state/chat-machine.ts";
import { updateChatMetadata } from "../state/chat-metadata-store.ts";
import type { UserMessage } from "../state/chat-row.ts";
import { fileIdsOf, toParts } from "./chat-content.ts";
import type { ChatDeps, SpendingRefusal } from "./chat-deps.ts";
import { invalid, noSuchToolServer, toFailure, type ChatFailure } from "./chat-failures.ts";
import { findFiles } from "./chat-file-store.ts";
import { toWireMessage } from "../state/wire-message.ts";
import { toWireEntering, toWireQueued } from "./chat-wire.ts";
import { once, type Keep, type NewKey } from "./once-actions.ts";
import { insertSentAnswer } from "./request-key-store.ts";

export type MessageInput = {
  readonly content: readonly ChatInputPart[];
  readonly model_config_id?: string | undefined;
  readonly reasoning_effort?: ReasoningEffort | undefined;
  readonly mcp_server_ids?: readonly string[] | null | undefined;
};

export type SendInput = MessageInput & {
  readonly busy_behavior: BusyBehavior;
  readonly plan_mode?: "plan" | "" | undefined;
  readonly idempotency_key?: string | undefined;
};

/** `audit`: its entry is durable with the message. `proof`: absent where who asks was looked at. */
export type SendTo = {
  readonly chatId: string;
  readonly audit: ServiceRequestAudit;
  readonly proof?: ServiceCallerProof | undefined;
};

export type SendAnswer = {
  readonly queued: boolean;
  readonly message?: ChatMessage;
  readonly messages?: ChatMessage[];
  readonly queued_message?: ChatQueuedMessage;
};

export async function sendMessage(
  deps: ChatDeps,
  caller: ServiceCaller,
  { chatId, audit, proof }: SendTo,
  input: SendInput,
): Promise<Result<SendAnswer, ChatFailure | SpendingRefusal | Failure<"chat.request_key_reused">>> {
  const { idempotency_key: key, ...rest } = input;
  const request = {
    ownerId: caller.userId,
    operation: "send_message" as const,
    key,
    input: { chatId, ...rest },
  };
  let asked: Promise<SpendingRefusal | null> | undefined;
  const askOnce = () => (asked ??= deps.spendingRefusal(caller.userId));
  const send = async (keep: Keep<SendAnswer>) => {
    const message = await toUserMessage(deps, caller, input);
    if (!message.ok) return message;
    const refusal = await askOnce();
    if (refusal !== null) return fail(refusal);
    return changed(
      await deps.machine.change<SendAnswer, ChatFailure>(chatId, async (chat, db) => {
        const usable = await checkSelections(deps, chat, input);
        if (!usable.ok) return usable;
        const sent = await chat.sendMessage(message.value, input.busy_behavior);
        if (!sent.ok) return fail(toFailure(sent.failure));
        await updateSelections(db, chatId, input);
        const answer = toSendAnswer(sent.value);
        await keep(db, answer);
        await audit.record(db, { ...auditTarget(chatId), before: null, after: null });
        return ok(answer);
      }),
    );
  };
  return once<SendAnswer, ChatFailure | SpendingRefusal>(deps, request, send, (newKey) =>
    provenBy(proof, () => {
      const to = { chatId, audit, proof, input };
      return sendAtRest({ ...deps, spendingRefusal: askOnce }, caller, to, newKey);
    }),
  );
}

/** Who asks is looked at where this has not proven who it is: all that comes behind it may rely on that. */
async function provenBy<Done>(
  proof: ServiceCallerProof | undefined,
  atOnce: () => Promise<Done | null>,
): Promise<Done | null> {
  let done: Done | null = null;
  try {
    done = await atOnce();
  } finally {
    if (done === null) await proof?.prove();
  }
  return done;
}

/**
 * The usual case in one round trip: words alone, to a chat that rests. Null: nothing was done. Also where
 * the person may not, who is first told what the same request was answered before.
 */
async function sendAtRest(
  deps: ChatDeps,
  caller: ServiceCaller,
  { chatId, audit, proof, input }: SendTo & { readonly input: SendInput },
  newKey: NewKey | null,
): Promise<Result<SendAnswer, never> | null> {
  const chooses = input.model_config_id ?? input.mcp_server_ids ?? input.plan_mode;
  if (chooses !== undefined || fileIdsOf(input.content).length > 0) return null;
  const message = await toUserMessage(deps, caller, input);
  if (!message.ok) return null;
  const unlimited = deps.unlimited();
  if (unlimited === null && (await deps.spendingRefusal(caller.userId)) !== null) return null;
  const answer =
    newKey &&
    insertSentAnswer(newKey.key, {
      inputHash: newKey.inputHash,
      message: toWireEntering(chatId, message.value),
      at: deps.clock.now(),
    });
  const audited = audit.piece(auditTarget(chatId));
  const writes = answer === null ? [audited] : [answer, audited];
  const conditions = [unlimited ?? [], proof?.condition ?? []].flat();
  const entered = await deps.machine.sendAtRest(chatId, message.value, { conditions, writes });
  if (entered === null) return null;
  proof?.proven();
  audited.written();
  return ok(toSendAnswer({ kind: "inserted", messages: [entered] }));
}

export async function editMessage(
  deps: ChatDeps,
  caller: ServiceCaller,
  which: { readonly chatId: string; readonly messageId: number },
  input: MessageInput,
): Promise<
  Result<
    { readonly message: ChatMessage; readonly deleted_message_ids: number[] },
    ChatFailure | SpendingRefusal
  >
> {
  const message = await toUserMessage(deps, caller, input);
  if (!message.ok) return message;
  const refusal = await deps.spendingRefusal(caller.userId);
  if (refusal !== null) return fail(refusal);
  return changed(
    await deps.machine.change(which.chatId, async (chat, db) => {
      const usable = await checkSelections(deps, chat, input);
      if (!usable.ok) return usable;
      const edited = await chat.editMessage(which.messageId, message.value);
      if (!edited.ok) return fail(toFailure(edited.failure));
      await updateSelections(db, which.chatId, input);
      return ok({
        message: toWireMessage(edited.value.message),
        deleted_message_ids: [...edited.value.deletedMessageIds],
      });
    }),
  );
}

/** A new text or place for a message that waits. */
export async function updateQueued(
  deps: ChatDeps,
  caller: ServiceCaller,
  which: { readonly chatId: string; readonly queuedId: number },
  input: {
    readonly content?: readonly ChatInputPart[] | undefined;
    readonly index?: number | undefined;
  },
): Promise<Result<ChatQueuedMessage, ChatFailure>> {
  const content =
    input.content === undefined ? ok(undefined) : await partsOf(deps, caller, input.content);
  if (!content.ok) return content;
  return changed(
    await deps.machine.change(which.chatId, async (chat) => {
      const updated = await chat.updateQueuedMessage(which.queuedId, {
        ...(content.value === undefined ? {} : { content: content.value }),
        ...(input.index === undefined ? {} : { index: input.index }),
      });
      return updated.ok ? ok(toWireQueued(updated.value)) : fail(toFailure(updated.failure));
    }),
  );
}

/** Null: it is first in the queue, and becomes a message when the work has stopped. */
export async function promoteQueued(
  deps: ChatDeps,
  caller: ServiceCaller,
  which: { readonly chatId: string; readonly queuedId: number },
): Promise<Result<ChatMessage | null, ChatFailure | SpendingRefusal>> {
  const refusal = await deps.spendingRefusal(caller.userId);
  if (refusal !== null) return fail(refusal);
  const promoted = changed(
    await deps.machine.change(which.chatId, (chat) => chat.promoteQueuedMessage(which.queuedId)),
  );
  if (!promoted.ok) return promoted;
  return ok(promoted.value === null ? null : toWireMessage(promoted.value));
}

/** One transition of one chat, whose outcome nobody needs but that it happened. */
export async function transition<T>(
  deps: ChatDeps,
  chatId: string,
  run: (chat: LockedChat) => ReturnType<LockedChat["interrupt"]> | Promise<Result<T, never>>,
): Promise<Result<undefined, ChatFailure>> {
  return changed(
    await deps.machine.change<undefined, ChatFailure>(chatId, async (chat) => {
      const done = await run(chat);
      return done.ok ? ok(undefined) : fail(toFailure(done.failure));
    }),
  );
}

/** What the machine itself refuses has another shape than what use cases refuse. */
export function changed<T>(
  result: Result<T, ChatFailure | Parameters<typeof toFailure>[0]>,
): Result<T, ChatFailure> {
  if (result.ok) return result;
  const { failure } = result;
  return fail("kind" in failure ? toFailure(failure) : failure);
}

async function toUserMessage(
  deps: ChatDeps,
  caller: ServiceCaller,
  input: MessageInput,
): Promise<Result<UserMessage, ChatFailure>> {
  const content = await partsOf(deps, caller, input.content);
  if (!content.ok) return content;
  return ok({
    content: content.value,
    createdBy: caller.userId,
    apiKeyId: caller.apiKeyId,
    modelConfigId: input.model_config_id ?? null,
    reasoningEffort: input.reasoning_effort ?? null,
  });
}

async function partsOf(
  deps: ChatDeps,
  caller: ServiceCaller,
  content: readonly ChatInputPart[],
): Promise<Result<UserMessage["content"], ChatFailure>> {
  const files = await findFiles(deps.database.sql, caller.userId, fileIdsOf(content));
  const parts = toParts(content, files);
  return parts.ok ? parts : fail({ code: "request.invalid", validations: parts.failure });
}

/** Tool servers that the chat has already may be disabled by now: they are sent along with each message. */
async function checkSelections(
  deps: ChatDeps,
  { row }: LockedChat,
  { model_config_id: model, mcp_server_ids: servers }: MessageInput,
): Promise<Result<undefined, Failure<"request.invalid">>> {
  if (model !== undefined && !(await deps.models.canUse(model, row.organizationId))) {
    return fail(invalid("model_config_id", "There is no such model, or it is disabled."));
  }
  const added = (servers ?? []).filter((id) => !row.mcpServerIds.includes(id));
  const areThere = added.length === 0 || (await deps.chooseMcpServers(added)) !== null;
  return areThere ? ok(undefined) : fail(noSuchToolServer());
}

async function updateSelections(
  db: Sql,
  chatId: string,
  {
    mcp_server_ids: mcpServerIds = null,
    plan_mode: planMode,
  }: MessageInput & Pick<Partial<SendInput>, "plan_mode">,
): Promise<void> {
  if (mcpServerIds === null && planMode === undefined) return;
  await updateChatMetadata(db, chatId, {
    ...(mcpServerIds === null ? {} : { mcpServerIds }),
    ...(planMode === undefined ? {} : { planMode: planMode === "" ? null : planMode }),
  });
}

/** People know a chat by its title, which changes: the log has its id. */
export function auditTarget(chatId: string): ServiceTarget {
  return { resourceId: chatId, target: "" };
}

function toSendAnswer(
  sent: Extract<Awaited<ReturnType<LockedChat["sendMessage"]>>, { ok: true }>["value"],
): SendAnswer {
  if (sent.kind === "queued") return { queued: true, queued_message: toWireQueued(sent.queued) };
  const messages = sent.messages.map(toWireMessage);
  const message = messages.findLast(({ role }) => role === "user");
  return { queued: false, messages, ...(message === undefined ? {} : { message }) };
}
