/**
 * How a record lies in the spool: a letter, then JSON. Of an end, the first line says what must be
 * known of it, and the second is the text that Postgres gets, untouched.
 *
 * Who emitted a tool call is not decided here: that may need the database.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import {
  lineageOf,
  toStartRow,
  type EndText,
  type StartRow,
  type ToolCaller,
} from "./usage-record.ts";

export type SpooledStart = {
  /** As of a request that follows from none. */
  readonly row: StartRow;
  readonly toolCallId: string | null;
};

export type SpooledRecord =
  | { readonly kind: "start"; readonly start: SpooledStart }
  | { readonly kind: "end"; readonly end: EndText };

export function toSpooledStart(record: InterceptionStart, replicaId: string): SpooledStart {
  const { correlatingToolCallId: toolCallId } = record;
  const row = toStartRow(record, lineageOf(record, null), replicaId);
  return { row, toolCallId: toolCallId === "" ? null : toolCallId };
}

/** The row of a start whose place among the others is known. */
export function placedRow({ row }: SpooledStart, caller: ToolCaller | null): StartRow {
  const lineage = lineageOf({ id: row.id, clientSessionId: row.client_session_id }, caller);
  return {
    ...row,
    session_id: lineage.sessionId,
    thread_parent_id: lineage.parentId,
    thread_root_id: lineage.rootId,
  };
}

export function printStart(start: SpooledStart): string {
  return `S${JSON.stringify(start)}`;
}

export function printEnd({ id, startedAt, toolCallIds, json }: EndText): string {
  return `E${JSON.stringify({ id, startedAt, toolCallIds })}\n${json}`;
}

/** Null: nothing that this version writes. */
export function parseSpooled(text: string): SpooledRecord | null {
  try {
    if (text.startsWith("S")) {
      // What we wrote ourselves, with a checksum over it.
      return { kind: "start", start: JSON.parse(text.slice(1)) as SpooledStart };
    }
    const line = text.indexOf("\n");
    if (!text.startsWith("E") || line === -1) return null;
    const about = JSON.parse(text.slice(1, line)) as Omit<EndText, "json">;
    return { kind: "end", end: { ...about, json: text.slice(line + 1) } };
  } catch {
    return null;
  }
}
