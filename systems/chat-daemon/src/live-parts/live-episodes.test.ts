/** What the writer of an attempt is told of those who read it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { silentLogger } from "@atelier/base/logger";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { BufferedEpisodes, type EpisodeWriter } from "./live-episodes-actions.ts";
import { PartBuffer } from "./part-buffer.ts";

const ID = { chatId: "c", historyVersion: 3, generationAttempt: 1 };

type World = {
  readonly clock: FakeClock;
  readonly buffer: PartBuffer;
  readonly episode: EpisodeWriter;
  /** Whether the beginning counts as shown now. */
  readonly isOver: () => Promise<boolean>;
};

function begun(): World {
  const clock = new FakeClock();
  const buffer = new PartBuffer(clock, () => {});
  const journal = { read: () => Promise.resolve([]) };
  const episodes = new BufferedEpisodes({ buffer, journal, clock, log: silentLogger });
  const episode = episodes.createEpisode(ID);
  episode.addPart("assistant", { type: "text", text: "The" });
  let isOver = false;
  episode.beginningShown().then(() => {
    isOver = true;
  }, assert.fail);
  return {
    ...{ clock, buffer, episode },
    isOver: async () => {
      await setImmediate();
      return isOver;
    },
  };
}

test("a beginning is shown when it is kept, and at once where it was", async () => {
  const { buffer, episode, isOver } = begun();
  assert.equal(await isOver(), false);
  buffer.kept(ID, { firstSeq: 1, lastSeq: 1 });
  assert.equal(await isOver(), true);
  await episode.beginningShown();
});

test("one that is not kept for long is waited for no more, and nobody stays behind", async () => {
  const { clock, buffer, episode, isOver } = begun();
  await clock.advance(49);
  assert.equal(await isOver(), false);
  await clock.advance(1);
  assert.equal(await isOver(), true);
  episode.close();
  await clock.advance(60_000);
  buffer.createEpisode({ ...ID, generationAttempt: 2 });
  assert.equal(buffer.size.episodes, 1);
});
