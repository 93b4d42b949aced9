/** What use cases of chats work with. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Result } from "@atelier/base/result";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { Failure } from "@atelier/contract/failures";
import type {
  ChatCosts,
  ChatPeople,
  ChatWorkspaceDirectory,
} from "@atelier/contract/rpc/chat-ports";
import type { ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import type { ChatService } from "@atelier/contract/rpc/chat-service";
import type { Database } from "@atelier/database/database";
import type { ChatMachine } from "../state/chat-machine.ts";

export type ModelChoice = {
  readonly modelConfigId: string;
  readonly reasoningEffort: ReasoningEffort | null;
};

/** Which models a person can use for chats. */
export interface ChatModelChoices {
  /** For new chats: the person's own choice, else the organization's default. Null: there is none. */
  defaultFor(userId: string, organizationId: string): Promise<ModelChoice | null>;
  /** Enabled, with an enabled provider, of this organization. */
  canUse(modelConfigId: string, organizationId: string): Promise<boolean>;
}

/** What administrators have new chats told first. */
export type SystemPrompt = { readonly text: string; readonly includesDefault: boolean };

export type SpendingRefusal = Failure<"chat.usage_limit_reached">;

export type ChatDeps = {
  readonly machine: ChatMachine;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly people: ChatPeople;
  readonly workspaces: ChatWorkspaceDirectory;
  /** Null: chats ask models directly, and nobody records what it costs. */
  readonly costs: ChatCosts | null;
  /** Whether a person has spent what they may: asked before work begins. Null: not yet. */
  readonly spendingRefusal: (userId: string) => Promise<SpendingRefusal | null>;
  /** A condition of SQL that says the same of everybody. Null: it has to be asked. */
  readonly unlimited: () => ServiceCondition | null;
  readonly models: ChatModelChoices;
  readonly isSharingEnabled: boolean;
  /** Those that are wanted, or what administrators preset. Null: some of them are not there. */
  readonly chooseMcpServers: (
    wanted: readonly string[] | undefined,
  ) => Promise<readonly string[] | null>;
  readonly systemPrompt: () => Promise<SystemPrompt>;
  /** Those of them that could work, and wait because as many do as may. */
  readonly queuedForCapacity: (chatIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** What a chat changed in its workspace, as its machine says it now. */
  readonly showDiff: (
    chatId: string,
    request: { readonly bytesMax: number; readonly signal: AbortSignal },
  ) => ReturnType<ChatService["getChatDiff"]>;
  /** A title by a model, or what went wrong, in words for people. */
  readonly proposeTitle: (chatId: string, signal: AbortSignal) => Promise<Result<string, string>>;
};
