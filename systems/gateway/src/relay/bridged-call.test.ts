import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  CALLER,
  TOKEN,
  answerJson,
  onBody,
  provider,
  rethrow,
  startTestGateway,
} from "./gateway-testkit.ts";
import {
  CHAT,
  MESSAGES,
  CHAT_BODY,
  MESSAGES_BODY,
  CHAT_ANSWER,
  MESSAGE_START,
  MESSAGE_REST,
} from "./gateway-traffic-testkit.ts";

test("the client's bytes go up and the provider's bytes come down, untouched", async () => {
  // Odd spacing, escapes, duplicate and integer-like keys: what re-serialising would change.
  const body = `{ "2":1,"1":2, "model" : "gpt-\\u0078","n":1.0,"big":12345678901234567890,\n"messages":[{"role":"user","content":"h\\u00e9 \\ud800"}],"a":1,"a":2 }`;
  const answer = `{"id":"x",  "usage":{"prompt_tokens":1,"completion_tokens":1}, "7":1,"choices":[]}\n`;
  let seen: { req: IncomingMessage; body: Buffer } | undefined;
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      onBody(req, (bytes) => {
        seen = { req, body: bytes };
        res.writeHead(200, {
          "Content-Type": "application/json",
          "X-Request-Id": "req_9",
          "Set-Cookie": "a=b",
        });
        res.end(answer);
      });
    },
  });
  const got = await gateway.send(`${CHAT}?api=1&beta=true%20x`, {
    body,
    headers: { "content-type": "application/json", "X-Stainless-Lang": "js", cookie: "c=1" },
  });
  assert.equal(got.status, 200);
  assert.equal(got.body.toString(), answer);
  assert.equal(got.headers["x-request-id"], "req_9");
  assert.equal(got.headers["set-cookie"], undefined);
  assert.equal(seen?.body.toString(), body);
  assert.equal(seen.req.url, "/v1/chat/completions?api=1&beta=true%20x");
  assert.equal(seen.req.headers.authorization, "Bearer sk-central");
  assert.equal(seen.req.headers["x-stainless-lang"], "js");
  assert.equal(seen.req.headers.cookie, undefined);
  assert.equal(seen.req.headers["content-length"], String(Buffer.byteLength(body)));
});

const TWO_KEYS = ["sk-first", "sk-second"].map((key) => {
  return { id: key, secret: new Secret(key), hint: key };
});

test("large bodies one after the other on a connection go up whole, also to a second key", async () => {
  const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(300_000));
  const seen: string[] = [];
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      onBody(req, (bytes) => {
        seen.push(bytes.toString());
        if (seen.length === 2) answerJson(res, 429, "{}");
        else answerJson(res, 200, CHAT_ANSWER);
      });
    },
    providers: (url) => [provider("openai", "openai", `${url}/v1/`, { keys: TWO_KEYS })],
  });
  const bodies = texts.map((content) =>
    JSON.stringify({ model: "gpt-x", messages: [{ role: "user", content }] }),
  );
  for (const body of bodies) {
    const { status } = await gateway.send(CHAT, { body });
    assert.equal(status, 200);
  }
  const [first, second, ...rest] = bodies;
  assert.deepEqual(seen, [first, second, second, ...rest]);
  assert.deepEqual(gateway.recorded.ends.flatMap(({ prompts }) => prompts.map(({ prompt }) => prompt)), texts); // prettier-ignore
});

