/** What a turn needs of the rest: the machine, models, tools, settings, and where live parts go. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4ProviderTool,
} from "@ai-sdk/provider";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Result } from "@atelier/base/result";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import type { ToolCallPart } from "@atelier/contract/chat/message-part";
import type { Hold } from "@atelier/contract/rpc/model-transport";
import type { DebugRecorder, HttpTap } from "../debug-runs/debug-recorder.ts";
import type { CacheMarks } from "../prompt/cache-breakpoints.ts";
import type { PromptFile } from "../prompt/model-prompt.ts";
import type { PromptPrefix } from "../prompt/prompt-prefix.ts";
import type { ChatFence, ChatMachine, ReadBeside, TakenChat } from "../state/chat-machine.ts";
import type { ChatRow } from "../state/chat-row.ts";
import type { ChatTool, ToolWorkspace } from "../tools/tool.ts";
import type { LiveEpisodes } from "./live-episode.ts";

/** A model, ready to be called, and what the turn has to know of its configuration. */
export type TurnModel = {
  readonly model: LanguageModelV4;
  readonly configId: string;
  /** As people know it: for errors. */
  readonly provider: string;
  readonly contextLimit: number | null;
  readonly thresholdPercent: number;
  readonly callSettings: Omit<
    LanguageModelV4CallOptions,
    "prompt" | "tools" | "toolChoice" | "abortSignal"
  >;
  /** Run by the provider itself. */
  readonly providerTools: readonly LanguageModelV4ProviderTool[];
  readonly cacheMarks: CacheMarks;
  /** The provider keeps answers, and they can be named: its Responses API with `store`. */
  readonly isStored: boolean;
  /** Whether files of this type can be sent as they are. */
  readonly takesFile: (mediaType: string) => boolean;
  /** Sees what goes over HTTP. Null: its calls are not recorded. */
  readonly tap: HttpTap | null;
};

export type ModelRequest = {
  /** Of the request that the turn belongs to; null: unknown. */
  readonly activeApiKeyId: string | null;
  /** What `TurnDeps.beside` read with the chat. */
  readonly beside: unknown;
  /** Null: what is asked for may leave. */
  readonly hold: Hold | null;
};

export interface TurnModels {
  forTurn(chat: ChatRow, request: ModelRequest): Promise<Result<TurnModel, ChatError>>;
  /** Null: the turn's own model sums up. A failure stops the turn. */
  forSummary(chat: ChatRow, request: ModelRequest): Promise<Result<TurnModel | null, ChatError>>;
  /** Null: the turn's own model advises. */
  forAdvisor(chat: ChatRow, request: ModelRequest): Promise<Result<TurnModel | null, ChatError>>;
}

/** What people and administrators decided, as far as a turn goes by it. */
export type TurnSettings = {
  readonly userPrompt: string;
  readonly planInstructions: string;
  readonly personalSkills: readonly { readonly name: string; readonly description: string }[];
  /** Of the person, for this model; null: the model's own. */
  readonly thresholdPercentOf: (modelConfigId: string) => number | null;
  /** Null: there is none. `usesMax` 0: as often as the model likes in a turn. */
  readonly advisor: { readonly usesMax: number; readonly outputTokensMax: number } | null;
};

/** Calls of one answer that an edit took out of the history. */
export type AbandonedCalls = {
  readonly messageId: number;
  readonly calls: readonly ToolCallPart[];
};

export type TurnEnd = "finished" | "error" | "requires_action";

export type TurnDeps = {
  readonly machine: ChatMachine;
  readonly episodes: LiveEpisodes;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly models: TurnModels;
  readonly recorder: DebugRecorder;
  /** What models, settings and tools want of the database, read in the statement that reads the chat. Null: nothing. */
  readonly beside: ReadBeside | null;
  settingsOf(chat: ChatRow, beside: unknown): Promise<TurnSettings>;
  /** All tools that this chat could have, whatever its mode. Without `beside`, it reads what it needs. */
  toolsOf(chat: ChatRow, beside?: unknown): Promise<readonly ChatTool[]>;
  /** The machine of the chat's workspace; else what the model is told. */
  workspaceOf(chat: ChatRow): Promise<Result<ToolWorkspace, string>>;
  /** Of answers that were taken out of the history since this revision. */
  abandonedCalls(chatId: string, sinceRevision: number): Promise<readonly AbandonedCalls[]>;
  /** Those of the ids that are there. */
  loadFiles(ids: readonly string[]): Promise<ReadonlyMap<string, PromptFile>>;
  /** Keeps the prefix of a call, and says what is different from the last one's. */
  recordPrefix(
    chat: Pick<ChatRow, "id" | "historyVersion" | "fence">,
    prefix: PromptPrefix,
  ): Promise<readonly string[]>;
  /** Told when an action of the turn begins: all before it is committed. Must not throw. */
  actionBegan(chat: ChatRow): void;
  /** Told when calls of tools have their results. Must not throw. */
  toolsRan(chat: ChatRow): void;
  /** Told after a turn has ended, for what goes on beside chats. Must not throw. */
  turnEnded(chatId: string, end: TurnEnd): void;
};

/** One task of a runner. */
export type TurnRun = {
  /** What was read when the chat was taken, once. Null: the task reads. */
  readonly takeRead?: () => TakenChat | null;
  readonly chatId: string;
  readonly fence: ChatFence;
  /** Aborted when the chat has moved on, or the server stops. */
  readonly signal: AbortSignal;
};

/** How a task ended; what follows, if anything does, is the runner's to find out. */
export type TaskEnd = "done" | "stale" | "cancelled";
