/** Stamped calls happen once: over repeats, takeovers, restarts and torn files. */
import { silentLogger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openEffectJournal, type EffectJournal } from "./effect-journal-io.ts";

const HASH = "a".repeat(64);

const effect = (callId: string, fence = 1, inputHash = HASH): Effect => ({
  chatId: "chat",
  callId,
  inputHash,
  fence,
});

async function scene() {
  const directory = await mkdtemp(join(tmpdir(), "atelier-effects-"));
  const clock = new FakeClock();
  return {
    directory,
    clock,
    file: join(directory, "effects.log"),
    open: (from = directory): Promise<EffectJournal> =>
      openEffectJournal(from, { clock, log: silentLogger }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** Work that counts how often it ran. */
function counted() {
  const ran = { times: 0 };
  return {
    ran,
    work: async () => {
      ran.times += 1;
      return ok({ run: ran.times });
    },
  };
}

test("a repeat gets the recorded outcome, also after a restart", async () => {
  await using s = await scene();
  const { ran, work } = counted();
  {
    await using journal = await s.open();
    assert.deepEqual(await journal.run(effect("a"), work), ok({ run: 1, replayed: false }));
    assert.deepEqual(await journal.run(effect("a"), work), ok({ run: 1, replayed: true }));
  }
  await using journal = await s.open();
  assert.deepEqual(await journal.run(effect("a"), work), ok({ run: 1, replayed: true }));
  assert.equal(ran.times, 1);
});

test("a repeat while it runs joins it", async () => {
  await using s = await scene();
  await using journal = await s.open();
  const hold = Promise.withResolvers<void>();
  let times = 0;
  const work = async () => {
    times += 1;
    await hold.promise;
    return ok({});
  };
  const both = [journal.run(effect("a"), work), journal.run(effect("a"), work)];
  hold.resolve();
  assert.deepEqual(await Promise.all(both), [ok({ replayed: false }), ok({ replayed: true })]);
  assert.equal(times, 1);
});

test("another input under the same call is refused and nothing happens", async () => {
  await using s = await scene();
  await using journal = await s.open();
  const { ran, work } = counted();
  await journal.run(effect("a"), work);
  const answer = await journal.run(effect("a", 1, "b".repeat(64)), work);
  assert.ok(!answer.ok && answer.failure.code === "effect_mismatch");
  assert.equal(ran.times, 1);
});

test("a stale fence is refused, also for recorded calls and after a restart", async () => {
  await using s = await scene();
  const { ran, work } = counted();
  {
    await using journal = await s.open();
    await journal.run(effect("a", 1), work);
    await journal.run(effect("a", 2), work);
  }
  await using journal = await s.open();
  for (const callId of ["a", "b"]) {
    const answer = await journal.run(effect(callId, 1), work);
    assert.ok(!answer.ok && answer.failure.code === "stale_fence");
  }
  assert.equal(ran.times, 1);
});

test("failures are outcomes, except those that a later try may change", async () => {
  await using s = await scene();
  await using journal = await s.open();
  let times = 0;
  const failing = (code: "not_found" | "busy") => async () => {
    times += 1;
    return fail({ code, message: "" });
  };
  await journal.run(effect("kept"), failing("not_found"));
  await journal.run(effect("kept"), failing("not_found"));
  assert.equal(times, 1);
  await journal.run(effect("again"), failing("busy"));
  await journal.run(effect("again"), failing("busy"));
  assert.equal(times, 3);
});

test("work that was interrupted runs again and finds what it had noted", async () => {
  await using s = await scene();
  await using crashed = await s.open();
  const noted = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const running = crashed.run(effect("a"), async ({ note }) => {
    await note({ step: 1 });
    noted.resolve();
    await goOn.promise;
    return ok({});
  });
  await noted.promise;
  // What a kill leaves: the file as it is now.
  const copy = await mkdtemp(join(tmpdir(), "atelier-effects-"));
  await copyFile(s.file, join(copy, "effects.log"));
  await using journal = await s.open(copy);
  assert.deepEqual(journal.openNotes(), [{ step: 1 }]);
  const answer = await journal.run(effect("a"), async (attempt) =>
    ok({ wasInterrupted: attempt.wasInterrupted, noted: attempt.noted }),
  );
  assert.deepEqual(answer, ok({ wasInterrupted: true, noted: { step: 1 }, replayed: false }));
  assert.deepEqual(journal.openNotes(), []);
  goOn.resolve();
  await running;
  await rm(copy, { recursive: true });
});

test("a file torn at any byte keeps every whole line before it", async () => {
  await using s = await scene();
  {
    await using journal = await s.open();
    await journal.run(effect("a"), async () => ok({ said: "ä" }));
    await journal.run(effect("b"), async () => ok({}));
  }
  const whole = await readFile(s.file);
  const endOfA = whole.indexOf("\n", whole.indexOf('"ended"')) + 1;
  const copy = await mkdtemp(join(tmpdir(), "atelier-effects-"));
  for (let bytes = 0; bytes <= whole.byteLength; bytes += 1) {
    const file = join(copy, "effects.log");
    await copyFile(s.file, file);
    await truncate(file, bytes);
    await using journal = await s.open(copy);
    const answer = await journal.run(effect("a"), async () => ok({ said: "again" }));
    assert.ok(answer.ok);
    assert.equal(answer.value.said, bytes >= endOfA ? "ä" : "again", `cut at ${bytes}`);
  }
  await rm(copy, { recursive: true });
});

test("old outcomes are forgotten at the next start, fences never", async () => {
  await using s = await scene();
  const { ran, work } = counted();
  {
    await using journal = await s.open();
    await journal.run(effect("a", 5), work);
  }
  await s.clock.advance(8 * 24 * 3_600_000);
  await using journal = await s.open();
  const stale = await journal.run(effect("a", 4), work);
  assert.ok(!stale.ok && stale.failure.code === "stale_fence");
  await journal.run(effect("a", 5), work);
  assert.equal(ran.times, 2);
});
