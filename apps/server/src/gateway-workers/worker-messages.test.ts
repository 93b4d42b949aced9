/** The ports of a gateway in another thread, over real message ports and against the main thread's own. */
import { Secret } from "@atelier/base/secret";
import type {
  GatewayProvider,
  InterceptionEnd,
  InterceptionRecorder,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { MessageProviderSource, toPlainSnapshot, type PlainSnapshot } from "./provider-messages.ts";
import {
  MessageRecorder,
  RecordReceiver,
  WAITING_MAX,
  type RecordBatch,
  type RecordedBatch,
} from "./recorder-messages.ts";
import { ThreadChannel } from "./thread-channel.ts";

type Asks = {
  record: { ask: RecordBatch; answer: RecordedBatch };
  providers: { ask: PlainSnapshot; answer: PlainSnapshot };
};

const startOf = (id: string): InterceptionStart => ({
  id,
  caller: { userId: "u", username: "ann", email: "ann@example.com", apiKeyId: "k" },
  provider: { type: "openai", name: "openai" },
  model: "m",
  client: "sdk",
  clientSessionId: null,
  userAgent: "test",
  correlatingToolCallId: null,
  credentialKind: "centralized",
  credentialHint: "sk...1",
  startedAt: new Date(1_000),
});

const endOf = (id: string): InterceptionEnd => ({
  id,
  startedAt: new Date(1_000),
  endedAt: new Date(2_000),
  credentialHint: "sk...1",
  error: null,
  tokens: [
    { responseId: "r", input: 1, output: 2, cacheReadInput: 0, cacheWriteInput: 0, extra: {} },
  ],
  prompts: [],
  toolCalls: [],
  thoughts: [],
  trail: { kind: "plain", reason: "first" },
});

/** A recorder in this thread behind a recorder that speaks to it by messages. */
function connected(start: (record: InterceptionStart) => Promise<void> = () => Promise.resolve()) {
  const { port1, port2 } = new MessageChannel();
  const log: string[] = [];
  const starts: InterceptionStart[] = [];
  const ends: InterceptionEnd[] = [];
  const recorder: InterceptionRecorder = {
    start: async (record) => {
      await start(record);
      starts.push(record);
    },
    end: (record) => ends.push(record),
    drain: () => Promise.resolve(),
  };
  const receiver = new RecordReceiver(recorder, new FakeClock());
  const batches: RecordBatch[] = [];
  const main = new ThreadChannel<Record<never, never>, Asks>(port1, {
    record: (batch) => {
      batches.push(batch);
      return receiver.take(batch);
    },
    providers: (plain) => plain,
  });
  const worker = new ThreadChannel<Asks, Record<never, never>>(port2, {});
  const remote = new MessageRecorder(
    (batch) => worker.ask("record", batch),
    (lost) => log.push(`${lost} lost`),
  );
  const close = (): void => {
    port1.close();
    port2.close();
  };
  return { remote, receiver, main, worker, starts, ends, batches, log, close };
}

test("records arrive as they are, those of one turn in one message", async (t) => {
  const { remote, starts, ends, batches, close } = connected();
  t.after(close);
  await Promise.all(["a", "b", "c"].map((id) => remote.start(startOf(id))));
  assert.deepEqual(starts, ["a", "b", "c"].map(startOf));
  assert.equal(batches.length, 1);
  remote.end(endOf("a"));
  remote.end(endOf("b"));
  await remote.drain(new AbortController().signal);
  assert.deepEqual(ends, ["a", "b"].map(endOf));
});

test("a start resolves only once it is durable, and only the one that fails is refused", async (t) => {
  const durable = Promise.withResolvers<void>();
  const { remote, starts, close } = connected(async ({ id }) => {
    if (id === "bad") throw new Error("the database is away");
    await durable.promise;
  });
  t.after(close);
  let isDone = false;
  const good = remote.start(startOf("good")).then(() => (isDone = true));
  const bad = assert.rejects(remote.start(startOf("bad")), /the database is away/);
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDone, false);
  durable.resolve();
  await Promise.all([good, bad]);
  assert.deepEqual(
    starts.map(({ id }) => id),
    ["good"],
  );
});

