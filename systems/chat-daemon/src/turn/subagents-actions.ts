/**
 * Starts children of a chat and talks with them, through the machine as any person does. A child belongs
 * to its parent's owner and is paid for by the request that the parent's turn belongs to.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { Sql } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import { hashOf } from "../messages/canonical-json.ts";
import { initialSystemTexts, type NewChatPrompt } from "../prompt/system-layers.ts";
import {
  chatUpdateChannel,
  type ChatMachine,
  type TransitionFailure,
} from "../state/chat-machine.ts";
import type { NewMessage, UserMessage } from "../state/chat-row.ts";
import type {
  Subagent,
  SubagentModel,
  SubagentRequest,
  Subagents,
  SubagentType,
} from "../tools/subagent-port.ts";
import type { ToolChat } from "../tools/tool.ts";
import { findParent, findSubagent, listSubagents, type ParentRow } from "./subagent-store.ts";

export type ChildModel = {
  readonly modelConfigId: string;
  readonly reasoningEffort: ReasoningEffort | null;
};

export type SubagentDeps = {
  readonly machine: ChatMachine;
  readonly sql: Sql;
  /** Which model a child works with. A failure is what the parent's model reads. */
  childModel(
    parent: ToolChat & Pick<ParentRow, "lastReasoningEffort">,
    wanted: {
      readonly type: SubagentType;
      readonly modelConfigId: string | null;
      readonly reasoningEffort: ReasoningEffort | null;
    },
  ): Promise<Result<ChildModel, string>>;
  usableModels(parent: ToolChat): Promise<readonly SubagentModel[]>;
  computerUse: Subagents["computerUse"];
  /** Of the parent's tool servers, those that its turn may use. */
  serversForExplorer(
    parent: ToolChat & Pick<ParentRow, "mcpServerIds">,
  ): Promise<readonly string[]>;
  /** What chats of this organization begin with. */
  newChatPrompt(
    organizationId: string,
  ): Promise<Pick<NewChatPrompt, "includesDefault" | "deploymentPrompt" | "organizationPrompt">>;
  /**
   * Runs what has not been done under this key, or answers what was kept. `keep` is called in the transaction
   * that does it. A failure is what the parent's model reads.
   */
  once<Answer>(
    call: {
      readonly operation: "message_agent" | "interrupt_agent";
      readonly ownerId: string;
      readonly key: string;
      readonly input: unknown;
    },
    run: (keep: (db: Sql, answer: Answer) => Promise<void>) => Promise<Result<Answer, string>>,
  ): Promise<Result<Answer, string>>;
  readonly news: Pick<PubSub, "subscribe" | "isConnected">;
};

const TITLE_CHARACTERS_MAX = 60;

export function openSubagents(deps: SubagentDeps): Subagents {
  const { sql, machine } = deps;
  return {
    spawn: (parent, request) => spawn(deps, parent, request),
    find: (parent, chatId) => findSubagent(sql, parent.id, chatId),
    list: (parent, page) => listSubagents(sql, parent.id, page),
    models: (parent) => deps.usableModels(parent),
    computerUse: (parent) => deps.computerUse(parent),
    message: async (parent, chatId, { callId, text, interrupts }) => {
      const row = await findParent(sql, parent.id);
      const message = userMessage(parent, row?.activeApiKeyId ?? null, text);
      const call = { ...callOf(parent, callId), input: { chatId, text, interrupts } };
      return deps.once<null>({ operation: "message_agent", ...call }, async (keep) => {
        const sent = await machine.change(chatId, async (chat, db) => {
          const done = await chat.sendMessage(message, interrupts ? "interrupt" : "queue");
          if (done.ok) await keep(db, null);
          return done;
        });
        return sent.ok ? ok(null) : fail(toText(sent.failure));
      });
    },
    interrupt: async (parent, chatId, callId) => {
      const call = { ...callOf(parent, callId), input: { chatId } };
      return deps.once<boolean>({ operation: "interrupt_agent", ...call }, async (keep) => {
        const stopped = await machine.change<boolean, never>(chatId, async (chat, db) => {
          const done = await chat.interrupt("interrupted by its parent");
          // Also that there was nothing to stop: made again, the call would stop what came since.
          await keep(db, done.ok);
          return ok(done.ok);
        });
        return stopped.ok ? stopped : fail(toText(stopped.failure));
      });
    },
    watch: (chatId, changed) => {
      const on = { message: changed, resync: changed };
      const subscription = deps.news.subscribe(chatUpdateChannel(chatId), on);
      return {
        isHearing: () => deps.news.isConnected,
        [Symbol.dispose]: () => subscription[Symbol.dispose](),
      };
    },
  };
}

