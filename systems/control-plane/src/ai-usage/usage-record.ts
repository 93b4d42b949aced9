/**
 * What the gateway reports of an interception → the rows that are stored (spec gateway 1.1, 9.2,
 * 9.3). The keys are the columns' names: a whole list of these goes to Postgres as one JSON text.
 */
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { timeText } from "./time-text.ts";
import { storableName, storableText } from "./usage-text.ts";
import { toTrailColumns } from "./usage-trail.ts";

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
export function lineageOf(
  record: Pick<InterceptionStart, "id" | "clientSessionId">,
  caller: ToolCaller | null,
): Lineage {
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

/** Times are texts: each is formatted once and read by Postgres only. */
export function toStartRow(record: InterceptionStart, lineage: Lineage, replicaId: string) {
  const { clientSessionId } = record;
  return {
    id: record.id,
    started_at: timeText(record.startedAt),
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

/**
 * The JSON of a list of rows. Put together by hand, as that of an end is; most of a row stands in the one before it as
 * well, because a caller's requests are alike, and its text is taken over.
 */
export function startRowsText(rows: readonly StartRow[]): string {
  let text = "[";
  let before: StartRow | null = null;
  let shared = "";
  for (const row of rows) {
    if (before === null || !isOfSameKind(row, before)) shared = sharedText(row);
    text += `${before === null ? "" : ","}${ownText(row)}${shared}`;
    before = row;
  }
  return `${text}]`;
}

function isOfSameKind(row: StartRow, other: StartRow): boolean {
  return (
    row.initiator_id === other.initiator_id &&
    row.api_key_id === other.api_key_id &&
    row.provider === other.provider &&
    row.provider_name === other.provider_name &&
    row.model === other.model &&
    row.client === other.client &&
    row.credential_kind === other.credential_kind &&
    row.credential_hint === other.credential_hint &&
    row.metadata.request_user_agent === other.metadata.request_user_agent &&
    row.replica_id === other.replica_id
  );
}

/** The end of an object. */
function sharedText(row: StartRow): string {
  const { initiator_id, api_key_id, provider, provider_name, model, client } = row;
  const { credential_kind, credential_hint, metadata, replica_id } = row;
  const ofCaller = { initiator_id, api_key_id, provider, provider_name, model, client };
  const ofKey = { credential_kind, credential_hint, metadata, replica_id };
  return `,${JSON.stringify({ ...ofCaller, ...ofKey }).slice(1)}`;
}

/** Its beginning. An absent field is null. */
function ownText(row: StartRow): string {
  const { client_session_id, thread_parent_id, thread_root_id } = row;
  return (
    `{"id":${quoted(row.id)},"started_at":"${row.started_at}"` +
    `,"session_id":${quoted(row.session_id)}` +
    (client_session_id === null ? "" : `,"client_session_id":${quoted(client_session_id)}`) +
    (thread_parent_id === null ? "" : `,"thread_parent_id":${quoted(thread_parent_id)}`) +
    (thread_root_id === null ? "" : `,"thread_root_id":${quoted(thread_root_id)}`)
  );
}

/** An end as it is stored: one JSON text, made once, and what must be known of it besides. */
export type EndText = {
  readonly id: string;
  readonly startedAt: string;
  /** Calls whose results may come back with another request. */
  readonly toolCallIds: readonly string[];
  /** Its fields are those of `end_interceptions`. */
  readonly json: string;
};

/** The text is put together by hand: an object of objects made for `JSON.stringify` alone costs several times as much. */
export function toEndText(record: InterceptionEnd): EndText {
  const { id, error, prompts } = record;
  const startedAt = timeText(record.startedAt);
  const lastPrompt = prompts.findLastIndex((each) => each.prompt !== "");
  const json =
    `{"id":${quoted(id)},"started_at":"${startedAt}","ended_at":"${timeText(record.endedAt)}"` +
    `,"credential_hint":${quotedName(record.credentialHint)}` +
    (error === null
      ? ""
      : `,"error_type":"${error.type}","error_message":${quotedText(error.message)}`) +
    (lastPrompt === -1 ? "" : `,"last_prompt":${lastPrompt}`) +
    listField("tokens", record.tokens, tokensText) +
    listField("prompts", prompts, promptText) +
    listField("tools", record.toolCalls, toolText) +
    listField("thoughts", record.thoughts, thoughtText) +
    trailText(record.trail) +
    "}";
  return { id, startedAt, toolCallIds: toolCallIdsOf(record), json };
}

const NO_IDS: readonly string[] = [];

function toolCallIdsOf({ toolCalls }: InterceptionEnd): readonly string[] {
  if (toolCalls.length === 0) return NO_IDS;
  return toolCalls.flatMap(({ toolCallId }) =>
    toolCallId === "" ? [] : [storableName(toolCallId)],
  );
}

const quoted = (text: string): string => JSON.stringify(text);
const quotedName = (text: string): string => quoted(storableName(text));
const quotedText = (text: string): string => quoted(storableText(text));

/** Nothing where there is none: an absent list is an empty one. */
function listField<Item>(
  name: string,
  items: readonly Item[],
  textOf: (item: Item) => string,
): string {
  const [first] = items;
  if (first === undefined) return "";
  return `,"${name}":[${items.length === 1 ? textOf(first) : items.map(textOf).join(",")}]`;
}

function tokensText(tokens: InterceptionEnd["tokens"][number]): string {
  return (
    `{"provider_response_id":${quotedName(tokens.responseId)}` +
    `,"input_tokens":${toCount(tokens.input)},"output_tokens":${toCount(tokens.output)}` +
    `,"cache_read_input_tokens":${toCount(tokens.cacheReadInput)}` +
    `,"cache_write_input_tokens":${toCount(tokens.cacheWriteInput)}` +
    `,"metadata":${JSON.stringify(tokens.extra)}}`
  );
}

function promptText({ responseId, prompt }: InterceptionEnd["prompts"][number]): string {
  return `{"provider_response_id":${quotedName(responseId)},"prompt":${quotedText(prompt)}}`;
}

function toolText(call: InterceptionEnd["toolCalls"][number]): string {
  return (
    `{"provider_response_id":${quotedName(call.responseId)}` +
    `,"provider_tool_call_id":${quotedName(call.toolCallId)}` +
    `,"tool":${quotedName(call.tool)},"input":${quotedText(call.input)}}`
  );
}

function thoughtText({ content, source }: InterceptionEnd["thoughts"][number]): string {
  return `{"content":${quotedText(content)},"source":${quoted(source)}}`;
}

function trailText(trail: InterceptionEnd["trail"]): string {
  if (trail === null) return "";
  if (trail.kind === "plain") return `,"key_reason":"${trail.reason}"`;
  // The fields of an object, without its brackets.
  return `,${JSON.stringify(toTrailColumns(trail)).slice(1, -1)}`;
}

/** The end of an interception of which nothing is known but that it is over. */
export function bareEnd(
  about: Pick<InterceptionEnd, "id" | "startedAt" | "endedAt" | "error">,
): InterceptionEnd {
  const nothing = { tokens: [], prompts: [], toolCalls: [], thoughts: [], trail: null };
  return { ...about, credentialHint: "", ...nothing };
}

/** A token count above what can be summed exactly comes from a broken provider. */
const TOKENS_MAX = 1e12;

function toCount(tokens: number): number {
  return Number.isFinite(tokens) ? Math.min(Math.max(0, Math.trunc(tokens)), TOKENS_MAX) : 0;
}

/** What a session's row takes from interceptions that have begun. */
export type SessionTouch = {
  readonly initiator_id: string;
  readonly session_id: string;
  readonly client: string;
  readonly providers: readonly string[];
  readonly provider_names: readonly string[];
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly started_at: string;
  readonly last_active_at: string;
};

/** One touch for each session, in the order in which the sessions' rows are locked. */
export function touchesOf(starts: readonly StartRow[]): readonly SessionTouch[] {
  const bySession = Map.groupBy(starts, (row) => `${row.initiator_id} ${row.session_id}`);
  return [...bySession.values()].flatMap((group) => {
    // Texts of one format sort as the times that they tell.
    const sorted = group.toSorted((a, b) => (a.started_at < b.started_at ? -1 : 1));
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

/** What chats of this server call themselves; their session is the chat. */
export const CHATS_CLIENT = "Atelier Agents";

/** The channel on which servers tell that a model was asked for the first time. */
export const MODELS_SEEN = "ai_models_seen";

/** A model, as prices know it. */
export type SeenModel = {
  /** The type. */
  readonly provider: string;
  readonly model: string;
  readonly seen_at: string;
};

export function seenModelOf(row: StartRow): SeenModel {
  return { provider: row.provider, model: row.model, seen_at: row.started_at };
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