test("a worker that dies leaves no record open, whenever its starts become durable", async (t) => {
  const late = Promise.withResolvers<void>();
  const { remote, receiver, ends, close } = connected(({ id }) =>
    id === "late" ? late.promise : Promise.resolve(),
  );
  t.after(close);
  await Promise.all([remote.start(startOf("open")), remote.start(startOf("ended"))]);
  remote.end(endOf("ended"));
  await remote.drain(new AbortController().signal);
  const starting = remote.start(startOf("late"));
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
  receiver.workerIsGone();
  late.resolve();
  await starting;
  const seen = ends.map(({ id, error }) => [id, error?.type ?? null]);
  assert.deepEqual(seen, [
    ["ended", null],
    ["open", "server_error"],
    ["late", "server_error"],
  ]);
});

test("starts are refused while too many records wait, and taken again afterwards", async (t) => {
  const durable = Promise.withResolvers<void>();
  const { remote, close } = connected(() => durable.promise);
  t.after(close);
  const first = Array.from({ length: WAITING_MAX }, (_, i) => remote.start(startOf(`${i}`)));
  await assert.rejects(remote.start(startOf("more")), /too many records/);
  durable.resolve();
  await Promise.all(first);
  await remote.drain(new AbortController().signal);
  await remote.start(startOf("again"));
});

test("without the other thread, starts are refused, ends are reported lost and a drain ends", async (t) => {
  const { remote, worker, log, close } = connected(() => new Promise(() => {}));
  t.after(close);
  const starting = assert.rejects(remote.start(startOf("a")), /gone/);
  remote.end(endOf("b"));
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(remote.drain(AbortSignal.abort(new Error("late"))), /late/);
  worker.close("the main thread is gone");
  await starting;
  await remote.drain(new AbortController().signal);
  assert.deepEqual(log, ["1 lost"]);
});

test("a snapshot is the same on the other side, with its secrets in boxes", async (t) => {
  const { worker, close } = connected();
  t.after(close);
  const secret = (text: string): Secret => new Secret(text);
  const bedrock = {
    region: "eu-west-1",
    model: null,
    smallFastModel: null,
    accessKey: secret("AKIA"),
    accessKeySecret: secret("made-up"),
    sessionToken: null,
    bearerToken: null,
    profile: null,
    roleArn: null,
    externalId: null,
    stsEndpoint: null,
  };
  const common = {
    type: "openai",
    baseUrl: "http://x",
    enabled: true,
    apiVersion: null,
    keyConcurrencyMax: null,
  } as const;
  const openai: GatewayProvider = {
    ...common,
    id: "1",
    name: "openai",
    keys: [{ id: "k", secret: secret("sk-1"), hint: "sk...1" }],
    bedrock: null,
  };
  const aws: GatewayProvider = { ...common, id: "2", name: "aws", keys: [], bedrock };
  const snapshotOf = (version: number, ...providers: readonly GatewayProvider[]) => ({
    version,
    providers: new Map(providers.map((each) => [each.name, each])),
  });
  const source = new MessageProviderSource(toPlainSnapshot(snapshotOf(1)));
  const sent = toPlainSnapshot(snapshotOf(3, openai, aws));
  source.take(await worker.ask("providers", sent));
  // An older one that comes late changes nothing.
  source.take(toPlainSnapshot(snapshotOf(2)));
  assert.deepEqual(source.current(), snapshotOf(3, openai, aws));
  assert.equal(source.current().providers.get("openai")?.keys[0]?.secret.reveal(), "sk-1");
  assert.equal(
    source.current().providers.get("aws")?.bedrock?.accessKeySecret?.reveal(),
    "made-up",
  );
  assert.doesNotMatch(JSON.stringify([...source.current().providers]), /sk-1|made-up/);
});
