/** What is written of a call: at its beginning, at its end, and when the turn that it belonged to is over. */
import { createHash } from "node:crypto";
import type { DebugStatus } from "@atelier/contract/http/chat-debug";
import { toStorableJson } from "../messages/storable-json.ts";
import { boundedJson, cutText } from "./bounded-json.ts";
import { withoutCredentials } from "./credential-redaction.ts";
import type { DebugCall, DebugCallEnd } from "./debug-recorder.ts";
import type { SeenRequest } from "./seen-request.ts";

const REQUEST_CHARACTERS_MAX = 1024 * 1024;
const RESPONSE_CHARACTERS_MAX = 256 * 1024;
/** Of one try: bodies, headers and all. */
const ATTEMPT_CHARACTERS_MAX = 512 * 1024;
const TITLE_CHARACTERS_MAX = 120;

export type DebugIds = { readonly runId: string; readonly stepId: string };

/** All JSON is text, and has no credentials. */
export type BeginningRow = DebugIds & {
  readonly call: Pick<
    DebugCall,
    | "chat"
    | "kind"
    | "operation"
    | "provider"
    | "model"
    | "modelConfigId"
    | "triggerMessageId"
    | "historyTipMessageId"
  >;
  readonly title: string;
  readonly request: string;
  readonly metadata: string;
  readonly at: Date;
};

export type EndRow = DebugIds & {
  readonly chatId: string;
  readonly status: Exclude<DebugStatus, "in_progress">;
  /** The run is over with this call. */
  readonly endsRun: boolean;
  readonly response: string | null;
  readonly usage: string | null;
  readonly attempts: string;
  readonly attemptCount: number;
  readonly error: string | null;
  readonly at: Date;
};

/** Who takes a chat over records into the same run, and another try into the same step. */
export function debugIds(
  { chat, kind, runKey, stepKey }: DebugCall,
  newId: () => string,
): DebugIds {
  const runId = runKey === null ? newId() : madeId(`run\n${chat.id}\n${kind}\n${runKey}`);
  return { runId, stepId: madeId(`step\n${runId}\n${stepKey}`) };
}

export function beginningRow(
  ids: DebugIds,
  call: DebugCall,
  { at, credentials }: { readonly at: Date; readonly credentials: ReadonlySet<string> },
): BeginningRow {
  const clean = (json: string): string => withoutCredentials(json, credentials);
  return {
    ...ids,
    call,
    title: cutText(clean(call.title.trim()), TITLE_CHARACTERS_MAX),
    request: cleanJson(call.request, REQUEST_CHARACTERS_MAX, clean),
    metadata: clean(toStorableJson(call.metadata)),
    at,
  };
}

export function endRow(
  { ids, call }: { readonly ids: DebugIds; readonly call: Pick<DebugCall, "chat" | "kind"> },
  { end, seen }: { readonly end: DebugCallEnd; readonly seen: readonly SeenRequest[] },
  { at, credentials }: { readonly at: Date; readonly credentials: ReadonlySet<string> },
): EndRow {
  const clean = (json: string): string => withoutCredentials(json, credentials);
  const attempts = seen.map((each) => cleanJson(toAttempt(each), ATTEMPT_CHARACTERS_MAX, clean));
  const answer = end.kind === "answered" ? end.answer : null;
  return {
    ...ids,
    chatId: call.chat.id,
    status: STATUSES[end.kind],
    endsRun: call.kind !== "chat_turn",
    response: answer === null ? null : cleanJson(answer.response, RESPONSE_CHARACTERS_MAX, clean),
    usage: answer === null || answer.usage === null ? null : toStorableJson(answer.usage),
    attempts: `[${attempts.join(",")}]`,
    attemptCount: seen.length,
    error: end.kind === "failed" ? clean(toStorableJson(end.error)) : null,
    at,
  };
}

/** Its texts before they are cut, and what is no text of it, as names of fields. */
function cleanJson(value: unknown, charactersMax: number, clean: (text: string) => string): string {
  return clean(boundedJson(value, charactersMax, clean));
}

const STATUSES = { answered: "completed", failed: "error", interrupted: "interrupted" } as const;

function toAttempt(seen: SeenRequest): Record<string, unknown> {
  const { answer } = seen;
  return {
    started_at: seen.startedAt.toISOString(),
    method: seen.method,
    url: seen.url,
    request_headers: seen.requestHeaders,
    request_body: seen.requestBody,
    status: answer?.status ?? null,
    response_headers: answer?.headers ?? {},
    response_body: answer?.body ?? null,
    headers_ms: answer?.headersMs ?? null,
    duration_ms: seen.durationMs,
    error: seen.error,
  };
}

/** Version 8: made by a rule of one's own (RFC 9562). */
function madeId(text: string): string {
  const hash = createHash("sha256").update(`chat debug\n${text}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.subarray(0, 16).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
