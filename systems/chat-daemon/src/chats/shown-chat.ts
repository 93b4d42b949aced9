/** A chat as lists show it, and what lists are asked for. */
import type {
  ChatAsk,
  ChatError,
  ChatInboxSection,
  ChatRetry,
  ChatStatus,
  ReasoningEffort,
} from "@atelier/contract/chat/chat-words";
import type { ChatDiffStatus } from "@atelier/contract/http/chats";

export type ShownChat = {
  readonly id: string;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly workspaceId: string | null;
  readonly agentId: string | null;
  readonly parentChatId: string | null;
  readonly rootChatId: string | null;
  readonly lastModelConfigId: string;
  readonly lastReasoningEffort: ReasoningEffort | null;
  readonly title: string;
  readonly status: ChatStatus;
  readonly mode: "computer_use" | "explore" | null;
  readonly planMode: "plan" | null;
  readonly lastError: ChatError | null;
  readonly lastTurnSummary: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly archived: boolean;
  readonly isShared: boolean;
  readonly pinOrder: number;
  readonly mcpServerIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hasUnread: boolean;
  /** What a person wrote last, which is what is answered; null: nothing. */
  readonly turnMessageId: number | null;
  readonly clientType: "ui" | "api";
  readonly queueLength: number;
  readonly asks: ChatAsk | null;
  readonly inboxSection: ChatInboxSection;
  readonly inboxSince: Date;
  readonly lastAction: ShownAction | null;
  readonly retry: ChatRetry | null;
  /** Of the last call and its answer; null: not reported. */
  readonly contextTokens: number | null;
  readonly contextLimit: number | null;
  /** Null: a child, or nothing is known, or no repository is there. */
  readonly diffStatus: ChatDiffStatus | null;
};

export type ShownAction = {
  /** Null: it wrote. */
  readonly toolName: string | null;
  readonly subject: string;
  readonly at: Date;
  readonly isDone: boolean;
};

/** A file without its bytes. */
export type FileFacts = {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
};

export type ChatFilter = {
  readonly userId: string;
  /** The chats that this person owns, or those that others share with them. */
  readonly source: "own" | "shared";
  /** Undefined: both. */
  readonly archived: boolean | undefined;
  readonly titlePart: string | undefined;
  /** A part of the title, or words of messages as people type them into a search engine. */
  readonly searched: string | undefined;
  readonly statuses: readonly ChatStatus[] | undefined;
  readonly hasUnread: boolean | undefined;
  /** Of the inbox, whose order the list then has. */
  readonly section: ChatInboxSection | undefined;
  readonly labels: Readonly<Record<string, string>>;
};

export type ChatPage = {
  readonly limit: number;
  readonly offset: number;
  /** The last chat of the page before. */
  readonly afterId: string | null;
};
