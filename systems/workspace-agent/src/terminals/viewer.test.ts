/** One viewer of a terminal: what it gets, when it is slow, and how it leaves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BEHIND_BYTES_MAX, Viewer } from "./viewer.ts";

/** A host whose screen is all that was written, and a viewer of it. */
function scene() {
  let screen = "";
  const gone: Viewer[] = [];
  const typed: string[] = [];
  const viewer = new Viewer({
    snapshot: () => Buffer.from(`[${screen}]`),
    type: async (bytes) => {
      typed.push(Buffer.from(bytes).toString());
    },
    onGone: (each) => gone.push(each),
  });
  const channel = viewer.channel();
  const chunks = channel.incoming[Symbol.asyncIterator]();
  const next = async (): Promise<string | null> => {
    const { done, value } = await chunks.next();
    return done === true ? null : Buffer.from(value).toString();
  };
  const write = (text: string): void => {
    screen += text;
    viewer.offer(Buffer.from(text));
  };
  return { viewer, channel, next, write, gone, typed };
}

test("what was written before the first read is in the snapshot, and nowhere else", async () => {
  const { next, write } = scene();
  write("a");
  assert.equal(await next(), "[a]");
  write("b");
  write("c");
  assert.equal(await next(), "bc");
  const waiting = next();
  write("d");
  assert.equal(await waiting, "d");
});

test("what a slow viewer missed is replaced by the screen, once", async () => {
  const { next, write } = scene();
  assert.equal(await next(), "[]");
  const long = "x".repeat(BEHIND_BYTES_MAX);
  write(long);
  assert.equal(await next(), long);
  write("y");
  write(long);
  write("z");
  assert.equal(await next(), `[${long}y${long}z]`);
  write("!");
  assert.equal(await next(), "!");
});

test("at its end, a viewer gets what is left", async () => {
  const { viewer, next, write, gone } = scene();
  assert.equal(await next(), "[]");
  write("last");
  viewer.end();
  write("too late");
  assert.deepEqual(gone, [viewer]);
  assert.deepEqual([await next(), await next()], ["last", null]);
});

test("one that comes to the end gets the screen", async () => {
  const { viewer, next, write } = scene();
  write("all");
  viewer.end();
  assert.deepEqual([await next(), await next()], ["[all]", null]);
});

test("a destroyed channel throws at its reader, and takes no input", async () => {
  const { viewer, channel, next, gone, typed } = scene();
  assert.equal(await next(), "[]");
  await channel.write(Buffer.from("in"));
  const waiting = next();
  channel.destroy();
  await assert.rejects(waiting, /destroyed/);
  await assert.rejects(channel.write(Buffer.from("x")), /no longer viewed/);
  assert.deepEqual([gone, typed], [[viewer], ["in"]]);
});

test("a reader that stops is gone", async () => {
  const { viewer, channel, gone } = scene();
  for await (const bytes of channel.incoming) {
    assert.equal(Buffer.from(bytes).toString(), "[]");
    break;
  }
  assert.deepEqual(gone, [viewer]);
});
