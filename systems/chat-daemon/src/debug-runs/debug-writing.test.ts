/** Recorded calls on a real database: what is written, by whom, for how long, and what is dropped. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Clock } from "@atelier/base/clock";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { createMetrics, type Metrics } from "@atelier/host/metrics";
import { chatWorld, must, type ChatWorld } from "../state/chat-world-testkit.ts";
import { cleanUp } from "./debug-cleanup-task.ts";
import type { DebugCall, DebugCallEnd } from "./debug-recorder.ts";
import { showRun, showRuns } from "./debug-run-actions.ts";
import { DebugWriting } from "./debug-writing-task.ts";
import { ClientTap } from "./http-tap-io.ts";

const ANSWERED: DebugCallEnd = {
  kind: "answered",
  answer: { response: { content: [] }, usage: { input_tokens: 3, output_tokens: 2 } },
};
const FAILED: DebugCallEnd = {
  kind: "failed",
  error: { message: "overloaded", kind: "overloaded", retryable: true },
};
const DAY_MS = 86_400_000;

/** All that waits is written, however slow the machine: no time passes for whoever counts it. */
const UNHURRIED: Clock = {
  now: () => systemClock.now(),
  monotonicMs: () => 0,
  sleep: (delayMs, signal) => systemClock.sleep(delayMs, signal),
};

/** A server's recorder. `written`: it has stopped, and what waited is there. */
function recorderOf(
  world: ChatWorld,
  {
    clock = UNHURRIED,
    metrics = createMetrics({ ofProcess: false }),
    writeMsMax,
  }: { clock?: Clock; metrics?: Metrics; writeMsMax?: number } = {},
) {
  const { database } = world;
  const deps = { database, clock, metrics, random: systemRandom, log: silentLogger };
  const recorder = new DebugWriting(deps, writeMsMax);
  const stop = new AbortController();
  const writing = recorder.keepWriting(stop.signal);
  const written = async (): Promise<void> => {
    stop.abort();
    await writing;
  };
  return { recorder, metrics, written };
}

function callOf(chatId: string, more: Partial<DebugCall> = {}): () => DebugCall {
  return () => ({
    chat: { id: chatId, rootChatId: null, parentChatId: null },
    ...{ kind: "chat_turn", runKey: "1", stepKey: "answer 1", title: "Hello there" },
    ...{ operation: "stream", provider: "anthropic", model: "m", modelConfigId: null },
    ...{ triggerMessageId: 1, historyTipMessageId: 1, request: { prompt: [] } },
    metadata: { purpose: "answer" },
    ...more,
  });
}

async function chatOf(world: ChatWorld): Promise<string> {
  return must(await world.machine.create(world.newChat())).chat.id;
}

async function readOf({ database }: ChatWorld, chatId: string) {
  const deps = { database, isRecorded: async () => true };
  const { runs } = must(await showRuns(deps, chatId));
  return Promise.all(
    runs.map(async ({ id }) => must(await showRun(deps, { chatId, runId: id }, "full"))),
  );
}

async function age({ database }: ChatWorld, chatId: string, byMs: number): Promise<void> {
  await database.pool.query(
    `update chat_debug_runs set updated_at = updated_at - $2 * interval '1 ms',
       started_at = started_at - $2 * interval '1 ms' where chat_id = $1`,
    [chatId, byMs],
  );
}

test("another server goes on with a run, and another try belongs to its step", async () => {
  await using world = await chatWorld();
  const chatId = await chatOf(world);
  const [one, two] = [recorderOf(world), recorderOf(world)];
  const tap = new ClientTap(systemClock);
  const fetch = tap.recordHttp(async () => new Response("busy", { status: 529 }), []);
  const first = one.recorder.begin(tap, callOf(chatId));
  await (await fetch("http://host/", { method: "POST", body: "{}" })).text();
  first(() => FAILED);
  await one.written();
  const again = two.recorder.begin(tap, callOf(chatId));
  await (await fetch("http://host/", { method: "POST", body: "{}" })).text();
  again(() => ANSWERED);
  two.recorder.begin(tap, callOf(chatId, { stepKey: "answer 2" }))(() => ANSWERED);
  two.recorder.turnEnded(chatId, "completed");
  await two.written();
  const [run, other] = await readOf(world, chatId);
  assert.equal(other, undefined);
  assert.deepEqual(
    [run?.status, run?.summary],
    [
      "completed",
      {
        ...{ title: "Hello there", step_count: 2, attempt_count: 2 },
        ...{ input_tokens: 6, output_tokens: 4, error: null },
      },
    ],
  );
  assert.deepEqual(
    run?.steps.map(({ status, attempts, error }) => [status, attempts.length, error]),
    [
      ["completed", 2, null],
      ["completed", 0, null],
    ],
  );
});

test("a title is a run of its own, which ends with its call, and fails without the turn", async () => {
  await using world = await chatWorld();
  const chatId = await chatOf(world);
  const { recorder, written } = recorderOf(world);
  const tap = new ClientTap(systemClock);
  const title = { kind: "title_generation", runKey: null, stepKey: "only" } as const;
  recorder.begin(tap, callOf(chatId, title))(() => FAILED);
  recorder.begin(tap, callOf(chatId, title))(() => ({ kind: "interrupted" }));
  await written();
  const runs = await readOf(world, chatId);
  assert.deepEqual(new Set(runs.map(({ status }) => status)), new Set(["error", "interrupted"]));
  assert.deepEqual(
    runs.map(({ summary }) => summary.error).filter((error) => error !== null),
    ["overloaded"],
  );
});

