import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { bedrockChunk, bedrockException } from "@atelier/testkit/scripted-bedrock";
import type { UpstreamCall, UpstreamListener } from "../upstream/upstream-client.ts";
import { BedrockAnswer } from "./bedrock-answer-io.ts";
import { openBedrockUpstream } from "./bedrock-upstream-io.ts";

/** Notes what it is told; says of data whether it keeps up. */
function noting(isKeepingUp = true) {
  const told: string[] = [];
  const listener: UpstreamListener = {
    head: (status) => told.push(`head ${status}`),
    data: (chunk) => {
      told.push(Buffer.from(chunk).toString().trim().replaceAll("\n", " "));
      return isKeepingUp;
    },
    end: () => told.push("end"),
    failed: ({ kind, cause }) => told.push(`${kind} ${cause}`),
  };
  return { told, listener };
}

const STREAM_HEAD = ["Content-Type", "application/vnd.amazon.eventstream", "Content-Length", "9"];
const PING = bedrockChunk(`{"type":"ping"}`);
const PING_TEXT = `event: ping data: {"type":"ping"}`;

test("a listener that does not keep up holds the stream, once it was told something", () => {
  const { told, listener } = noting(false);
  const answer = new BedrockAnswer(listener, () => {});
  answer.head(200, STREAM_HEAD);
  assert.deepEqual(told, []);
  assert.equal(answer.data(PING.subarray(0, 5)), true);
  assert.equal(answer.data(PING.subarray(5)), false);
  answer.end();
  assert.deepEqual(told, ["head 200", PING_TEXT, "end"]);
});

test("after an exception the exchange is cancelled and nothing more is told", () => {
  const { told, listener } = noting();
  let cancels = 0;
  const answer = new BedrockAnswer(listener, () => (cancels += 1));
  answer.head(200, STREAM_HEAD);
  answer.data(Buffer.concat([PING, bedrockException("throttlingException", "no"), PING]));
  answer.data(PING);
  answer.end();
  answer.failed({ kind: "cut", cause: "x", detail: "" });
  const error = `${PING_TEXT}  event: error data: {"type":"error","error":{"type":"rate_limit_error","message":"no"}}`;
  assert.deepEqual([told, cancels], [["head 200", error, "end"], 1]);
});

test("a stream that ends inside a frame is cut, and one without frames is empty", () => {
  const cut = noting();
  const answer = new BedrockAnswer(cut.listener, () => {});
  answer.head(200, STREAM_HEAD);
  answer.data(PING);
  answer.data(PING.subarray(0, 20));
  answer.end();
  assert.deepEqual(cut.told, ["head 200", PING_TEXT, "cut EVENT_STREAM_MALFORMED"]);
  const empty = noting();
  const second = new BedrockAnswer(empty.listener, () => {});
  second.head(200, STREAM_HEAD);
  second.end();
  assert.deepEqual(empty.told, ["head 200", "end"]);
});

test("a refusal whose text breaks off is still that refusal, once", () => {
  const { told, listener } = noting();
  const answer = new BedrockAnswer(listener, () => {});
  answer.head(503, ["x-amzn-errortype", "ServiceUnavailableException"]);
  answer.data(Buffer.from(`{"mess`));
  answer.failed({ kind: "cut", cause: "x", detail: "" });
  assert.deepEqual(told, [
    "head 503",
    `{"type":"error","error":{"type":"overloaded_error","message":"Amazon Bedrock answered 503"}}`,
    "end",
  ]);
});

test("a call that is cancelled before it is signed never leaves", async () => {
  const sent: UpstreamCall[] = [];
  const client = {
    send: (call: UpstreamCall) => {
      sent.push(call);
      return { resume: () => {}, cancel: () => {} };
    },
    close: () => Promise.resolve(),
  };
  const provider = { id: "p", name: "bedrock", baseUrl: "https://bedrock.example" };
  const access = {
    region: "us-east-1",
    model: "m",
    smallFastModel: "s",
    accessKey: new Secret("AKIA"),
    accessKeySecret: new Secret("secret"),
    sessionToken: null,
    bearerToken: null,
    profile: null,
    roleArn: null,
    externalId: null,
    stsEndpoint: null,
  };
  const upstream = openBedrockUpstream(provider, access, {
    client,
    openClient: () => client,
    guard: (guarded) => guarded,
    clock: systemClock,
    log: silentLogger,
  });
  const body = Buffer.from("{}");
  const call = { method: "POST", path: "/v1/messages", headers: [], body };
  const { told, listener } = noting();
  upstream.client.send(call, listener).cancel();
  // Another one, sent later, has left: so the first would have.
  upstream.client.send({ ...call, path: "/v1/messages?second" }, listener);
  while (sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent.length, 1);
  assert.deepEqual(told, []);
});
