/** What a provider says back of the key that it was sent, through the whole gateway. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { provider, startTestGateway, TOKEN, type TestGateway } from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";

const KEY = "sk-central-0123456789abcdef";
const STARS = "*".repeat(KEY.length);
const ERROR = `{"error":{"message":"Incorrect API key provided: ${KEY}.","type":"x"}}`;
const JSON_TYPE = { "content-type": "application/json" };

function worldOf(upstream: RequestListener, key = KEY): Promise<TestGateway> {
  const keys = [{ id: "k1", secret: new Secret(key), hint: "sk-c...cdef" }];
  return startTestGateway({
    upstream,
    providers: (url) => [
      provider("openai", "openai", `${url}/v1`, { keys }),
      provider("anthropic", "anthropic", url, { keys }),
    ],
  });
}

function assertKeyless(
  world: TestGateway,
  answer: { rawHeaders: readonly string[]; body: Buffer },
) {
  assert.ok(!answer.body.includes(KEY), answer.body.toString());
  assert.ok(!answer.rawHeaders.join().includes(KEY));
  assert.ok(!JSON.stringify(world.recorded).includes(KEY));
}

for (const path of [CHAT, "/openai/v1/models"]) {
  test(`${path}: an error's body and headers come without the key, and as long as announced`, async () => {
    await using world = await worldOf((_req, res) => {
      const headers = { ...JSON_TYPE, "content-length": ERROR.length, "x-key": `Bearer ${KEY}` };
      res.writeHead(400, headers).end(ERROR);
    });
    const got = await world.send(path, { body: CHAT_BODY });
    assert.deepEqual([got.status, got.body.toString()], [400, ERROR.replace(KEY, STARS)]);
    assert.equal(got.headers["x-key"], `Bearer ${STARS}`);
    assert.equal(got.headers["content-length"], String(ERROR.length));
    assertKeyless(world, got);
  });
}

test("a key that is cut by the borders of pieces does not come together again", async () => {
  await using world = await worldOf((_req, res) => {
    res.writeHead(500, JSON_TYPE);
    const pieces = ERROR.match(/.{1,7}/g) ?? [];
    const next = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) res.end();
      else res.write(piece, () => setImmediate(next));
    };
    next();
  });
  const got = await world.send(CHAT, { body: CHAT_BODY });
  assert.equal(got.body.toString(), ERROR.replace(KEY, STARS));
  assert.equal((await world.ended(1))[0]?.error?.message, `Incorrect API key provided: ${STARS}.`);
});

for (const { name, encoding, body } of [
  { name: "gzip", encoding: "gzip", body: gzipSync(ERROR) },
  { name: "brotli in gzip", encoding: "br, gzip", body: gzipSync(brotliCompressSync(ERROR)) },
]) {
  test(`an error compressed by ${name} is read, and goes on in plain`, async () => {
    await using world = await worldOf((_req, res) => {
      const headers = { ...JSON_TYPE, "content-encoding": encoding, "content-length": body.length };
      res.writeHead(400, headers).end(body);
    });
    const got = await world.send(CHAT, { body: CHAT_BODY });
    assert.deepEqual([got.status, got.body.toString()], [400, ERROR.replace(KEY, STARS)]);
    assert.equal(got.headers["content-encoding"], undefined);
    assert.ok(got.isComplete);
    await world.ended(1);
    assertKeyless(world, got);
  });
}

for (const { name, encoding, body } of [
  { name: "in an unknown way", encoding: "secret-sauce", body: Buffer.from(ERROR) },
  { name: "wrongly", encoding: "gzip", body: Buffer.from(ERROR) },
  { name: "to a bomb", encoding: "gzip", body: gzipSync(Buffer.alloc(9 * 1024 * 1024, KEY)) },
  { name: "to too much", encoding: "gzip", body: Buffer.alloc(2 * 1024 * 1024, KEY) },
]) {
  test(`an error compressed ${name} is replaced by our own words`, async () => {
    await using world = await worldOf((_req, res) => {
      res.writeHead(418, { ...JSON_TYPE, "content-encoding": encoding }).end(body);
    });
    const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
    assert.equal(got.status, 418);
    const { error } = JSON.parse(got.body.toString());
    assert.match(error.message, /answered 418 with an explanation that cannot be read/);
    await world.ended(1);
    assertKeyless(world, got);
  });
}

test("a compressed error that breaks off is an unreachable provider", async () => {
  await using world = await worldOf((_req, res) => {
    res.writeHead(400, { ...JSON_TYPE, "content-encoding": "gzip", "content-length": "999" });
    res.write(gzipSync(ERROR), () => res.destroy());
  });
  const got = await world.send(CHAT, { body: CHAT_BODY });
  assert.equal(got.status, 502);
  assertKeyless(world, got);
});

test("a stream's error event comes without the key", async () => {
  const event = `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"${KEY}"}}\n\n`;
  await using world = await worldOf((_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(MESSAGE_START);
    res.end(event);
  });
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.equal(got.body.toString(), MESSAGE_START + event.replace(KEY, STARS));
  await world.ended(1);
  assertKeyless(world, got);
});

test("what succeeds goes by byte for byte, also where it ends as the key begins", async () => {
  const text = MESSAGE_START + MESSAGE_REST;
  await using world = await worldOf((req, res) => {
    if (req.url === "/v1/messages") {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`${text}: sk-c`);
      res.end("\n\n");
    } else {
      res.writeHead(200, JSON_TYPE).end(`{"id":"sk-c"}`);
    }
  });
  const stream = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.equal(stream.body.toString(), `${text}: sk-c\n\n`);
  const blocking = await world.send(CHAT, { body: CHAT_BODY });
  assert.equal(blocking.body.toString(), `{"id":"sk-c"}`);
});

test("a placeholder in a key's place is an ordinary word", async () => {
  const body = `{"error":{"message":"ollama has no such model"}}`;
  await using world = await worldOf((_req, res) => {
    res.writeHead(404, JSON_TYPE).end(body);
  }, "ollama");
  assert.equal((await world.send(CHAT, { body: CHAT_BODY })).body.toString(), body);
});

test("one's own key stays out of errors and records as well", async () => {
  await using world = await worldOf((_req, res) => {
    res.writeHead(401, JSON_TYPE).end(ERROR);
  });
  const headers = { "x-coder-ai-governance-token": TOKEN, authorization: `Bearer ${KEY}` };
  const got = await world.send(CHAT, { body: CHAT_BODY, token: null, headers });
  assert.deepEqual([got.status, got.body.toString()], [401, ERROR.replace(KEY, STARS)]);
  await world.ended(1);
  assertKeyless(world, got);
});
