/** Workers that die under load: the others go on, records end, and the place is taken again. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { RecorderElsewhere, recordingElsewhere } from "@atelier/control-plane/recorder-elsewhere";
import { createMetrics } from "@atelier/host/metrics";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordingChannel } from "./recording-channel.ts";
import { startWorkerWorld, until } from "./worker-world-testkit.ts";

for (const how of ["exit", "throw"] as const) {
  test(`a worker that ends by ${how} takes only its own requests along`, async () => {
    const held = Promise.withResolvers<void>();
    await using world = await startWorkerWorld(
      ["--ai-gateway-max-concurrency", "24", "--ai-gateway-max-concurrency-per-user", "24"],
      held.promise,
    );
    // Every place is taken, by requests of both workers: so many that the kernel never gives all to one.
    const asked = Array.from({ length: 24 }, () => world.ask("?hold=1"));
    await until(() => world.starts.length === 24);
    assert.equal(await world.ask(), 503);
    world.kill({ member: 1, how });
    await until(() => world.ends.length > 0);
    const orphans = world.ends.length;
    assert.ok(orphans < 24, "the kernel gave both workers some");
    assert.ok(world.ends.every(({ error }) => error?.type === "server_error"));
    // The places of the dead one are free, exactly.
    const more = Array.from({ length: orphans }, () => world.ask("?hold=1"));
    await until(() => world.starts.length === 24 + orphans);
    assert.equal(await world.ask(), 503);
    held.resolve();
    const statuses = await Promise.all([...asked, ...more]);
    assert.equal(statuses.filter((status) => status === 200).length, 24);
    assert.equal(statuses.filter((status) => status === 0).length, orphans);
    await until(() => world.ends.length === world.starts.length);
    assert.equal(new Set(world.ends.map(({ id }) => id)).size, world.starts.length);
    // It was replaced: what the next requests ask goes to two again, and none fails.
    await until(() => world.workers.running === 2);
    const later = await Promise.all(Array.from({ length: 10 }, () => world.ask()));
    assert.ok(later.every((status) => status === 200));
  });
}

test("a drain lets requests under way finish in every worker", async () => {
  const held = Promise.withResolvers<void>();
  const world = await startWorkerWorld([], held.promise);
  const asked = Array.from({ length: 10 }, () => world.ask("?hold=1"));
  await until(() => world.starts.length === 10);
  const disposed = world[Symbol.asyncDispose]();
  held.resolve();
  assert.deepEqual(await Promise.all(asked), Array(10).fill(200));
  await disposed;
  assert.equal(world.ends.filter(({ error }) => error === null).length, 10);
});

const ENTIRE_LIMIT = ["--ai-gateway-max-concurrency", "16"];

/** Records of the workers and of this thread are in the database. */
async function startRecordedWorld(database: TestDatabase, hold: Promise<void>) {
  await using resources = new AsyncDisposableStack();
  const peersName = `test-${systemRandom.uuid()}`;
  const deps = {
    ...{ database, clock: systemClock, log: silentLogger },
    ...{ replicaId: systemRandom.uuid(), logRecords: false },
  };
  const peers = resources.use(new RecordingChannel(peersName));
  const recorder = resources.use(
    new RecorderElsewhere({
      ...deps,
      metrics: createMetrics(),
      openRecords: new SharedArrayBuffer(2 ** 21),
      peers,
    }),
  );
  resources.defer(() => recorder.drain(AbortSignal.timeout(60_000)));
  const { connection } = database;
  const recorders = {
    controlPlane: { recorder, recording: recordingElsewhere({ ...deps, recorder }) },
    connection,
    peersName,
  };
  const world = resources.use(await startWorkerWorld(ENTIRE_LIMIT, hold, recorders));
  const owned = resources.move();
  return { ...world, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type RecordRow = {
  readonly error_type: string | null;
  readonly is_ended: boolean;
  readonly usages: number;
};

async function recordsOf(database: TestDatabase) {
  const { rows } = await database.pool.query<RecordRow>(
    `select i.error_type, i.ended_at is not null as is_ended,
      (select count(*)::int from ai_token_usages t where t.interception_id = i.id) as usages
    from ai_interceptions i`,
  );
  return rows;
}

test("a worker killed in the middle of a load leaves one record of each request, ended once", async () => {
  await using database = await testDatabase();
  const held = Promise.withResolvers<void>();
  await using world = await startRecordedWorld(database, held.promise);
  const statuses: number[] = [];
  let isOver = false;
  // Fewer than the limit: a client may ask again before its last place is free.
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) statuses.push(await world.ask());
  });
  await until(() => statuses.length > 100);
  world.kill({ member: 1, how: "exit" });
  // Told while it is gone: the one in its place knows it, too.
  await until(() => world.workers.running === 1);
  await world.addProvider("later");
  await until(() => world.workers.running === 2);
  const seen = statuses.length;
  await until(() => statuses.length > seen + 100);
  isOver = true;
  await Promise.all(load);
  const broken = statuses.filter((status) => status === 0).length;
  assert.ok(broken <= 8, "only requests under way in one worker broke");
  assert.equal(statuses.filter((status) => status === 200).length, statuses.length - broken);
  // Every place is free again, and none too many.
  const asked = Array.from({ length: 16 }, () => world.ask("?hold=1", "later"));
  await sixteenUnderWay(database);
  assert.equal(await world.ask(), 503);
  held.resolve();
  assert.deepEqual(await Promise.all(asked), Array(16).fill(200));
  await world[Symbol.asyncDispose]();

  const records = await recordsOf(database);
  assert.ok(records.every(({ is_ended }) => is_ended));
  const served = statuses.length - broken + 16;
  // What broke before its start was recorded has no record.
  assert.ok(records.length >= served && records.length <= served + broken);
  const whole = records.filter(({ error_type }) => error_type === null);
  assert.ok(whole.every(({ usages }) => usages === 1));
  const others = records.filter(({ error_type }) => error_type !== null);
  assert.ok(others.every(({ error_type, usages }) => error_type === "unknown" && usages === 0));
  assert.ok(whole.length > served - 100, "ends of a moment are lost with a worker, and no more");
  const { rows } = await database.pool.query(
    `select sum(interceptions)::int as interceptions, sum(input_tokens)::int as input_tokens
    from ai_sessions`,
  );
  assert.deepEqual(rows, [{ interceptions: records.length, input_tokens: whole.length * 3 }]);
});

async function sixteenUnderWay(database: TestDatabase): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    assert.ok(performance.now() < deadlineMs, "what died has ended, and nothing else");
    const records = await recordsOf(database);
    if (records.filter(({ is_ended }) => !is_ended).length === 16) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
