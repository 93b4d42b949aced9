/** Messages on their way, with a server that the test plays. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import type { ChatMessage } from "@atelier/contract/http/chats";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatOutbox, type Delivered } from "./chat-outbox.ts";
import { PLAIN_SEND, type SendInput } from "./send-input.ts";

const AWAY: ApiProblem = {
  ...{ status: null, code: "client.unreachable", message: "Away.", detail: null },
  ...{ validations: [], requestId: null, retryAfterSeconds: null },
};
const settled = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
};
const message = (id: number): ChatMessage => ({
  ...{ id, chat_id: "c", created_at: "2026-01-01T00:00:00.000Z", role: "user", content: [] },
});

function scene(answers: readonly Result<Delivered, ApiProblem>[], text: string | null = null) {
  const clock = new FakeClock();
  const asked: { readonly input: SendInput; readonly key: string }[] = [];
  const kept = { text };
  let drawn = 0;
  const outbox = new ChatOutbox({
    clock,
    random: { uuid: () => `key-${(drawn += 1)}`, alphanumeric: () => "" },
    deliver: async (input, key) => {
      asked.push({ input, key });
      return Promise.resolve(answers[asked.length - 1] ?? fail(AWAY));
    },
    store: { read: () => kept.text, write: (next) => (kept.text = next) },
  });
  return {
    ...{ outbox, clock, asked, kept },
    kinds: () => outbox.outgoing.map(({ state }) => state.kind),
  };
}

test("a message is shown at once, and until the stream tells of it", async () => {
  const { outbox, kinds, kept } = scene([ok({ messageId: 7, queuedId: null })]);
  outbox.send({ ...PLAIN_SEND, text: "Hello" });
  assert.deepEqual(kinds(), ["sending"]);
  assert.match(kept.text ?? "", /Hello/);
  await settled();
  assert.deepEqual(kinds(), ["arrived"]);
  assert.equal(kept.text, null);
  outbox.look({ messages: [message(6)], queue: [] });
  assert.deepEqual(kinds(), ["arrived"]);
  outbox.look({ messages: [message(6), message(7)], queue: [] });
  assert.deepEqual(kinds(), []);
});

test("the stream may be quicker than the answer", async () => {
  const answers = [ok({ messageId: 8, queuedId: null }), ok({ messageId: null, queuedId: 2 })];
  const { outbox, kinds } = scene(answers);
  const says = (id: number, text: string): ChatMessage => ({
    ...message(id),
    content: [{ type: "text", text }],
  });
  const places = () =>
    outbox.outgoing.map(({ state }) => (state.kind === "sending" ? state.toldAs : state.kind));
  const earlier = [says(6, "go")];
  const later = [...earlier, says(7, "otherwise"), says(8, "go")];
  outbox.look({ messages: earlier, queue: [says(1, "go")] });
  outbox.send({ ...PLAIN_SEND, text: "go" });
  outbox.send({ ...PLAIN_SEND, text: " go\n" });
  outbox.look({ messages: earlier, queue: [says(1, "go")] });
  assert.deepEqual(places(), [null, null], "these were there before");
  outbox.look({ messages: later, queue: [] });
  assert.deepEqual(places(), ["message 8", null], "one message is one of them");
  outbox.look({ messages: later, queue: [says(2, "go")] });
  assert.deepEqual(places(), ["message 8", "queued 2"]);
  assert.deepEqual(kinds(), ["sending", "sending"], "the server may still refuse");
  await settled();
  outbox.look({ messages: later, queue: [says(2, "go")] });
  assert.deepEqual(kinds(), []);
});

test("one that fails stays, and is sent again with the same key", async () => {
  const { outbox, kinds, asked } = scene([fail(AWAY), ok({ messageId: 7, queuedId: null })]);
  outbox.send({ ...PLAIN_SEND, text: "Hello" });
  await settled();
  assert.deepEqual(kinds(), ["failed"]);
  outbox.retry("key-1");
  await settled();
  assert.deepEqual(kinds(), ["arrived"]);
  assert.deepEqual(
    asked.map(({ key }) => key),
    ["key-1", "key-1"],
  );
});

test("what was on its way when the page went is there again, and nobody knows what became of it", async () => {
  const before = scene([]);
  before.outbox.send({ ...PLAIN_SEND, text: "Hello" });
  const after = scene([ok({ messageId: 7, queuedId: null })], before.kept.text);
  assert.deepEqual(after.kinds(), ["failed"]);
  after.outbox.retry("key-1");
  await settled();
  assert.deepEqual(after.asked[0], { input: { ...PLAIN_SEND, text: "Hello" }, key: "key-1" });
  assert.deepEqual(scene([], "no JSON").kinds(), []);
});

test("a queued one goes when it is seen, or may have become a message meanwhile", async () => {
  const { outbox, clock, kinds } = scene([
    ok({ messageId: null, queuedId: 3 }),
    ok({ messageId: null, queuedId: 4 }),
  ]);
  outbox.send({ ...PLAIN_SEND, text: "a" });
  outbox.send({ ...PLAIN_SEND, text: "b" });
  await settled();
  const queued = { ...message(3), content: [] };
  outbox.look({ messages: [], queue: [queued] });
  assert.equal(kinds().length, 1);
  await clock.advance(3_000);
  assert.deepEqual(kinds(), []);
});
