/** The endpoints of chats: each to its use case. */
import { fail, ok } from "@atelier/base/result";
import type { CHAT_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { EndpointService, ServiceRequest } from "@atelier/contract/rpc/endpoint-service";
import type { LockedChat } from "../state/chat-machine.ts";
import {
  changeChat,
  showChat,
  showChats,
  showChatsByWorkspace,
  shownAfter,
} from "./chat-actions.ts";
import type { ChatDeps } from "./chat-deps.ts";
import { withoutQueueFull } from "./chat-failures.ts";
import { clearedRows } from "../messages/cleared-rows.ts";
import { fetchFile, uploadFile } from "./file-actions.ts";
import { showCost } from "./chat-cost-actions.ts";
import { showMessages, showPrompts } from "./history-actions.ts";
import { startChat } from "./create-chat-actions.ts";
import {
  auditTarget,
  editMessage,
  promoteQueued,
  sendMessage,
  transition,
  updateQueued,
} from "./message-actions.ts";

export type ChatEndpoints = typeof CHAT_ENDPOINTS;

export function chatService(deps: ChatDeps): EndpointService<ChatEndpoints> {
  return {
    ...reading(deps),
    ...named(changing(deps)),
    ...named(writing(deps)),
    ...named(queueing(deps)),
    ...files(deps),
  };
}

type Named = { readonly params: object; readonly audit: Of<"getChat">["audit"] };

/** The audit log says which chat it was, also where nothing more is said. */
function named<Service extends object>(service: Service): Service {
  const answers = Object.entries(service as Record<string, (request: Named) => unknown>);
  const naming = answers.map(([name, answer]) => [
    name,
    (request: Named) => {
      const { params, audit } = request;
      if ("chat" in params) audit.attempted(auditTarget(String(params.chat)));
      return answer(request);
    },
  ]);
  return Object.fromEntries(naming) as Service;
}

function reading(deps: ChatDeps) {
  return {
    listChats: async ({ caller, query }: Of<"listChats">) => {
      const { q = "", label = [], limit, offset = 0, after_id: afterId = null } = query;
      const labels = typeof label === "string" ? [label] : label;
      return showChats(deps, caller, { q, labels, limit, offset, afterId });
    },
    listChatsByWorkspace: async ({ caller, query }: Of<"listChatsByWorkspace">) =>
      ok(await showChatsByWorkspace(deps, caller, query.workspace_ids)),
    getChat: async ({ params }: Of<"getChat">) => showChat(deps, params.chat),
    listChatMessages: async ({ params, query }: Of<"listChatMessages">) => {
      const { before_id: beforeId = null, after_id: afterId = null, limit } = query;
      return showMessages(deps, params.chat, { beforeId, afterId, limit });
    },
    listChatPrompts: async ({ params, query }: Of<"listChatPrompts">) =>
      ok({ prompts: await showPrompts(deps, params.chat, query.limit) }),
    getChatDiff: async ({ params, query, signal }: Of<"getChatDiff">) =>
      deps.showDiff(params.chat, { bytesMax: query.bytes_max, signal }),
    getChatCost: async ({ params }: Of<"getChatCost">) => showCost(deps, params.chat),
    proposeChatTitle: async ({ params, signal }: Of<"proposeChatTitle">) => {
      const proposed = await deps.proposeTitle(params.chat, signal);
      return proposed.ok
        ? ok({ title: proposed.value })
        : fail({ code: "chat.model_failed" as const, detail: proposed.failure });
    },
  } satisfies Partial<EndpointService<ChatEndpoints>>;
}

function changing(deps: ChatDeps) {
  return {
    createChat: async ({ caller, body, audit }: Of<"createChat">) => {
      const started = await startChat(deps, caller, body);
      if (!started.ok) return started;
      const shown = await showChat(deps, started.value);
      if (shown.ok) audit.attempted({ resourceId: shown.value.id, target: shown.value.title });
      return shown;
    },
    updateChat: async ({ caller, params, body }: Of<"updateChat">) =>
      changeChat(deps, caller, params.chat, body),
  };
}

function writing(deps: ChatDeps) {
  const act =
    (run: Parameters<typeof transition<never>>[2]) =>
    async ({ params }: Of<"compactChat">) =>
      shownAfter(deps, params.chat, await transition(deps, params.chat, run));
  return {
    sendChatMessage: async ({ caller, params, body, audit, proof }: Of<"sendChatMessage">) =>
      sendMessage(deps, caller, { chatId: params.chat, audit, proof }, body),
    editChatMessage: async ({ caller, params, body }: Of<"editChatMessage">) => {
      const which = { chatId: params.chat, messageId: params.message };
      const edited = await editMessage(deps, caller, which, body);
      return edited.ok ? edited : fail(withoutQueueFull(edited.failure));
    },
    submitChatToolResults: async ({ params, body }: Of<"submitChatToolResults">) => {
      const results = body.results.map(({ tool_call_id: toolCallId, output, is_error }) => ({
        toolCallId,
        output,
        isError: is_error,
      }));
      const done = await transition(deps, params.chat, (chat) =>
        chat.completeRequiresAction(results),
      );
      return done.ok ? done : fail(withoutQueueFull(done.failure));
    },
    interruptChat: async ({ params: { chat: id }, body }: Of<"interruptChat">) => {
      const stop = (chat: LockedChat) =>
        chat.interrupt("The user stopped it.", body?.turn_message_id);
      return shownAfter(deps, id, await transition(deps, id, stop));
    },
    compactChat: act((chat) => chat.requestCompaction()),
    clearChat: act((chat) => chat.clearContext(clearedRows(deps.random.uuid(), deps.clock.now()))),
    reconcileChat: act((chat) => chat.reconcileInvalidState()),
  };
}

function queueing(deps: ChatDeps) {
  return {
    deleteQueuedChatMessage: async ({ params }: Of<"deleteQueuedChatMessage">) => {
      const done = await transition(deps, params.chat, (chat) =>
        chat.deleteQueuedMessage(params.queued),
      );
      return done.ok ? done : fail(withoutQueueFull(done.failure));
    },
    updateQueuedChatMessage: async ({ caller, params, body }: Of<"updateQueuedChatMessage">) => {
      const which = { chatId: params.chat, queuedId: params.queued };
      const updated = await updateQueued(deps, caller, which, body);
      return updated.ok ? updated : fail(withoutQueueFull(updated.failure));
    },
    promoteQueuedChatMessage: async ({ caller, params }: Of<"promoteQueuedChatMessage">) => {
      const which = { chatId: params.chat, queuedId: params.queued };
      const promoted = await promoteQueued(deps, caller, which);
      return promoted.ok
        ? ok({ message: promoted.value })
        : fail(withoutQueueFull(promoted.failure));
    },
  };
}

function files(deps: ChatDeps) {
  return {
    uploadChatFile: async ({ caller, query, body, audit }: Of<"uploadChatFile">) => {
      const uploaded = await uploadFile(deps, caller, body, query.organization);
      if (uploaded.ok)
        audit.attempted({ resourceId: uploaded.value.id, target: uploaded.value.name });
      return uploaded.ok ? ok({ id: uploaded.value.id }) : uploaded;
    },
    getChatFile: async ({ caller, params }: Of<"getChatFile">) =>
      fetchFile(deps, caller, params.file),
  };
}

type Of<Name extends keyof ChatEndpoints> = ServiceRequest<ChatEndpoints[Name]>;
