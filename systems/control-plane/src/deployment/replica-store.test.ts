import assert from "node:assert/strict";
import { test } from "node:test";
import { testDatabase } from "@atelier/testkit/test-database";
import {
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
