import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenRecordsMemory, listOpenRecords, OpenRecords } from "./open-records.ts";

const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const recordOf = (n: number) => ({ id: idOf(n), startedAt: new Date(1_000 + n) });

test("what is open is read from the memory alone, and what was deleted is not", () => {
  const memory = createOpenRecordsMemory();
  const open = new OpenRecords(memory);
  for (const n of [1, 2, 3]) open.add(recordOf(n));
  open.delete(idOf(2));
  open.delete(idOf(9));
  assert.deepEqual(listOpenRecords(memory), [recordOf(1), recordOf(3)]);
  open.add(recordOf(4));
  assert.deepEqual(listOpenRecords(memory), [recordOf(1), recordOf(4), recordOf(3)]);
});

test("more than there is room for are not noted, and disturb none", () => {
  const memory = createOpenRecordsMemory();
  const open = new OpenRecords(memory);
  for (let n = 0; n < 70_000; n += 1) open.add(recordOf(n));
  const noted = listOpenRecords(memory);
  assert.deepEqual(noted.at(-1), recordOf(noted.length - 1));
  for (let n = 0; n < 70_000; n += 1) open.delete(idOf(n));
  open.add(recordOf(1));
  assert.deepEqual(listOpenRecords(memory), [recordOf(1)]);
});
