/**
 * What the gateway needs from the control plane, as ports. The gateway has no database: the control
 * plane implements these on Postgres, tests implement them in memory.
 */
import type { Secret } from "@atelier/base/secret";
import type { ProviderCheckKind, ProviderCheckOutcome } from "../http/ai-provider-test.ts";
import type { ModelProviderType } from "../http/ai-providers.ts";
import type { RequestTrail } from "./request-trail.ts";

/** One of a model provider's own credentials. The order in a provider is the order of preference. */
export type ProviderKey = {
  readonly id: string;
  readonly secret: Secret;
  /** Masked form, fit for records and logs. */
  readonly hint: string;
};

export type GatewayProvider = {
  readonly id: string;
  readonly name: string;
  readonly type: ModelProviderType;
  readonly baseUrl: string;
  readonly keys: readonly ProviderKey[];
  /** Calls that one of the keys may serve at the same time. Null: any number. */
  readonly keyConcurrencyMax: number | null;
  readonly enabled: boolean;
  /** Added to the query of requests that name none. Null: nothing is added. */
  readonly apiVersion: string | null;
  /** Set: the provider is reached by way of Amazon Bedrock, and `keys` stays unused. */
  readonly bedrock: BedrockAccess | null;
};

/** As configured, which may be wrong: the gateway checks it before it calls. */
export type BedrockAccess = {
  /** Null: the one that the base URL names. */
  readonly region: string | null;
  /** Serves requests, whatever model they name … */
  readonly model: string | null;
  /** … and this one those that name a haiku. */
  readonly smallFastModel: string | null;
  readonly accessKey: Secret | null;
  readonly accessKeySecret: Secret | null;
  readonly sessionToken: Secret | null;
  /** A Bedrock API key: requests are then not signed. */
  readonly bearerToken: Secret | null;
  /** In the AWS configuration files of the process. Null: its environment's default chain. */
  readonly profile: string | null;
  /** Assumed with the credentials above. */
  readonly roleArn: string | null;
  readonly externalId: string | null;
  /** Null: the region's own. */
  readonly stsEndpoint: string | null;
};

/** All providers at one moment. Never changes; a reload makes another one. */
export type ProviderSnapshot = {
  /** Grows with each reload of this process. */
  readonly version: number;
  readonly providers: ReadonlyMap<string, GatewayProvider>;
};

export interface ProviderSource {
  /** The latest snapshot. A request keeps the one it began with, however long it streams. */
  current(): ProviderSnapshot;
}

/** The person behind a request. */
export type Caller = {
  readonly userId: string;
  readonly username: string;
  readonly email: string;
  readonly apiKeyId: string;
};

export type CallerAuthorization =
  | { readonly kind: "authorized"; readonly caller: Caller }
  /** Unknown, expired, revoked, suspended, or without the scope: the caller never learns which. */
  | { readonly kind: "unauthorized" }
  /** The token could not be checked. Never answered as "unauthorized": clients would sign out. */
  | { readonly kind: "unavailable" };

export interface CallerAuthorizer {
  /**
   * Answers at once from its cache where it can: this is on the hot path. `holder` always holds this token: what was
   * worked out of the token alone may be kept for as long as it lives.
   */
  authorize(token: string, holder?: object): CallerAuthorization | Promise<CallerAuthorization>;
  /**
   * For calls that this process makes for somebody: by the id of the API key that they came with,
   * whose secret is not at hand. Never with an id that came over the network.
   */
  authorizeDelegated(apiKeyId: string): CallerAuthorization | Promise<CallerAuthorization>;
}

export type CredentialKind = "centralized" | "byok";

export type InterceptionStart = {
  readonly id: string;
  readonly caller: Caller;
  readonly provider: { readonly type: string; readonly name: string };
  /** As the client named it; empty when it named none. */
  readonly model: string;
  readonly client: string;
  readonly clientSessionId: string | null;
  readonly userAgent: string;
  readonly correlatingToolCallId: string | null;
  readonly credentialKind: CredentialKind;
  readonly credentialHint: string;
  readonly startedAt: Date;
};

export type RecordedTokens = {
  readonly responseId: string;
  readonly input: number;
  readonly output: number;
  readonly cacheReadInput: number;
  readonly cacheWriteInput: number;
  readonly extra: Readonly<Record<string, number>>;
};

