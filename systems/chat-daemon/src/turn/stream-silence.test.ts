/** Models that fall silent: before their first word soon, in the middle of an answer later, they are asked again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { runGeneration } from "./generation-task.ts";
import { SILENCE_BETWEEN_PARTS_MS } from "./model-stream-actions.ts";
import { says, turnWorld, type Reply } from "./turn-testkit.ts";

test("a stream that says nothing for a minute is given up and tried again", async () => {
  const clock = new FakeClock();
  const silent = (): Promise<never> => new Promise(() => {});
  await using world = await turnWorld({ clock, replies: [silent, says("now")] });
  const { id } = await world.create();
  const task = runGeneration(world.deps, await world.runOf(id));
  await until(async () => Promise.resolve(world.calls.length > 0 || null));
  await clock.advance(60_000);
  const retry = await until(async () => (await world.row(id)).retryState);
  assert.equal(retry.kind, "stream_silence_timeout");
  assert.ok(world.calls[0]?.abortSignal?.aborted, "the request is ended");
  await clock.advance(1_000);
  assert.equal(await task, "done");
});

test("a stream that falls silent in the middle is given up later, and tried again from its start", async () => {
  const clock = new FakeClock();
  const [began, goOn, spoke] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const stalls = async (): Promise<Reply> => {
    await Promise.resolve();
    const stream = async function* () {
      yield { type: "text-start" as const, id: "0" };
      began?.resolve();
      await goOn?.promise;
      yield { type: "text-delta" as const, id: "0", delta: "It was " };
      spoke?.resolve();
      await new Promise(() => {});
    };
    return stream() as unknown as Reply; // Streams are made of iterables.
  };
  await using world = await turnWorld({ clock, replies: [stalls, says("whole")] });
  const { id } = await world.create();
  const task = runGeneration(world.deps, await world.runOf(id));
  await began?.promise;
  // Once it has said something it may think for longer than before its first word.
  await clock.advance(SILENCE_BETWEEN_PARTS_MS - 1);
  assert.equal(world.calls[0]?.abortSignal?.aborted, false);
  goOn?.resolve();
  await spoke?.promise;
  await clock.advance(SILENCE_BETWEEN_PARTS_MS - 1);
  assert.equal(world.calls[0]?.abortSignal?.aborted, false);
  await clock.advance(1);
  const retry = await until(async () => (await world.row(id)).retryState);
  assert.equal(retry.kind, "stream_silence_timeout");
  assert.ok(world.calls[0]?.abortSignal?.aborted, "the request is ended");
  await clock.advance(1_000);
  assert.equal(await task, "done");
  const said = (await world.history(id)).at(-1)?.content;
  assert.deepEqual(said, [{ type: "text", text: "whole" }]);
});

async function until<Value>(ask: () => Promise<Value | null>): Promise<Value> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
