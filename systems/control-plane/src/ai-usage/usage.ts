/** What went through the gateway, as it is read back. */
import type { StoredTrail } from "./usage-trail.ts";

export type UsageUser = { readonly id: string; readonly username: string; readonly name: string };

export type TokenSums = {
  readonly input: number;
  readonly output: number;
  readonly cacheReadInput: number;
  readonly cacheWriteInput: number;
};

/** What several requests cost. Those without usage of tokens are in neither count. */
export type CostSums = {
  /** Of what has a known price. */
  readonly costMicros: number;
  readonly pricedRequests: number;
  readonly unpricedRequests: number;
};

/** Null: nothing of it has a known price. */
export function knownCost({
  costMicros,
  pricedRequests,
  unpricedRequests,
}: CostSums): number | null {
  return unpricedRequests > 0 && pricedRequests === 0 && costMicros === 0 ? null : costMicros;
}

/** Of one request: null when a part of it has no known price. */
export function costOfRequest(
  tokens: readonly { readonly costMicros: number | null }[],
): number | null {
  let sum = 0;
  for (const { costMicros } of tokens) {
    if (costMicros === null) return null;
    sum += costMicros;
  }
  return sum;
}

/** Whose usage somebody may see. */
export type UsageView =
  | { readonly kind: "everybody" }
  | { readonly kind: "own"; readonly userId: string };

export type UsageSession = {
  readonly id: string;
  readonly initiator: UsageUser;
  readonly providers: readonly string[];
  readonly providerNames: readonly string[];
  readonly models: readonly string[];
  readonly client: string;
  readonly metadata: Record<string, unknown>;
  readonly startedAt: Date;
  /** Null while one of its interceptions is under way. */
  readonly endedAt: Date | null;
  readonly lastActiveAt: Date;
  readonly threads: number;
  readonly interceptions: number;
  readonly errors: number;
  readonly tokens: TokenSums;
  readonly cost: CostSums;
  readonly lastPrompt: string | null;
};

/** An interception without what it produced. */
export type UsageInterception = {
  readonly id: string;
  readonly apiKeyId: string;
  readonly initiator: UsageUser;
  readonly provider: string;
  readonly providerName: string;
  readonly model: string;
  readonly client: string;
  readonly sessionId: string;
  readonly clientSessionId: string | null;
  readonly parentId: string | null;
  readonly rootId: string | null;
  readonly credentialKind: "centralized" | "byok";
  readonly credentialHint: string;
  readonly metadata: Record<string, unknown>;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly errorType: string | null;
  readonly errorMessage: string | null;
  /** How it was served. Null: not known, or not over. */
  readonly trail: StoredTrail | null;
};

type Child = { readonly id: string; readonly interceptionId: string; readonly createdAt: Date };

export type UsageTokens = Child &
  TokenSums & {
    readonly responseId: string;
    /** Null: its price is not known. */
    readonly costMicros: number | null;
    readonly metadata: Record<string, unknown>;
  };

export type UsagePrompt = Child & {
  readonly responseId: string;
  readonly prompt: string;
  readonly metadata: Record<string, unknown>;
};

export type UsageToolCall = Child & {
  readonly responseId: string;
  readonly toolCallId: string;
  readonly tool: string;
  readonly input: string;
  readonly injected: boolean;
  readonly serverUrl: string | null;
  readonly invocationError: string | null;
  readonly metadata: Record<string, unknown>;
};

export type UsageThought = Child & { readonly content: string; readonly source: string };

/** What one interception produced, each list in the order in which it was produced. */
export type UsageRecords = {
  readonly tokens: readonly UsageTokens[];
  readonly prompts: readonly UsagePrompt[];
  readonly toolCalls: readonly UsageToolCall[];
  readonly thoughts: readonly UsageThought[];
};

export type RecordedInterception = UsageInterception & { readonly records: UsageRecords };

/** Interceptions of one session that follow from one prompt, by tool calls and their results. */
export type UsageThread = {
  /** Of the interception that it began with. */
  readonly id: string;
  /** Of the whole thread; `interceptions` may hold only its latest part. */
  readonly startedAt: Date;
  readonly tokens: TokenSums;
  readonly cost: CostSums;
  /** In the order in which they began; never empty. */
  readonly interceptions: readonly RecordedInterception[];
};

/** What a thread looks like from outside. */
export function summaryOf({ interceptions }: UsageThread) {
  const [first] = interceptions;
  const last = interceptions.at(-1);
  if (first === undefined || last === undefined) return null;
  const prompts = interceptions.flatMap(({ records }) => records.prompts);
  const ends = interceptions.map(({ endedAt }) => endedAt);
  const endedAt = ends.includes(null)
    ? null
    : new Date(Math.max(...ends.map((end) => end?.getTime() ?? 0)));
  // The prompt it began with: later ones, if any, are the client's reminders between tool calls.
  return { first, last, prompt: prompts[0]?.prompt ?? null, endedAt };
}

export function sumTokens(tokens: readonly TokenSums[]): TokenSums {
  const sum = (pick: (each: TokenSums) => number): number =>
    tokens.reduce((total, each) => total + pick(each), 0);
  return {
    input: sum((each) => each.input),
    output: sum((each) => each.output),
    cacheReadInput: sum((each) => each.cacheReadInput),
    cacheWriteInput: sum((each) => each.cacheWriteInput),
  };
}