function callOf(
  parent: ToolChat,
  callId: string,
): { readonly ownerId: string; readonly key: string } {
  return { ownerId: parent.ownerId, key: `${parent.id}/${callId}` };
}

async function spawn(
  deps: SubagentDeps,
  parent: ToolChat,
  request: SubagentRequest,
): Promise<Result<Subagent, string>> {
  const id = childId(parent.id, request.callId);
  const known = await findSubagent(deps.sql, parent.id, id);
  // Made by a server that died before it could say so.
  if (known !== undefined) return ok(known);
  const row = await findParent(deps.sql, parent.id);
  if (row === undefined) return fail("This chat is gone.");
  const { lastReasoningEffort, mcpServerIds } = row;
  const model = await deps.childModel({ ...parent, lastReasoningEffort }, request);
  if (!model.ok) return model;
  const prompt = await deps.newChatPrompt(parent.organizationId);
  const { organizationId, ownerId, workspaceId } = parent;
  const isExplore = request.type === "explore";
  const created = await deps.machine.create({
    ...{ id, organizationId, ownerId, workspaceId, agentId: row.agentId },
    ...{ parentChatId: parent.id, rootChatId: parent.rootChatId ?? parent.id },
    title: request.title === "" ? titleOf(request.prompt) : request.title,
    titleSource: request.title === "" ? "fallback" : "user",
    lastModelConfigId: model.value.modelConfigId,
    lastReasoningEffort: model.value.reasoningEffort,
    mode: isExplore ? "explore" : null,
    planMode: isExplore ? null : parent.planMode,
    ...{
      mcpServerIds: isExplore
        ? await deps.serversForExplorer({ ...parent, mcpServerIds })
        : mcpServerIds,
      dynamicTools: null,
      labels: {},
      clientType: row.clientType,
    },
    messages: [
      ...initialSystemTexts({
        ...{ ...prompt, chatPrompt: "", isChild: true, hasWorkspace: workspaceId !== null },
      }).map(systemRow),
      {
        ...{ role: "user", ...userMessage(parent, row.activeApiKeyId, request.prompt) },
        ...model.value,
      },
    ],
  });
  if (!created.ok) return fail(toText(created.failure));
  const { chat } = created.value;
  const type = isExplore ? "explore" : "general";
  return ok({
    chatId: id,
    title: chat.title,
    status: chat.status,
    type,
    lastError: null,
    report: "",
  });
}

function systemRow(text: string): NewMessage {
  return { role: "system", visibility: "model", content: [{ type: "text", text }] };
}

function userMessage(parent: ToolChat, apiKeyId: string | null, text: string): UserMessage {
  return {
    ...{ content: [{ type: "text", text }], createdBy: parent.ownerId, apiKeyId },
    ...{ modelConfigId: null, reasoningEffort: null },
  };
}

/** The same for the same call, in the form of a random one. */
function childId(parentId: string, callId: string): string {
  const hex = hashOf({ parentId, callId });
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ];
  return [...parts, hex.slice(20, 32)].join("-");
}

function titleOf(prompt: string): string {
  const [line = ""] = prompt.trim().split("\n");
  const points = [...line];
  return points.length <= TITLE_CHARACTERS_MAX
    ? line
    : `${points.slice(0, TITLE_CHARACTERS_MAX - 1).join("")}…`;
}

function toText(failure: TransitionFailure): string {
  switch (failure.kind) {
    case "parent_archived":
      return "This chat is archived.";
    case "chat_not_found":
      return "The agent is gone.";
    case "queue_full":
      return `The agent has ${failure.max} messages waiting already.`;
    case "refused":
      return "The agent cannot do that in the state it is in.";
    case "message_not_found":
    case "message_not_editable":
    case "nothing_to_do":
    case "results_mismatch":
    case "files_refused":
    case "other_turn":
    case "family_busy":
      return `The agent refused: ${failure.kind}.`;
  }
}
