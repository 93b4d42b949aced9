/** Live parts from another server: told at once, whole without being told, and each once. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import type { PartLines } from "@atelier/contract/rpc/chat-part-lines";
import { FakeClock } from "@atelier/testkit/fake-clock";
import {
  PartBuffer,
  READER_STALLS_MS_MAX,
  type BufferedPart,
  type EpisodeId,
} from "../live-parts/part-buffer.ts";
import { partLineService } from "./part-line-service-actions.ts";
import { DialledLines } from "./part-lines-actions.ts";
import { MemoryLines } from "./part-lines-testkit.ts";
import { choiceText, groupText } from "./part-line.ts";
import { PartSources } from "./part-sources-actions.ts";

const THERE = randomUUID();

/** One server that writes an episode, another that watches it, and the database of both. */
function twoServers(lines: PartLines & Partial<MemoryLines>) {
  const clock = new FakeClock();
  const kept: BufferedPart[] = [];
  const writer = new PartBuffer(clock, (id, part) => {
    kept.push(part);
    writer.kept(id, { firstSeq: part.seq, lastSeq: part.seq });
  });
  lines.serve?.(THERE, partLineService(writer));
  let reads = 0;
  const dialled = new DialledLines({ lines, clock, log: silentLogger });
  const sources = new PartSources({
    ...{ clock, log: silentLogger, workerId: randomUUID(), lines: dialled },
    buffer: new PartBuffer(clock),
    readKept: async (_id, fromSeq) => {
      reads += 1;
      return kept.filter(({ seq }) => seq >= fromSeq);
    },
  });
  const say = (id: EpisodeId, text: string) =>
    writer.addPart(id, "assistant", { type: "text", text });
  const watch = (episode: EpisodeId, workerId = THERE) => {
    const screen = { text: "", groups: 0 };
    const reader = sources.follow({ workerId, episode }, () => {
      for (let group = reader?.take(); group; group = reader?.take()) {
        screen.groups += 1;
        for (const { part } of group.parts) screen.text += part.type === "text" ? part.text : "?";
      }
    });
    return Object.assign(screen, { [Symbol.dispose]: () => reader[Symbol.dispose]() });
  };
  return {
    ...{ clock, writer, dialled, say, watch, kept },
    reads: () => reads,
    [Symbol.asyncDispose]: () => dialled[Symbol.asyncDispose](),
  };
}

function newEpisode(generationAttempt = 1, chatId: string = randomUUID()): EpisodeId {
  return { chatId, historyVersion: 3, generationAttempt };
}

