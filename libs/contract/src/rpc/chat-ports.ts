/**
 * What chats need of the rest of the server. The control plane implements these on Postgres; tests of
 * chats implement them in memory.
 */
import type { Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import type { ProviderKeyPolicy } from "../chat/provider-key-choice.ts";
import type { ModelProviderType } from "../http/ai-providers.ts";
import type { ServiceChange, ServiceTarget } from "./endpoint-service.ts";
import type { BedrockAccess } from "./gateway-ports.ts";

/** A model provider as chats see it: without keys. */
export type ChatProvider = {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly type: ModelProviderType;
  readonly baseUrl: string;
  readonly enabled: boolean;
  /** Some central key, or settings that sign requests. */
  readonly hasCentralCredentials: boolean;
  /** Reached by way of Amazon Bedrock, whatever its type. */
  readonly isBedrock: boolean;
  readonly keyPolicy: ProviderKeyPolicy;
};

/** Credentials for calls that do not go through the gateway. */
export type DirectCredentials = {
  /** Null: none, or requests are signed with `bedrock`. */
  readonly key: Secret | null;
  readonly source: "user" | "central" | "none";
  readonly bedrock: BedrockAccess | null;
  readonly apiVersion: string | null;
};

export interface ChatProviderCatalog {
  /** Whether people's own keys may serve. */
  readonly areOwnKeysAllowed: boolean;
  /** All that are not deleted, enabled or not, by name. */
  list(): Promise<readonly ChatProvider[]>;
  /** Undefined: there is none, or none any more. */
  find(providerId: string): Promise<ChatProvider | undefined>;
  /** Ids of the providers for which the person stored an own key that may be used here. */
  providersWithOwnKey(userId: string): Promise<ReadonlySet<string>>;
  /** The person's own key or a central one, as the provider's policy says. Rejects when it cannot be known. */
  directCredentials(userId: string, providerId: string): Promise<DirectCredentials>;
}

export type ChatWorkspace = {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
  readonly name: string;
  readonly agents: readonly {
    readonly id: string;
    readonly name: string;
    readonly isConnected: boolean;
    readonly operatingSystem: string | null;
    readonly directory: string | null;
  }[];
};

export interface ChatWorkspaceDirectory {
  /** Undefined: there is none, or none any more. */
  find(workspaceId: string): Promise<ChatWorkspace | undefined>;
  listOf(ownerId: string): Promise<readonly ChatWorkspace[]>;
  /** On behalf of the chat's owner, and on record as the chat's doing. The same id makes one. */
  create(workspace: {
    readonly id: string;
    readonly ownerId: string;
    readonly name: string;
    readonly chatId: string;
  }): Promise<Result<ChatWorkspace, "name_taken">>;
  /** Moves the time at which it was last used, at most once a minute. */
  touched(workspaceId: string): void;
}

export type ChatPerson = { readonly id: string; readonly username: string; readonly name: string };

export interface ChatPeople {
  defaultOrganizationId(): Promise<string>;
  usernameOf(userId: string): Promise<string | undefined>;
  /** By id or username. Undefined: there is nobody of this name. */
  idOf(ref: string): Promise<string | undefined>;
  /** Those of them that are not deleted. */
  namesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, ChatPerson>>;
}

/** What requests of chats to models cost, as the gateway recorded it. */
export type ChatCost = {
  /** Null: there are requests, and none has a known price. */
  readonly costMicros: number | null;
  readonly requests: number;
  /** Requests whose price is not known: `costMicros` is without them. */
  readonly unpricedRequests: number;
};

export interface ChatCosts {
  /** Of chats that asked a model. What a chat's children asked is in it. */
  ofChats(ownerId: string, chatIds: readonly string[]): Promise<ReadonlyMap<string, ChatCost>>;
  /** Of all of a person's chats. */
  ofPerson(userId: string, since: Date): Promise<ChatCost>;
  /** Whoever used chats, the dearest first. A span ends before `to`. */
  byPerson(
    span: CostSpan,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<{
    readonly people: readonly (ChatCost & { readonly person: ChatPerson })[];
    readonly count: number;
  }>;
  /** The dearest first, at most `rowsMax` of each; chats as far as single requests are kept. */
  summaryOf(userId: string, span: CostSpan, rowsMax: number): Promise<ChatCostSummary>;
}

/** Both begin a quarter of an hour: sums are kept by those. */
export type CostSpan = { readonly from: Date; readonly to: Date };

export type ChatCostSummary = {
  readonly total: ChatCost;
  readonly models: readonly (ChatCost & { readonly model: string; readonly provider: string })[];
  readonly chats: readonly (ChatCost & { readonly chatId: string })[];
};

/** What becomes of chats by itself, as the audit log names it. */
export type ChatUpkeep = "chat_auto_archive";

/** The audit log's entries of what nobody asked for: there is no request that would leave one. */
export interface ChatAudit {
  /** In the transaction of the change, which is the database library's; this one does not know it. */
  record(
    transaction: object,
    entry: ServiceTarget & ServiceChange & { readonly by: ChatUpkeep },
  ): Promise<void>;
}

/** What chats keep secret. Whoever asks never sees the vault, and the vault never sees chats. */
export interface ChatSecrets {
  /** In the transaction, which is the database library's; this one does not know it. Replaces. */
  put(transaction: object, id: string, value: string): Promise<void>;
  remove(transaction: object, id: string): Promise<void>;
  read(id: string): Promise<Secret | undefined>;
}