test("a locked table costs the records their budget, and is counted; what throws is nobody's failure", async () => {
  await using world = await chatWorld();
  const chatId = await chatOf(world);
  const { recorder, metrics, written } = recorderOf(world, {
    ...{ clock: systemClock, writeMsMax: 100 },
  });
  const tap = new ClientTap(systemClock);
  const lock = await world.database.pool.connect();
  await lock.query("begin; lock table chat_debug_steps in access exclusive mode");
  recorder.begin(tap, callOf(chatId))(() => ANSWERED);
  recorder.begin(tap, () => {
    throw new Error("a bug");
  })(() => ANSWERED);
  recorder.begin(
    tap,
    callOf(chatId, { stepKey: "answer 9" }),
  )(() => {
    throw new Error("another");
  });
  // More than may wait, at once: nobody is held up.
  for (let step = 0; step < 400; step += 1) {
    recorder.begin(tap, callOf(chatId, { stepKey: `answer ${step}` }));
  }
  const dropped = async (reason: string): Promise<number> => {
    const line = new RegExp(`chat_debug_records_dropped_total\\{reason="${reason}"\\} (\\d+)`);
    return Number(line.exec(await metrics.render())?.[1] ?? 0);
  };
  await written();
  await lock.query("rollback");
  lock.release();
  assert.equal(await dropped("not_described"), 2);
  assert((await dropped("too_many")) > 100);
  assert((await dropped("not_written")) > 1);
  assert((await dropped("stopped")) > 1, "a server that stops does not wait for all");
  assert.deepEqual(await readOf(world, chatId), []);
});

test("runs that nobody goes on with are broken off, and a turn only when its chat rests", async () => {
  await using world = await chatWorld();
  const [rests, works, moved] = await Promise.all([
    world.chatIn("W").then(({ id }) => id),
    world.chatIn("R0").then(({ id }) => id),
    world.chatIn("R0").then(({ id }) => id),
  ]);
  const { recorder, written } = recorderOf(world);
  const tap = new ClientTap(systemClock);
  const title = { kind: "title_generation", runKey: null, stepKey: "only" } as const;
  for (const chatId of [rests, works, moved]) recorder.begin(tap, callOf(chatId));
  recorder.begin(tap, callOf(works, title));
  await written();
  const deps = {
    ...{ database: world.database, clock: systemClock, log: silentLogger },
    retentionMs: async () => null,
  };
  const { signal } = new AbortController();
  await cleanUp(deps, signal);
  const statuses = async (chatId: string) =>
    (await readOf(world, chatId)).map(({ kind, status, steps }) =>
      [kind, status, steps.map((step) => step.status)].flat().join(" "),
    );
  assert.deepEqual(await statuses(rests), ["chat_turn in_progress in_progress"], "still young");
  for (const chatId of [rests, works, moved]) await age(world, chatId, 600_000);
  // The chat goes on with another turn.
  const later = recorderOf(world);
  later.recorder.begin(tap, callOf(moved, { runKey: "2" }));
  await later.written();
  await cleanUp(deps, signal);
  assert.deepEqual(await statuses(rests), ["chat_turn interrupted interrupted"]);
  assert.deepEqual((await statuses(works)).toSorted(), [
    "chat_turn in_progress in_progress",
    "title_generation interrupted interrupted",
  ]);
  assert.deepEqual(await statuses(moved), [
    "chat_turn in_progress in_progress",
    "chat_turn interrupted interrupted",
  ]);
});

test("old runs are deleted whatever becomes of their chat, and those of chats that are gone", async () => {
  await using world = await chatWorld();
  const [old, young, gone] = [await chatOf(world), await chatOf(world), randomUUID()];
  const { recorder, written } = recorderOf(world);
  const tap = new ClientTap(systemClock);
  for (const chatId of [old, young, gone]) recorder.begin(tap, callOf(chatId))(() => ANSWERED);
  for (let run = 0; run < 60; run += 1) {
    recorder.begin(tap, callOf(old, { runKey: `more ${run}` }))(() => ANSWERED);
  }
  await written();
  await age(world, old, 31 * DAY_MS);
  const { database } = world;
  const clean = (days: number | null) =>
    cleanUp(
      {
        ...{ database, clock: systemClock, log: silentLogger },
        retentionMs: async () => (days === null ? null : days * DAY_MS),
      },
      new AbortController().signal,
    );
  const counts = async () => {
    const { rows } = await database.pool.query<{ chat_id: string; steps: number }>(
      `select r.chat_id, count(*)::int as steps from chat_debug_runs r
       join chat_debug_steps s on s.run_id = r.id group by r.chat_id`,
    );
    return new Map(rows.map(({ chat_id: id, steps }) => [id, steps]));
  };
  await clean(null);
  assert.deepEqual(
    await counts(),
    new Map([
      [old, 61],
      [young, 1],
    ]),
    "for ever",
  );
  await clean(30);
  assert.deepEqual(await counts(), new Map([[young, 1]]));
});