/** Until promises that wait for nothing have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what one server writes is on the other at once, and the database is not asked for it", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  world.say(episode, "a");
  world.say(episode, "b");
  using screen = world.watch(episode);
  await settled();
  assert.equal(screen.text, "ab");
  const before = world.reads();
  for (let second = 0; second < 60; second += 1) {
    world.say(episode, "c");
    await settled();
    assert.equal(screen.text, `ab${"c".repeat(second + 1)}`);
    await world.clock.advance(1_000);
  }
  assert.equal(world.reads(), before);
  assert.equal(lines.dials, 1);
});

test("an attempt that was asked for too early comes when it begins", async () => {
  await using world = twoServers(new MemoryLines());
  const episode = newEpisode();
  using screen = world.watch(episode);
  await settled();
  world.writer.createEpisode(episode);
  world.say(episode, "a");
  await settled();
  assert.equal(screen.text, "a");
});

test("the next attempt comes by the same line, which ends when nobody has used it for a while", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const chatId = randomUUID();
  for (const attempt of [1, 2, 3]) {
    const episode = newEpisode(attempt, chatId);
    world.kept.length = 0;
    world.writer.createEpisode(episode);
    using screen = world.watch(episode);
    await settled();
    world.say(episode, `attempt ${attempt}`);
    await settled();
    assert.equal(screen.text, `attempt ${attempt}`);
  }
  assert.equal(lines.dials, 1);
  await settled();
  await world.clock.advance(9_000);
  assert.equal(lines.openCount, 1);
  await world.clock.advance(2_000);
  assert.deepEqual([lines.openCount, world.dialled.count], [0, 0]);
});

test("when another server takes the chat, its parts come by a line of its own, and the old one ends", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const chatId = randomUUID();
  const [before, after] = [newEpisode(1, chatId), newEpisode(2, chatId)];
  world.writer.createEpisode(before);
  world.say(before, "of the first");
  using first = world.watch(before);
  await settled();
  assert.equal(first.text, "of the first");
  const heir = randomUUID();
  const writer = new PartBuffer(world.clock);
  lines.serve(heir, partLineService(writer));
  writer.createEpisode(after);
  writer.addPart(after, "assistant", { type: "text", text: "of the " });
  first[Symbol.dispose]();
  world.kept.length = 0;
  using second = world.watch(after, heir);
  await settled();
  writer.addPart(after, "assistant", { type: "text", text: "second" });
  await settled();
  assert.equal(second.text, "of the second");
  assert.deepEqual([lines.dials, lines.openCount], [2, 2]);
  await world.clock.advance(10_500);
  await settled();
  assert.deepEqual([lines.openCount, world.dialled.count], [1, 1]);
  writer.addPart(after, "assistant", { type: "text", text: "." });
  await settled();
  assert.equal(second.text, "of the second.");
});

test("two attempts of one chat that are watched at once are both complete", async () => {
  await using world = twoServers(new MemoryLines());
  const chatId = randomUUID();
  const [old, current] = [newEpisode(1, chatId), newEpisode(2, chatId)];
  world.writer.createEpisode(old);
  using oldScreen = world.watch(old);
  await settled();
  world.writer.createEpisode(current);
  using screen = world.watch(current);
  await settled();
  world.say(old, "late");
  await world.clock.advance(60);
  await settled();
  assert.deepEqual([oldScreen.text, screen.text.replaceAll("late", "")], ["late", ""]);
});

test("when a line breaks, the rest is read until it was dialled anew, and nothing comes twice", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  using screen = world.watch(episode);
  world.say(episode, "a");
  await settled();
  lines.cut();
  await settled();
  world.say(episode, "b");
  await settled();
  assert.equal(screen.text, "a");
  await world.clock.advance(60);
  await settled();
  assert.equal(screen.text, "ab");
  await world.clock.advance(500);
  await settled();
  assert.equal(lines.dials, 2);
  world.say(episode, "c");
  await settled();
  assert.equal(screen.text, "abc");
});

test("a line that has become silent is noticed by what the database holds", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  using screen = world.watch(episode);
  world.say(episode, "a");
  await settled();
  lines.isMute = true;
  let expected = "a";
  for (let part = 0; part < 60; part += 1) {
    world.say(episode, "b");
    expected += "b";
    await world.clock.advance(100);
    await settled();
    // Two seconds until it is noticed.
    if (part >= 20) assert.equal(screen.text, expected);
  }
  assert.ok(lines.dials >= 2, `${lines.dials} dials`);
  lines.isMute = false;
  lines.cut();
  for (let wait = 0; wait < 40; wait += 1) await world.clock.advance(1_000);
  world.say(episode, "c");
  await settled();
  assert.equal(screen.text, `${expected}c`);
});

test("a quiet attempt keeps its line, and is looked for seldom", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  world.say(episode, "a");
  using screen = world.watch(episode);
  await settled();
  const before = world.reads();
  for (let second = 0; second < 60; second += 1) await world.clock.advance(1_000);
  assert.equal(lines.dials, 1);
  assert.ok(world.reads() - before <= 61, `${world.reads() - before} reads in a minute`);
  assert.equal(screen.text, "a");
});

test("of a server that is not reached, everything is read", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  lines.leave(THERE);
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  using screen = world.watch(episode);
  await settled();
  let expected = "";
  for (let part = 0; part < 100; part += 1) {
    world.say(episode, "a");
    expected += "a";
    await world.clock.advance(60);
    await settled();
    assert.equal(screen.text, expected);
  }
  assert.ok(lines.dials <= 5, `${lines.dials} dials in 6 seconds`);
});

test("a dialler that throws is one that reaches nobody", async () => {
  await using world = twoServers({ dial: () => Promise.reject(new Error("the database is away")) });
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  using screen = world.watch(episode);
  await settled();
  world.say(episode, "a");
  await world.clock.advance(60);
  await settled();
  assert.equal(screen.text, "a");
});

test("who takes nothing is given one text, and nothing more once it has left parts lying", async () => {
  await using world = twoServers(new MemoryLines());
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  const passed: { readonly text: string; readonly done: () => void }[] = [];
  const over = new AbortController();
  const asked = partLineService(world.writer)(episode.chatId, {
    signal: over.signal,
    end: () => over.abort(),
    pass: (text, done) => passed.push({ text: typeof text === "string" ? text : text.text, done }),
  });
  asked(choiceText(episode));
  for (const text of ["a", "b", "c"]) world.say(episode, text);
  assert.equal(passed.length, 1);
  passed[0]?.done();
  assert.equal(passed.length, 2);
  assert.match(passed[1]?.text ?? "", /"text":"b".*"text":"c"/);
  world.say(episode, "d");
  await world.clock.advance(READER_STALLS_MS_MAX + 1);
  world.say(episode, "e");
  assert.ok(!over.signal.aborted);
  passed[1]?.done();
  assert.deepEqual([passed.length, over.signal.aborted], [2, true]);
});

test("a server that takes nothing misses nothing", async () => {
  const lines = new MemoryLines();
  await using world = twoServers(lines);
  const episode = newEpisode();
  world.writer.createEpisode(episode);
  using screen = world.watch(episode);
  await settled();
  lines.isClogged = true;
  world.say(episode, "a");
  world.say(episode, "b");
  await world.clock.advance(READER_STALLS_MS_MAX + 1);
  world.say(episode, "c");
  await world.clock.advance(2_100);
  await settled();
  assert.equal(screen.text, "abc");
  assert.ok(lines.dials >= 2);
});

test("parts in another order, doubled, of others or with some left out come once and in order", async () => {
  const episode = newEpisode();
  let tell: (parts: readonly number[], id?: EpisodeId) => void = () => {};
  const text = (seq: number, more = ""): BufferedPart => ({
    seq,
    role: "assistant",
    part: { type: "text", text: `${seq}${more} ` },
  });
  const over = new AbortController();
  await using world = twoServers({
    dial: async (_wanted, hear) => {
      tell = (seqs, id = episode) => {
        const parts = seqs.map((seq) => text(seq, id === episode ? "" : " of another"));
        hear(groupText({ parts, shared: null }, id).text);
      };
      return { signal: over.signal, pass: (_text, done) => done(), end: () => over.abort() };
    },
  });
  using screen = world.watch(episode);
  await settled();
  tell([1, 2]);
  tell([1]);
  tell([3], newEpisode(2, episode.chatId));
  tell([3], newEpisode());
  tell([2, 3]);
  assert.equal(screen.text, "1 2 3 ");
  world.kept.push(...[1, 2, 3, 4, 5, 6].map((seq) => text(seq)));
  tell([6]);
  assert.equal(screen.text, "1 2 3 ");
  await settled();
  await settled();
  assert.equal(screen.text, "1 2 3 4 5 6 ");
  tell([5, 4]);
  tell([7]);
  assert.equal(screen.text, "1 2 3 4 5 6 7 ");
});

test("whoever speaks another language is not listened to", async () => {
  for (const text of ["", "null", "[]", '[{"type":"message_part"}]', '{"history_version":1}']) {
    const over = new AbortController();
    let hear: (said: string) => void = () => {};
    await using world = twoServers({
      dial: async (_wanted, heard) => {
        hear = heard;
        return { signal: over.signal, pass: (_text, done) => done(), end: () => over.abort() };
      },
    });
    using _screen = world.watch(newEpisode());
    await settled();
    hear(text);
    assert.ok(over.signal.aborted, text);
    const asked = new AbortController();
    const line = { signal: asked.signal, pass: () => assert.fail(), end: () => asked.abort() };
    partLineService(world.writer)(randomUUID(), line)(text);
    assert.ok(asked.signal.aborted, text);
  }
});