test("a start is recorded before the provider hears of it, and the end says what was used", async () => {
  let startsAtCall = -1;
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      startsAtCall = gateway.recorded.starts.length;
      answerJson(res, 200, CHAT_ANSWER);
    },
  });
  await gateway.send(CHAT, {
    body: CHAT_BODY,
    headers: { "user-agent": "codex_cli_rs/1.0", session_id: "s-1" },
  });
  assert.equal(startsAtCall, 1);
  const [start] = gateway.recorded.starts;
  const { id, startedAt, ...rest } = start!;
  assert.deepEqual(rest, {
    caller: CALLER,
    provider: { type: "openai", name: "openai" },
    model: "gpt-x",
    client: "Codex",
    clientSessionId: "s-1",
    userAgent: "codex_cli_rs/1.0",
    correlatingToolCallId: null,
    credentialKind: "centralized",
    credentialHint: "",
  });
  const [end] = await gateway.ended(1);
  assert.deepEqual(
    { ...end, endedAt: null, tokens: end!.tokens.map((each) => ({ ...each, extra: {} })) },
    {
      id,
      startedAt,
      endedAt: null,
      credentialHint: "sk...al",
      error: null,
      tokens: [
        {
          responseId: "chatcmpl-1",
          input: 6,
          output: 2,
          cacheReadInput: 4,
          cacheWriteInput: 0,
          extra: {},
        },
      ],
      prompts: [{ responseId: "chatcmpl-1", prompt: "hi" }],
      toolCalls: [],
      thoughts: [],
      trail: { kind: "plain", reason: "first" },
    },
  );
});

test("an interception that cannot be recorded never reaches the provider", async () => {
  let calls = 0;
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      calls += 1;
      answerJson(res, 200, CHAT_ANSWER);
    },
    recordStart: () => Promise.reject(new Error("disk full: secret path")),
  });
  const got = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.equal(got.status, 500);
  assert.equal(JSON.parse(got.body.toString()).error.message, "failed to record interception");
  assert.equal(calls, 0);
});

test("each event reaches the client before the next is sent", async () => {
  let upstreamRes: ServerResponse | undefined;
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      upstreamRes = res;
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.flushHeaders();
    },
  });
  const req = httpRequest(`${gateway.url}${MESSAGES}`, {
    method: "POST",
    headers: { "x-api-key": TOKEN },
  });
  req.end(MESSAGES_BODY);
  // The head arrives although no byte of the body exists.
  const [res] = (await once(req, "response")) as [IncomingMessage];
  assert.equal(res.headers["x-accel-buffering"], "no");
  for (const piece of [MESSAGE_START, ...MESSAGE_REST.split(/(?<=\n\n)/)]) {
    upstreamRes!.write(piece);
    const [chunk] = (await once(res, "data")) as [Buffer];
    assert.equal(chunk.toString(), piece);
  }
  upstreamRes!.end();
  await once(res, "end");
  const [end] = await gateway.ended(1);
  assert.equal(end!.error, null);
  assert.deepEqual(
    end!.tokens.map(({ input, output }) => [input, output]),
    [[7, 5]],
  );
});

test("compressed requests go up as they are and are read all the same", async () => {
  let seen: Buffer | undefined;
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      onBody(req, (bytes) => {
        seen = bytes;
        answerJson(res, 200, CHAT_ANSWER);
      });
    },
  });
  for (const [encoding, body] of [
    ["gzip", gzipSync(CHAT_BODY)],
    ["zstd", zstdCompressSync(CHAT_BODY)],
  ] as const) {
    await gateway.send(CHAT, { body, headers: { "content-encoding": encoding } });
    assert.deepEqual(seen, body);
  }
  assert.deepEqual(
    gateway.recorded.starts.map((start) => start.model),
    ["gpt-x", "gpt-x"],
  );
});

test("a compressed answer is relayed compressed and recorded all the same", async () => {
  const body = gzipSync(MESSAGE_START + MESSAGE_REST);
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" });
      res.end(body);
    },
  });
  const got = await gateway.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual(got.body, body);
  const [end] = await gateway.ended(1);
  assert.deepEqual(
    end!.tokens.map(({ input, output }) => [input, output]),
    [[7, 5]],
  );
});

test("a request keeps its provider when the providers change under it", async () => {
  const release = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(MESSAGE_START, () => reached.resolve());
      release.promise.then(() => res.end(MESSAGE_REST), rethrow);
    },
  });
  const streaming = gateway.send(MESSAGES, { body: MESSAGES_BODY });
  await reached.promise;
  gateway.setProviders([]);
  assert.equal((await gateway.send(MESSAGES, { body: MESSAGES_BODY })).status, 404);
  release.resolve();
  const got = await streaming;
  assert.equal(got.body.toString(), MESSAGE_START + MESSAGE_REST);
});
