/**
 * Brings spooled records to Postgres, in the order in which they were spooled. May be repeated from
 * any point: the statements add nothing twice.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { SpoolReader } from "../record-spool/spool.ts";
import { writeUntilDone, type PersistentWriteMetrics } from "./persistent-write.ts";
import { mayWorkLater, type RecordWriter } from "./record-writer-actions.ts";
import { parseSpooled, placedRow, type SpooledRecord } from "./spooled-record.ts";

export type SpoolDrainDeps = {
  readonly writer: RecordWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: PersistentWriteMetrics;
};

/** Of one look into the spool. */
const READ_BYTES_MAX = 1_024 * 1_024;
/** Of one batch of statements. */
const BATCH_ITEMS_MAX = 500;

export type DrainedBatch = { readonly records: number; readonly isDone: boolean };

/**
 * Writes what the spool gives at one look. Null: it holds nothing more. Not done: it was told to stop.
 */
export async function drainOnce(
  deps: SpoolDrainDeps,
  spool: SpoolReader,
  { stop, onRead }: { readonly stop: AbortSignal; readonly onRead?: (oldestAt: Date) => void },
): Promise<DrainedBatch | null> {
  const batch = await spool.read(READ_BYTES_MAX);
  if (batch === null) return null;
  const records = batch.payloads.flatMap((payload) => {
    const record = parseSpooled(payload);
    if (record !== null) return [record];
    deps.metrics.dropped("refused", 1);
    deps.log.error({ payload: payload.slice(0, 1) }, "spooled record of an unknown kind is lost");
    return [];
  });
  const [first] = records;
  if (first !== undefined) onRead?.(new Date(startedAtOf(first)));
  for (const part of partsOf(records)) {
    const write = {
      ...deps,
      write: (items: readonly SpooledRecord[]) => writeRecords(deps.writer, items),
      isTransient: mayWorkLater,
      nameOf: (record: SpooledRecord) => ({ interception_id: idOf(record) }),
    };
    if (!(await writeUntilDone(write, part, stop))) return { records: 0, isDone: false };
  }
  await spool.release(batch);
  return { records: batch.payloads.length, isDone: true };
}

/**
 * Batches in the order of the records. A result of a tool call comes in a later one than the end that
 * holds the call: whose call it was is known once that end is written.
 */
function partsOf(records: readonly SpooledRecord[]): readonly (readonly SpooledRecord[])[] {
  const parts: SpooledRecord[][] = [];
  let part: SpooledRecord[] = [];
  let emitted = new Set<string>();
  for (const record of records) {
    const toolCallId = record.kind === "start" ? record.start.toolCallId : null;
    if (part.length === BATCH_ITEMS_MAX || (toolCallId !== null && emitted.has(toolCallId))) {
      parts.push(part);
      part = [];
      emitted = new Set();
    }
    part.push(record);
    if (record.kind === "end") for (const id of record.end.toolCallIds) emitted.add(id);
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

async function writeRecords(writer: RecordWriter, records: readonly SpooledRecord[]) {
  const starts = records.flatMap((record) => (record.kind === "start" ? [record.start] : []));
  const ends = records.flatMap((record) => (record.kind === "end" ? [record.end] : []));
  if (starts.length > 0) {
    const calls = starts.map(({ row, toolCallId }) =>
      toolCallId === null ? null : { initiatorId: row.initiator_id, toolCallId },
    );
    const callers = await writer.findCallers(calls, {
      // Nobody waits for it: it is tried again.
      onFailure: (error) => {
        throw error;
      },
    });
    const rows = starts.map((start, index) => placedRow(start, callers[index] ?? null));
    await writer.insertStarts(rows);
    for (const row of rows) writer.noteStarted(row);
    await writer.writeStarted(rows, { endedToo: ends });
  }
  for (const end of ends) writer.noteEnded(end);
  if (ends.length > 0) await writer.writeEnds(ends);
}

function idOf(record: SpooledRecord): string {
  return record.kind === "start" ? record.start.row.id : record.end.id;
}

function startedAtOf(record: SpooledRecord): string {
  return record.kind === "start" ? record.start.row.started_at : record.end.startedAt;
}
