/** Chats that a chat's model starts and talks with: children of it, one level deep. */
import type { Result } from "@atelier/base/result";
import type { ChatError, ChatStatus, ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { ToolChat } from "./tool.ts";

export const SUBAGENT_TYPES = ["general", "explore"] as const;
export type SubagentType = (typeof SUBAGENT_TYPES)[number];
/** Works with a workspace's desktop. No workspace has one, so none can be started. */
export const COMPUTER_USE_TYPE = "computer_use";

export type Subagent = {
  readonly chatId: string;
  readonly title: string;
  readonly status: ChatStatus;
  readonly type: SubagentType | typeof COMPUTER_USE_TYPE;
  readonly lastError: ChatError | null;
  /** The last thing that it said; empty: nothing. */
  readonly report: string;
};

export type SubagentRequest = {
  /** The same call starts one child, however often it is made. */
  readonly callId: string;
  readonly type: SubagentType;
  readonly prompt: string;
  /** Empty: made from the prompt. */
  readonly title: string;
  readonly modelConfigId: string | null;
  readonly reasoningEffort: ReasoningEffort | null;
};

export type SubagentModel = {
  readonly modelConfigId: string;
  readonly displayName: string;
  readonly model: string;
  readonly provider: string;
  readonly contextLimit: number;
  readonly isDefault: boolean;
  readonly reasoningEfforts: readonly ReasoningEffort[];
};

export interface SubagentWatch extends Disposable {
  /** False: no hints come for now. One comes when they do again. */
  isHearing(): boolean;
}

export interface Subagents {
  /** A failure is what the model reads. */
  spawn(parent: ToolChat, request: SubagentRequest): Promise<Result<Subagent, string>>;
  /** Undefined: it is no child of the chat, or is archived. */
  find(parent: ToolChat, chatId: string): Promise<Subagent | undefined>;
  /** Most recently active first. */
  list(
    parent: ToolChat,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<{ readonly agents: readonly Subagent[]; readonly total: number }>;
  /** The same call sends one message, however often it is made. */
  message(
    parent: ToolChat,
    chatId: string,
    message: { readonly callId: string; readonly text: string; readonly interrupts: boolean },
  ): Promise<Result<null, string>>;
  /** False: there was nothing to interrupt. The same call interrupts once, however often it is made. */
  interrupt(parent: ToolChat, chatId: string, callId: string): Promise<Result<boolean, string>>;
  models(parent: ToolChat): Promise<readonly SubagentModel[]>;
  /** Whether there is a model for working with a desktop. A failure is what the model reads. */
  computerUse(parent: ToolChat): Promise<Result<undefined, string>>;
  /** Hints that the child may have changed. */
  watch(chatId: string, changed: () => void): SubagentWatch;
}