export type RecordedPrompt = { readonly responseId: string; readonly prompt: string };

export type RecordedToolCall = {
  readonly responseId: string;
  readonly toolCallId: string;
  readonly tool: string;
  /** JSON text, or the raw text of a free-form tool. */
  readonly input: string;
};

export type RecordedThought = {
  readonly source: "thinking" | "reasoning_summary" | "reasoning" | "commentary";
  readonly content: string;
};

export type InterceptionErrorType =
  | "overloaded"
  | "rate_limited"
  | "unauthorized"
  | "bad_request"
  | "server_error"
  | "timeout"
  | "unknown";

export type InterceptionEnd = {
  readonly id: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** The key that served, where the company's keys were used. */
  readonly credentialHint: string;
  readonly error: { readonly type: InterceptionErrorType; readonly message: string } | null;
  readonly tokens: readonly RecordedTokens[];
  readonly prompts: readonly RecordedPrompt[];
  readonly toolCalls: readonly RecordedToolCall[];
  readonly thoughts: readonly RecordedThought[];
  /** How it was served. Null: not known, because it was ended in its gateway's place. */
  readonly trail: RequestTrail | null;
};

export interface InterceptionRecorder {
  /** Resolves when the record is durable. Rejects when it cannot be: upstream is then not called. */
  start(record: InterceptionStart): Promise<void>;
  /** Takes the record and writes it soon, retrying while the database is away. Never throws. */
  end(record: InterceptionEnd): void;
  /** Resolves when everything taken is written, or rejects with the signal's reason. */
  drain(signal: AbortSignal): Promise<void>;
}

/** Whether a key is worth trying (spec gateway 5.2): now, later, or not until an operator acts. */
export type ProviderKeyState = "valid" | "temporary" | "permanent";

/** How one key does, as this server sees it: each makes its own experience, and hears of the others'. */
export type ProviderKeyHealth = {
  readonly keyId: string;
  readonly state: ProviderKeyState;
  /** Why it is or was out of service last. Null: never, since this server started. */
  readonly lastError: {
    /** Null: there was no answer. */
    readonly status: number | null;
    readonly message: string;
    readonly at: Date;
  } | null;
  /** When a `temporary` key is tried again. */
  readonly returnsAt: Date | null;
  /** Calls under way with it. Null: they are not counted, because the provider has no limit. */
  readonly underWay: number | null;
  /** When this server last asked the provider about the key, after a refusal. Null: never. */
  readonly lastCheckedAt: Date | null;
};

/** A circuit breaker that is not simply closed. */
export type BreakerHealth = {
  /** The route as metrics name it. */
  readonly endpoint: string;
  readonly model: string;
  readonly state: "open" | "half_open";
  readonly retriesAt: Date;
};

/** What the control plane may ask of the gateway in its own process. */
export interface GatewayHealth {
  keysOf(providerId: string): readonly ProviderKeyHealth[];
  breakersOf(providerId: string): readonly BreakerHealth[];
  /** Calls that wait for a key below its limit of concurrent calls. */
  waitingOf(providerId: string): number;
  /** Puts a key back into service, whatever was wrong with it. */
  resetKey(providerId: string, keyId: string): void;
}

/** One request to a provider that was made to see what happens. Texts are for operators. */
export type ProviderCheck = {
  readonly kind: ProviderCheckKind;
  readonly outcome: ProviderCheckOutcome;
  readonly status: number | null;
  readonly latencyMs: number;
  readonly model: string | null;
  /** The provider's own words, with the key masked. */
  readonly message: string | null;
  readonly explanation: string;
  readonly remedy: string | null;
};

export type ProviderKeyTest = {
  /** Null: without one of the provider's keys. */
  readonly keyId: string | null;
  readonly checks: readonly ProviderCheck[];
  /** What was not tested, and why. */
  readonly notes: readonly string[];
};

/** Tries a provider out with its own keys. It changes nothing that is known of keys or breakers. */
export interface ProviderTester {
  /** Never rejects, and is bounded in time. What the signal stops is `cancelled`. */
  test(
    provider: GatewayProvider,
    options: { readonly model: string | null; readonly signal: AbortSignal },
  ): Promise<readonly ProviderKeyTest[]>;
}
