/** Chats, messages and queued messages as the database keeps them. */
import type {
  ChatError,
  ChatRetry,
  ChatStatus,
  ReasoningEffort,
} from "@atelier/contract/chat/chat-words";
import type { MessagePart, MessageRole } from "@atelier/contract/chat/message-part";
import type { DynamicTool } from "@atelier/contract/http/chats";

export type ChatRow = {
  readonly id: string;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly workspaceId: string | null;
  readonly agentId: string | null;
  readonly parentChatId: string | null;
  readonly rootChatId: string | null;
  readonly title: string;
  readonly titleSource: "user" | "fallback" | "generated";
  readonly status: ChatStatus;
  readonly archived: boolean;
  readonly lastError: ChatError | null;
  readonly workerId: string | null;
  readonly runnerId: string | null;
  /** Grows with every change of who runs the chat. */
  readonly fence: number;
  readonly snapshotVersion: number;
  readonly historyVersion: number;
  readonly queueVersion: number;
  readonly queueLength: number;
  readonly retryStateVersion: number;
  readonly generationAttempt: number;
  readonly retryState: ChatRetry | null;
  readonly requiresActionDeadlineAt: Date | null;
  readonly compactionRequestedAt: Date | null;
  readonly lastModelConfigId: string;
  readonly lastReasoningEffort: ReasoningEffort | null;
  readonly mode: "computer_use" | "explore" | null;
  readonly planMode: "plan" | null;
  readonly mcpServerIds: readonly string[];
  readonly dynamicTools: readonly DynamicTool[] | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly pinOrder: number;
  readonly lastReadMessageId: number | null;
  readonly lastTurnSummary: string | null;
  readonly clientType: "ui" | "api";
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export type MessageVisibility = "user" | "model" | "both";

/** Tokens as the provider reported them; null where it did not. */
export type StepUsage = {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly cacheCreationTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly contextLimit: number | null;
};

/** Of what no provider was asked about, or told nothing. */
export const NO_USAGE: StepUsage = {
  inputTokens: null,
  outputTokens: null,
  totalTokens: null,
  reasoningTokens: null,
  cacheCreationTokens: null,
  cacheReadTokens: null,
  contextLimit: null,
};

/** A message to be inserted: what callers choose. */
export type NewMessage = {
  readonly role: MessageRole;
  readonly content: readonly MessagePart[];
  readonly visibility?: MessageVisibility;
  readonly compressed?: boolean;
  readonly createdBy?: string | null;
  readonly modelConfigId?: string | null;
  readonly reasoningEffort?: ReasoningEffort | null;
  readonly apiKeyId?: string | null;
  readonly providerResponseId?: string | null;
  readonly usage?: StepUsage | null;
  readonly runtimeMs?: number | null;
  readonly totalCostMicros?: number | null;
};

export type StoredMessage = {
  readonly id: number;
  readonly chatId: string;
  readonly createdAt: Date;
  readonly createdBy: string | null;
  readonly modelConfigId: string | null;
  readonly role: MessageRole;
  readonly content: readonly MessagePart[];
  readonly visibility: MessageVisibility;
  readonly compressed: boolean;
  readonly deleted: boolean;
  readonly revision: number;
  readonly reasoningEffort: ReasoningEffort | null;
  readonly apiKeyId: string | null;
  readonly providerResponseId: string | null;
  readonly usage: StepUsage;
  readonly runtimeMs: number | null;
  readonly totalCostMicros: number | null;
};

/** What the database makes of a message: what callers left open is null, or as its columns have it by default. */
export function toStored(
  message: NewMessage,
  at: Pick<StoredMessage, "id" | "chatId" | "createdAt" | "revision">,
): StoredMessage {
  return {
    ...{ ...at, deleted: false },
    createdBy: message.createdBy ?? null,
    modelConfigId: message.modelConfigId ?? null,
    role: message.role,
    content: message.content,
    visibility: message.visibility ?? "both",
    compressed: message.compressed ?? false,
    reasoningEffort: message.reasoningEffort ?? null,
    apiKeyId: message.apiKeyId ?? null,
    providerResponseId: message.providerResponseId ?? null,
    usage: message.usage ?? NO_USAGE,
    runtimeMs: message.runtimeMs ?? null,
    totalCostMicros: message.totalCostMicros ?? null,
  };
}

/** What a person sends: it goes into the history, or into the queue. */
export type UserMessage = {
  readonly content: readonly MessagePart[];
  readonly createdBy: string;
  /** Of the request that brought it. */
  readonly apiKeyId: string | null;
  /** Null: the chat's last. */
  readonly modelConfigId: string | null;
  readonly reasoningEffort: ReasoningEffort | null;
};

export type QueuedMessage = UserMessage & {
  readonly id: number;
  readonly chatId: string;
  readonly createdAt: Date;
  readonly position: number;
};
