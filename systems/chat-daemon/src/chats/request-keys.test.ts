/** Answers of repeated requests are kept for a day, and no longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { chatWorld } from "../state/chat-world-testkit.ts";
import { findAnswer, insertAnswer } from "./request-key-store.ts";
import { inputHash } from "./request-key.ts";
import { forgetAnswers } from "./request-keys-task.ts";

test("an answer is forgotten after a day", async () => {
  await using world = await chatWorld();
  const { database, ownerId } = world;
  const clock = new FakeClock();
  const key = { ownerId, operation: "send_message", key: "k" } as const;
  const kept = { inputHash: inputHash({ a: 1, b: [2] }), answer: {}, at: clock.now() };
  await insertAnswer(database.sql, key, kept);
  const stop = new AbortController();
  const forgetting = forgetAnswers({ database, clock, log: silentLogger }, stop.signal);
  await clock.advance(23 * 3_600_000);
  assert.notEqual(await findAnswer(database.sql, key), undefined);
  for (let round = 0; (await findAnswer(database.sql, key)) !== undefined; round += 1) {
    assert.ok(round < 1_000, "it goes");
    await clock.advance(3_600_000);
  }
  stop.abort(new Error("stopped"));
  await assert.rejects(forgetting, /stopped/);
});

test("the hash of an input does not depend on the order of its fields", () => {
  assert.deepEqual(
    inputHash({ a: 1, b: { c: 2, d: null } }),
    inputHash({ b: { d: null, c: 2 }, a: 1 }),
  );
  assert.notDeepEqual(inputHash({ a: 1 }), inputHash({ a: "1" }));
  assert.notDeepEqual(inputHash([1, 2]), inputHash([2, 1]));
});
