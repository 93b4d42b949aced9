import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { TIMEOUTS, TOKEN, provider, startTestGateway } from "./gateway-testkit.ts";
import {
  CHAT,
  MESSAGES,
  RESPONSES,
  CHAT_BODY,
  MESSAGES_BODY,
  MESSAGE_START,
  MESSAGE_REST,
} from "./gateway-traffic-testkit.ts";

for (const { name, path, body, sent, wantEnding } of [
  { name: "messages", path: MESSAGES, body: MESSAGES_BODY, sent: MESSAGE_START, wantEnding: /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error",/ },
  { name: "messages in mid-event", path: MESSAGES, body: MESSAGES_BODY, sent: `${MESSAGE_START}event: content_block_del`, wantEnding: /\nevent: error\ndata: \{"type":"error".*\}\n\n$/ },
  { name: "chat completions", path: CHAT, body: CHAT_BODY, sent: `data: {"id":"c1","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n`, wantEnding: /\n\ndata: \{.*"error":\{.*\}\}\n\ndata: \[DONE\]\n\n$/ },
  { name: "responses", path: RESPONSES, body: `{"model":"m","input":"hi","stream":true}`, sent: `event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"},"sequence_number":4}\n\n`, wantEnding: /\n\nevent: response\.failed\ndata: \{.*"sequence_number":5.*\}\n\n$/ },
] as const) {
  for (const how of ["reset", "clean"] as const) {
    test(`a ${name} stream that ends early (${how}) ends with its format's error event and a failed record`, async () => {
      await using gateway = await startTestGateway({
        upstream: (_req, res) => {
          res.writeHead(200, { "content-type": "text/event-stream" });
          res.write(sent, () => (how === "reset" ? res.destroy() : res.end()));
        },
      });
      const got = await gateway.send(path, { body });
      assert.equal(got.status, 200);
      assert.ok(got.isComplete);
      assert.equal(got.body.toString().slice(0, sent.length), sent);
      assert.match(got.body.toString(), wantEnding);
      const [end] = await gateway.ended(1);
      assert.equal(end!.error?.type, "server_error");
      if (name === "messages") {
        assert.deepEqual(end!.tokens.map(({ input, output }) => [input, output]), [[7, 1]]);
      }
    });
  }
} // prettier-ignore

test("a body that breaks off takes the client's connection with it", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      res.write(`{"id":`, () => res.destroy());
    },
  });
  const got = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.equal(got.isComplete, false);
  const [end] = await gateway.ended(1);
  assert.match(end!.error!.message, /^the answer broke off/);
});

for (const isStream of [true, false]) {
  test(`a client that leaves aborts the provider within 100 ms (${isStream ? "stream" : "blocking"})`, async () => {
    let reached = Promise.withResolvers<void>();
    let closed = Promise.withResolvers<number>();
    await using gateway = await startTestGateway({
      upstream: (_req, res) => {
        res.on("close", () => closed.resolve(performance.now()));
        if (!isStream) return reached.resolve();
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write(MESSAGE_START, () => reached.resolve());
      },
    });
    const tookMs: number[] = [];
    for (let time = 1; time <= 5; time += 1) {
      reached = Promise.withResolvers();
      closed = Promise.withResolvers();
      const req = httpRequest(`${gateway.url}${MESSAGES}`, {
        method: "POST",
        headers: { "x-api-key": TOKEN },
      });
      req.on("error", () => {});
      req.end(isStream ? MESSAGES_BODY : MESSAGES_BODY.replace("true", "false"));
      if (isStream) await once((await once(req, "response"))[0] as IncomingMessage, "data");
      await reached.promise;
      const leftAt = performance.now();
      req.destroy();
      tookMs.push((await closed.promise) - leftAt);
      const end = (await gateway.ended(time)).at(-1);
      assert.equal(end!.error?.type, "unknown");
      // What was used until then is not lost.
      assert.equal(end!.tokens.length, isStream ? 1 : 0);
    }
    // The quickest: a busy machine makes one of them late, and a limit of ours each of them.
    assert.ok(Math.min(...tookMs) < 100, `${tookMs.join(", ")} ms`);
  });
}

test("a client that hangs up after the last event has completed", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(MESSAGE_START + MESSAGE_REST); // And never ends.
    },
  });
  const req = httpRequest(`${gateway.url}${MESSAGES}`, {
    method: "POST",
    headers: { "x-api-key": TOKEN },
  });
  req.on("error", () => {});
  req.end(MESSAGES_BODY);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  res.on("error", () => {});
  let text = "";
  for await (const chunk of res) {
    text += String(chunk);
    if (text.includes('message_stop"}\n\n')) break;
  }
  req.destroy();
  const [end] = await gateway.ended(1);
  assert.equal(end!.error, null);
});

