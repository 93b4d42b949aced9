import assert from "node:assert/strict";
import { test } from "node:test";
import { testDatabase } from "@atelier/testkit/test-database";
import {
  deletePredecessors,
  deleteReplica,
  deleteReplicasSilentSince,
  heartbeat,
  listLiveReplicaIds,
} from "./replica-store.ts";

const START = Date.UTC(2026, 0, 1);

function replica(n: number) {
  const id = `00000000-0000-4000-8000-00000000000${n}`;
  return { id, hostname: "h", version: "1", startedAt: new Date(START), relayUrl: null };
}

function at(seconds: number): Date {
  return new Date(START + seconds * 1_000);
}

test("a replica lives while it beats, and is forgotten when it is long silent", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await heartbeat(sql, replica(1), at(0));
  await heartbeat(sql, replica(2), at(0));
  await heartbeat(sql, replica(2), at(29));
  assert.deepEqual(await listLiveReplicaIds(sql, at(29)), [replica(1).id, replica(2).id]);
  assert.deepEqual(await listLiveReplicaIds(sql, at(30)), [replica(2).id]);
  await deleteReplicasSilentSince(sql, at(29));
  const { rows } = await database.pool.query("select id from replicas");
  assert.deepEqual(rows, [{ id: replica(2).id }]);
  await deleteReplica(sql, replica(2).id);
  assert.deepEqual(await listLiveReplicaIds(sql, at(29)), []);
});

test("whoever listened at an address before is gone, and nobody else is", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  const relayUrl = "http://127.0.0.1:3000";
  const now = { ...replica(1), relayUrl };
  await heartbeat(sql, { ...replica(2), relayUrl }, at(0));
  await heartbeat(sql, { ...replica(3), relayUrl, hostname: "other" }, at(0));
  await heartbeat(sql, { ...replica(4), relayUrl: "http://127.0.0.1:3001" }, at(0));
  await heartbeat(sql, replica(5), at(0));
  await heartbeat(sql, now, at(0));
  await deletePredecessors(sql, now);
  const left = [1, 3, 4, 5].map((n) => replica(n).id);
  assert.deepEqual(await listLiveReplicaIds(sql, at(1)), left);
});
