/** The buffer of parts: numbers without gaps, readers that share it, and what is forgotten when. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import {
  COLLECTED_AFTER_MS,
  EPISODE_BYTES_MAX,
  PartBuffer,
  READER_STALLS_MS_MAX,
  ReaderDropped,
  type BufferedPart,
} from "./part-buffer.ts";

const EPISODE = { chatId: "c", historyVersion: 3, generationAttempt: 1 };
const never = new AbortController().signal;

function text(letters: string) {
  return { type: "text" as const, text: letters };
}

function begun(): { clock: FakeClock; buffer: PartBuffer } {
  const clock = new FakeClock();
  const buffer = new PartBuffer(clock);
  buffer.createEpisode(EPISODE);
  return { clock, buffer };
}

async function all(parts: AsyncIterable<readonly BufferedPart[]>): Promise<string> {
  let joined = "";
  for await (const batch of parts) {
    for (const { part } of batch) joined += part.type === "text" ? part.text : "?";
  }
  return joined;
}

describe("episodes", () => {
  test("an episode is created once", () => {
    const { buffer } = begun();
    assert.deepEqual(buffer.createEpisode(EPISODE), { ok: false, failure: "exists" });
  });

  test("parts are numbered from 1", () => {
    const { buffer } = begun();
    assert.deepEqual(buffer.addPart(EPISODE, "assistant", text("a")), { ok: true, value: 1 });
    assert.deepEqual(buffer.addPart(EPISODE, "assistant", text("b")), { ok: true, value: 2 });
  });

  test("an unknown and a closed episode take no parts", () => {
    const { buffer } = begun();
    const other = { ...EPISODE, generationAttempt: 2 };
    assert.deepEqual(buffer.addPart(other, "assistant", text("a")), {
      ok: false,
      failure: "unknown",
    });
    buffer.closeEpisode(EPISODE);
    buffer.closeEpisode(EPISODE);
    assert.deepEqual(buffer.addPart(EPISODE, "assistant", text("a")), {
      ok: false,
      failure: "closed",
    });
  });

  test("one that is closed before it began cannot begin", () => {
    const buffer = new PartBuffer(new FakeClock());
    buffer.closeEpisode(EPISODE);
    assert.deepEqual(buffer.createEpisode(EPISODE), { ok: false, failure: "exists" });
  });

  test("a full episode refuses what does not fit, and takes what does", () => {
    const { buffer } = begun();
    const big = text("x".repeat(EPISODE_BYTES_MAX - 200));
    assert.equal(buffer.addPart(EPISODE, "assistant", big).ok, true);
    assert.deepEqual(buffer.addPart(EPISODE, "assistant", text("y".repeat(300))), {
      ok: false,
      failure: "full",
    });
    assert.deepEqual(buffer.addPart(EPISODE, "assistant", text("y")), { ok: true, value: 2 });
  });

  test("the spans of the model's call and of tools are kept", async () => {
    const { clock, buffer } = begun();
    await clock.advance(10);
    buffer.modelInvoked(EPISODE);
    buffer.toolStarted(EPISODE, "t1");
    await clock.advance(5);
    buffer.modelInvoked(EPISODE);
    buffer.toolCompleted(EPISODE, "t1");
    buffer.toolStarted(EPISODE, "t2");
    const { modelInvoked, tools } = buffer.read(EPISODE);
    assert.equal(modelInvoked?.ms, 10);
    assert.deepEqual(tools, [
      { toolCallId: "t1", startedMs: 10, completedMs: 15 },
      { toolCallId: "t2", startedMs: 15, completedMs: null },
    ]);
  });

  test("a closed episode is forgotten after its time, if nobody reads it", async () => {
    const { clock, buffer } = begun();
    buffer.addPart(EPISODE, "assistant", text("a"));
    const reading = buffer.follow(EPISODE, never);
    await reading.next();
    buffer.closeEpisode(EPISODE);
    await clock.advance(COLLECTED_AFTER_MS);
    buffer.createEpisode({ ...EPISODE, chatId: "d" });
    assert.equal(buffer.read(EPISODE).parts.length, 1, "somebody reads it");
    await reading.return(undefined);
    buffer.createEpisode({ ...EPISODE, chatId: "e" });
    assert.equal(buffer.read(EPISODE).parts.length, 0);
  });
});

describe("readers", () => {
  test("get what was written before and after they came, until the episode is closed", async () => {
    const { buffer } = begun();
    buffer.addPart(EPISODE, "assistant", text("a"));
    const reading = all(buffer.follow(EPISODE, never));
    await turn();
    buffer.addPart(EPISODE, "assistant", text("b"));
    await turn();
    buffer.addPart(EPISODE, "assistant", text("c"));
    buffer.closeEpisode(EPISODE);
    assert.equal(await reading, "abc");
  });

  test("of an unknown episode hear nothing until it begins", async () => {
    const buffer = new PartBuffer(new FakeClock());
    const reading = all(buffer.follow(EPISODE, never));
    await turn();
    assert.equal(buffer.createEpisode(EPISODE).ok, true);
    buffer.addPart(EPISODE, "assistant", text("a"));
    buffer.closeEpisode(EPISODE);
    assert.equal(await reading, "a");
  });

  test("get a part when it is kept, and none behind one that was not", async () => {
    const told: number[] = [];
    const buffer = new PartBuffer(new FakeClock(), (_id, { seq }) => told.push(seq));
    buffer.createEpisode(EPISODE);
    const stop = new AbortController();
    const reading = all(buffer.follow(EPISODE, stop.signal));
    for (const letter of "abcd") buffer.addPart(EPISODE, "assistant", text(letter));
    assert.deepEqual(told, [1, 2, 3, 4]);
    buffer.kept(EPISODE, { firstSeq: 1, lastSeq: 2 });
    buffer.kept(EPISODE, { firstSeq: 4, lastSeq: 4 });
    buffer.closeEpisode(EPISODE);
    await turn();
    stop.abort();
    assert.equal(await reading, "ab");
    assert.equal(buffer.read(EPISODE).parts.length, 4);
  });

  test("that leave before an episode begins leave nothing behind", async () => {
    const buffer = new PartBuffer(new FakeClock());
    const stop = new AbortController();
    const reading = all(buffer.follow(EPISODE, stop.signal));
    await turn();
    stop.abort();
    assert.equal(await reading, "");
    assert.deepEqual(buffer.size, { episodes: 0, bytes: 0 });
  });

  test("that leave parts lying for too long are dropped; others are not", async () => {
    const { clock, buffer } = begun();
    const slow = buffer.follow(EPISODE, never);
    const quick = all(buffer.follow(EPISODE, never));
    buffer.addPart(EPISODE, "assistant", text("a"));
    await slow.next();
    buffer.addPart(EPISODE, "assistant", text("b"));
    await clock.advance(READER_STALLS_MS_MAX + 1);
    buffer.addPart(EPISODE, "assistant", text("c"));
    await assert.rejects(() => slow.next(), ReaderDropped);
    buffer.closeEpisode(EPISODE);
    assert.equal(await quick, "abc");
  });
});

/** Lets those who wait run. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
