/**
 * What the gateway reports of an interception → the rows that are stored (spec gateway 1.1, 9.2,
 * 9.3). The keys are the columns' names: whole lists of these go to Postgres as one JSON text.
 */
import type { Random } from "@atelier/base/random";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { firstChars, LAST_PROMPT_CHARS_MAX, storableName, storableText } from "./usage-text.ts";

/** Says that the server died, in the record of each request that died with it. */
export const ORPHAN_MESSAGE = "the server stopped before this request ended";

/** Where an interception stands among the others of its conversation. */
export type Lineage = {
  readonly parentId: string | null;
  readonly rootId: string | null;
  readonly sessionId: string;
};

/** The interception that emitted a tool call. */
export type ToolCaller = {
  readonly interceptionId: string;
  /** Of its thread: itself, when it has no parent. */
  readonly rootId: string;
  readonly sessionId: string;
};

/** Follows the caller of the tool whose result this request brings (spec 9.3). */
export function lineageOf(record: InterceptionStart, caller: ToolCaller | null): Lineage {
  const ownSessionId =
    record.clientSessionId === null || record.clientSessionId === ""
      ? null
      : storableName(record.clientSessionId);
  return {
    parentId: caller?.interceptionId ?? null,
    rootId: caller?.rootId ?? null,
    sessionId: ownSessionId ?? caller?.sessionId ?? record.id,
  };
}

export function toStartRow(record: InterceptionStart, lineage: Lineage, replicaId: string) {
  const { clientSessionId } = record;
  return {
    id: record.id,
    started_at: record.startedAt,
    initiator_id: record.caller.userId,
    api_key_id: record.caller.apiKeyId,
    provider: storableName(record.provider.type),
    provider_name: storableName(record.provider.name),
    model: storableName(record.model),
    client: storableName(record.client),
    client_session_id: clientSessionId === null ? null : storableName(clientSessionId),
    session_id: lineage.sessionId,
    thread_parent_id: lineage.parentId,
    thread_root_id: lineage.rootId,
    credential_kind: record.credentialKind,
    credential_hint: storableName(record.credentialHint),
    metadata: { request_user_agent: storableName(record.userAgent) },
    replica_id: replicaId,
  };
}

export type StartRow = ReturnType<typeof toStartRow>;

/** The rows of one end. All of them carry the interception's start, which names their partition. */
export function toEndRows(record: InterceptionEnd, random: Random): EndRows {
  const { id, startedAt } = record;
  const child = (order: number) => ({
    id: random.uuid(),
    started_at: startedAt,
    interception_id: id,
    created_at: timeWithOrder(record.endedAt, order),
  });
  return {
    end: {
      id,
      started_at: startedAt,
      ended_at: record.endedAt,
      credential_hint: storableName(record.credentialHint),
      error_type: record.error?.type ?? null,
      error_message: record.error === null ? null : storableText(record.error.message),
      last_prompt: lastPromptOf(record),
    },
    tokens: record.tokens.map((tokens, order) => ({
      ...child(order),
      provider_response_id: storableName(tokens.responseId),
      input_tokens: toCount(tokens.input),
      output_tokens: toCount(tokens.output),
      cache_read_input_tokens: toCount(tokens.cacheReadInput),
      cache_write_input_tokens: toCount(tokens.cacheWriteInput),
      metadata: tokens.extra,
    })),
    prompts: record.prompts.map((prompt, order) => ({
      ...child(order),
      // It was there when the request began.
      created_at: timeWithOrder(startedAt, order),
      provider_response_id: storableName(prompt.responseId),
      prompt: storableText(prompt.prompt),
    })),
    tools: record.toolCalls.map((call, order) => ({
      ...child(order),
      provider_response_id: storableName(call.responseId),
      provider_tool_call_id: storableName(call.toolCallId),
      tool: storableName(call.tool),
      input: storableText(call.input),
    })),
    thoughts: record.thoughts.map((thought, order) => ({
      ...child(order),
      source: thought.source,
      content: storableText(thought.content),
    })),
  };
}

/** A token count above what can be summed exactly comes from a broken provider. */
const TOKENS_MAX = 1e12;

function toCount(tokens: number): number {
  return Number.isFinite(tokens) ? Math.min(Math.max(0, Math.trunc(tokens)), TOKENS_MAX) : 0;
}

function lastPromptOf(record: InterceptionEnd): string | null {
  const prompt = record.prompts.findLast((each) => each.prompt !== "");
  if (prompt === undefined) return null;
  return storableText(firstChars(prompt.prompt, LAST_PROMPT_CHARS_MAX));
}

/** The order of records of one moment, kept in the microseconds that our own clock does not use. */
function timeWithOrder(time: Date, order: number): string {
  const microseconds = String(Math.min(order, 999)).padStart(3, "0");
  return time.toISOString().replace("Z", `${microseconds}Z`);
}

type ChildRow = {
  readonly id: string;
  readonly started_at: Date;
  readonly interception_id: string;
  readonly created_at: string;
};

export type EndRows = {
  readonly end: {
    readonly id: string;
    readonly started_at: Date;
    readonly ended_at: Date;
    readonly credential_hint: string;
    readonly error_type: string | null;
    readonly error_message: string | null;
    readonly last_prompt: string | null;
  };
  readonly tokens: readonly (ChildRow & {
    readonly provider_response_id: string;
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cache_read_input_tokens: number;
    readonly cache_write_input_tokens: number;
    readonly metadata: Readonly<Record<string, number>>;
  })[];
  readonly prompts: readonly (ChildRow & {
    readonly provider_response_id: string;
    readonly prompt: string;
  })[];
  readonly tools: readonly (ChildRow & {
    readonly provider_response_id: string;
    readonly provider_tool_call_id: string;
    readonly tool: string;
    readonly input: string;
  })[];
  readonly thoughts: readonly (ChildRow & {
    readonly source: string;
    readonly content: string;
  })[];
};

/** What a session's row takes from interceptions that have begun. */
export type SessionTouch = {
  readonly initiator_id: string;
  readonly session_id: string;
  readonly client: string;
  readonly providers: readonly string[];
  readonly provider_names: readonly string[];
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly started_at: Date;
  readonly last_active_at: Date;
};

/** One touch for each session, in the order in which the sessions' rows are locked. */
export function touchesOf(starts: readonly StartRow[]): readonly SessionTouch[] {
  const bySession = Map.groupBy(starts, (row) => `${row.initiator_id} ${row.session_id}`);
  return [...bySession.values()].flatMap((group) => {
    const sorted = group.toSorted((a, b) => a.started_at.getTime() - b.started_at.getTime());
    const [first] = sorted;
    const last = sorted.at(-1);
    if (first === undefined || last === undefined) return [];
    return [
      {
        initiator_id: first.initiator_id,
        session_id: first.session_id,
        client: first.client,
        providers: [...new Set(group.map((row) => row.provider))],
        provider_names: [...new Set(group.map((row) => row.provider_name))],
        models: [...new Set(group.map((row) => row.model))],
        metadata: first.metadata,
        started_at: first.started_at,
        last_active_at: last.started_at,
      },
    ];
  });
}

/** A value that lists can be filtered by. */
export type FilterValue = {
  readonly initiator_id: string;
  readonly kind: "model" | "client" | "provider";
  readonly value: string;
};

export function filterValuesOf(row: StartRow): readonly FilterValue[] {
  const { initiator_id } = row;
  const values = [
    { initiator_id, kind: "model", value: row.model },
    { initiator_id, kind: "client", value: row.client },
    { initiator_id, kind: "provider", value: row.provider_name },
  ] as const;
  return values.filter((each) => each.value !== "");
}