for (const [how, body, limit] of [
  ["a stream", MESSAGES_BODY, "streamHeaderMs"],
  ["a blocking answer", MESSAGES_BODY.replace("true", "false"), "headerMs"],
] as const) {
  test(`a provider that never begins ${how} is given up with 504, by that kind's own limit`, async () => {
    await using gateway = await startTestGateway({
      upstream: () => {},
      config: { upstreamTimeouts: { ...TIMEOUTS, [limit]: 1_000 } },
    });
    const got = await gateway.send(MESSAGES, { body });
    assert.equal(got.status, 504);
    assert.equal(JSON.parse(got.body.toString()).type, "error");
    const [end] = await gateway.ended(1);
    assert.equal(end!.error?.type, "timeout");
  });
}

test("a stream that falls silent ends with an error event, however long it may take to begin", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(MESSAGE_START);
    },
    config: { upstreamTimeouts: { ...TIMEOUTS, idleMs: 1_000 } },
  });
  const got = await gateway.send(MESSAGES, { body: MESSAGES_BODY });
  assert.match(got.body.toString(), /message_start[^]*event: error\n/);
  const [end] = await gateway.ended(1);
  assert.equal(end!.error?.type, "timeout");
});

test("a provider that cannot be reached answers 502", async () => {
  await using gateway = await startTestGateway({
    upstream: () => {},
    providers: () => [provider("openai", "openai", "http://127.0.0.1:1/v1")],
  });
  const got = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.equal(got.status, 502);
  assert.doesNotMatch(got.body.toString(), /127\.0\.0\.1|ECONN/);
  const [end] = await gateway.ended(1);
  assert.deepEqual(end!.error, {
    type: "server_error",
    message: "the model provider could not be reached (ECONNREFUSED)",
  });
});

test("a provider's error goes to the client as it is, and is recorded by kind", async () => {
  const error = `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}`;
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(529, { "content-type": "application/json", "retry-after": "7" });
      res.end(error);
    },
  });
  const got = await gateway.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual(
    [got.status, got.headers["retry-after"], got.body.toString()],
    [529, "7", error],
  );
  const [end] = await gateway.ended(1);
  assert.deepEqual(end!.error, { type: "overloaded", message: "Overloaded" });
  assert.deepEqual([end!.tokens, end!.prompts], [[], []]);
});

test("a provider that answers HTML is relayed and recorded as failed", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/html" });
      res.end("<html>");
    },
  });
  const got = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.deepEqual([got.status, got.body.toString()], [200, "<html>"]);
  const [end] = await gateway.ended(1);
  assert.deepEqual(end!.error, {
    type: "server_error",
    message: "the model provider answered text/html",
  });
});

test("half a UTF-8 character is relayed as it is", async () => {
  const half = Buffer.concat([Buffer.from(MESSAGE_START), Buffer.from("data: é").subarray(0, -1)]);
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(half);
    },
  });
  const got = await gateway.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual(got.body.subarray(0, half.length), half);
  assert.match(got.body.subarray(half.length).toString(), /event: error/);
});

test("a stopping gateway lets streams end, then ends them in their own words", async () => {
  const reached = Promise.withResolvers<void>();
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(MESSAGE_START, () => reached.resolve());
    },
  });
  const streaming = gateway.send(MESSAGES, { body: MESSAGES_BODY });
  await reached.promise;
  const patience = new AbortController();
  const drained = gateway.gateway.drain(patience.signal);
  assert.equal((await gateway.send(CHAT, { body: CHAT_BODY })).status, 503);
  patience.abort();
  await drained;
  const got = await streaming;
  assert.match(got.body.toString(), /event: error\ndata: .*shutting down/);
  const [end] = await gateway.ended(1);
  assert.equal(end!.error?.type, "unknown");
});

test("a slow client holds the provider back instead of filling memory", async () => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": String(total) });
      const chunk = Buffer.alloc(64 * 1024, 0x20);
      const push = (): void => {
        while (sent < total) {
          sent += chunk.length;
          if (!res.write(chunk)) {
            res.once("drain", push);
            return;
          }
        }
        res.end();
      };
      push();
    },
  });
  const req = httpRequest(`${gateway.url}${CHAT}`, {
    method: "POST",
    headers: { "x-api-key": TOKEN },
  });
  req.end(CHAT_BODY);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  res.pause();
  // Until the pipes are full and nothing moves any more.
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.ok(sent < total / 2, `${sent} bytes were taken from the provider`);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of res) {
    bytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  assert.equal(bytes, total);
});
