/** The buffer of parts: numbers without gaps, readers that share it, and what is forgotten when. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import {
  COLLECTED_AFTER_MS,
  EPISODE_BYTES_MAX,
  PartBuffer,
  READER_STALLS_MS_MAX,
  type PartReader,
} from "./part-buffer.ts";

const EPISODE = { chatId: "c", historyVersion: 3, generationAttempt: 1 };

function text(letters: string) {
  return { type: "text" as const, text: letters };
}

function begun(): { clock: FakeClock; buffer: PartBuffer } {
  const clock = new FakeClock();
  const buffer = new PartBuffer(clock);
  buffer.createEpisode(EPISODE);
  return { clock, buffer };
}

/** What it can take now, as one text. */
function taken(reader: PartReader): string {
  const parts = reader.take()?.parts ?? [];
  return parts.map(({ part }) => (part.type === "text" ? part.text : "?")).join("");
}

/** A reader, and how often it has heard of something. */
function follow(
  buffer: PartBuffer,
  id = EPISODE,
): { readonly reader: PartReader; readonly heard: () => number } {
  let heard = 0;
  const reader = buffer.follow(id, () => {
    heard += 1;
  });
  return { reader, heard: () => heard };
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
    const { reader } = follow(buffer);
    assert.equal(taken(reader), "a");
    buffer.closeEpisode(EPISODE);
    await clock.advance(COLLECTED_AFTER_MS);
    buffer.createEpisode({ ...EPISODE, chatId: "d" });
    assert.equal(buffer.read(EPISODE).parts.length, 1, "somebody reads it");
    reader[Symbol.dispose]();
    buffer.createEpisode({ ...EPISODE, chatId: "e" });
    assert.equal(buffer.read(EPISODE).parts.length, 0);
  });

  test("episodes that are open, or read, keep no others from being forgotten", async () => {
    const { clock, buffer } = begun();
    const ids = ["d", "e"].map((chatId) => ({ ...EPISODE, chatId }));
    for (const id of ids) buffer.createEpisode(id);
    const { reader } = follow(buffer, ids[0]);
    for (const id of ids) buffer.closeEpisode(id);
    await clock.advance(COLLECTED_AFTER_MS);
    buffer.createEpisode({ ...EPISODE, chatId: "f" });
    assert.equal(buffer.size.episodes, 3, "the open one, the one that is read, and the new one");
    reader[Symbol.dispose]();
    buffer.createEpisode({ ...EPISODE, chatId: "g" });
    assert.equal(buffer.size.episodes, 3);
  });
});

describe("readers", () => {
  test("get what was written before and after they came, and hear of it once", () => {
    const { buffer } = begun();
    buffer.addPart(EPISODE, "assistant", text("a"));
    const { reader, heard } = follow(buffer);
    assert.equal(heard(), 1);
    assert.equal(taken(reader), "a");
    assert.equal(taken(reader), "");
    buffer.addPart(EPISODE, "assistant", text("b"));
    buffer.addPart(EPISODE, "assistant", text("c"));
    assert.equal(heard(), 2);
    buffer.closeEpisode(EPISODE);
    assert.equal(taken(reader), "bc");
  });

  test("at one place get the same group; one that came later gets its own", () => {
    const { buffer } = begun();
    const [one, other] = [follow(buffer), follow(buffer)];
    buffer.addPart(EPISODE, "assistant", text("a"));
    const group = one.reader.take();
    assert.equal(group?.parts.length, 1);
    assert.equal(other.reader.take(), group);
    buffer.addPart(EPISODE, "assistant", text("b"));
    const late = follow(buffer);
    assert.equal(taken(late.reader), "ab");
    assert.equal(taken(one.reader), "b");
    assert.equal(taken(other.reader), "b");
  });

  test("of an unknown episode hear nothing until it begins", () => {
    const buffer = new PartBuffer(new FakeClock());
    const { reader, heard } = follow(buffer);
    assert.equal(reader.take(), null);
    assert.equal(buffer.createEpisode(EPISODE).ok, true);
    assert.equal(heard(), 0);
    buffer.addPart(EPISODE, "assistant", text("a"));
    assert.equal(heard(), 1);
    assert.equal(taken(reader), "a");
  });

  test("get a part when it is kept, and none behind one that was not", () => {
    const told: number[] = [];
    const buffer = new PartBuffer(new FakeClock(), (_id, { seq }) => told.push(seq));
    buffer.createEpisode(EPISODE);
    const { reader } = follow(buffer);
    for (const letter of "abcd") buffer.addPart(EPISODE, "assistant", text(letter));
    assert.deepEqual(told, [1, 2, 3, 4]);
    assert.equal(reader.take(), null);
    buffer.kept(EPISODE, { firstSeq: 1, lastSeq: 2 });
    buffer.kept(EPISODE, { firstSeq: 4, lastSeq: 4 });
    buffer.closeEpisode(EPISODE);
    assert.equal(taken(reader), "ab");
    assert.equal(reader.take(), null);
    assert.equal(buffer.read(EPISODE).parts.length, 4);
  });

  test("that leave hear nothing more; before an episode begins they leave nothing behind", () => {
    const buffer = new PartBuffer(new FakeClock());
    const { reader, heard } = follow(buffer);
    reader[Symbol.dispose]();
    assert.deepEqual(buffer.size, { episodes: 0, bytes: 0 });
    buffer.createEpisode(EPISODE);
    buffer.addPart(EPISODE, "assistant", text("a"));
    assert.equal(heard(), 0);
  });

  test("that leave parts lying for too long are dropped; others are not", async () => {
    const { clock, buffer } = begun();
    const { reader: slow } = follow(buffer);
    const { reader: quick } = follow(buffer);
    buffer.addPart(EPISODE, "assistant", text("a"));
    assert.equal(taken(quick), "a");
    await clock.advance(READER_STALLS_MS_MAX + 1);
    buffer.addPart(EPISODE, "assistant", text("b"));
    assert.equal(slow.isDropped, true);
    assert.equal(slow.take(), null);
    assert.equal(taken(quick), "b");
    assert.equal(quick.isDropped, false);
  });
});
