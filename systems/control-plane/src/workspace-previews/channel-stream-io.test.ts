/** Bytes pass in both directions, no faster than they are read, and ends and breaks are passed on. */
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { channelStream } from "./channel-stream-io.ts";

function channelOf(source: () => AsyncGenerator<Uint8Array>) {
  const written: string[] = [];
  const state = { ended: 0, destroyed: 0 };
  const channel: ByteChannel = {
    incoming: source(),
    write: async (bytes) => {
      written.push(Buffer.from(bytes).toString());
    },
    end: async () => {
      state.ended += 1;
    },
    destroy: () => {
      state.destroyed += 1;
    },
  };
  return { channel, written, state };
}

test("what comes is read to its end, and what is written arrives before the end", async () => {
  const { channel, written, state } = channelOf(async function* () {
    yield Buffer.from("a");
    yield Buffer.from("b");
  });
  const stream = channelStream(channel);
  stream.write("x");
  stream.end("y");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  assert.equal(text, "ab");
  assert.deepEqual(written, ["x", "y"]);
  assert.equal(state.ended, 1);
});

test("a reader that is slow is not overrun", async () => {
  let made = 0;
  const { channel } = channelOf(async function* () {
    for (;;) {
      made += 1;
      yield Buffer.alloc(64 * 1024);
    }
  });
  const stream = channelStream(channel);
  await once(stream, "readable");
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(made <= 3, `${made} chunks of 64 KiB were fetched ahead`);
  stream.destroy();
});

test("a channel that breaks breaks the stream, and a stream that is destroyed the channel", async () => {
  const broken = channelOf(async function* () {
    yield Buffer.from("a");
    throw new Error("the link broke");
  });
  const stream = channelStream(broken.channel);
  stream.resume();
  const [error] = (await once(stream, "error")) as [Error];
  assert.equal(error.message, "the link broke");
  assert.equal(broken.state.destroyed, 1);
});
