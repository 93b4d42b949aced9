/** A conversation with signed reasoning whose provider is moved, or whose key changes accounts. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import {
  answerJson,
  listen,
  onBody,
  provider,
  startTestGateway,
  TOKEN,
  type TestGatewayOptions,
} from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_BODY,
  MESSAGES,
  MESSAGE_REST,
  MESSAGE_START,
  RESPONSES,
} from "./gateway-traffic-testkit.ts";

const ANSWER = { id: "msg_1", type: "message", role: "assistant", content: [], stop_reason: "end_turn", usage: { input_tokens: 1, output_tokens: 1 } }; // prettier-ignore
const refusal = (message: string) =>
  JSON.stringify({ type: "error", error: { type: "invalid_request_error", message } });
const REFUSED = refusal("messages.1.content.0: Invalid `signature` in `thinking` block");

/** Turn two of a conversation that began at the place whose name is the signature. */
const turn = (place: string, more = ""): string =>
  `{"model":"claude-x","max_tokens":9${more},"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"${place}"},{"type":"text","text":"hello"}]},{"role":"user","content":"go on"}]}`;

type Answer = (res: ServerResponse) => unknown;

/** Takes only reasoning that it signed itself, as Anthropic does. */
async function place(name: string, refuse: Answer = (res) => res.end(REFUSED)) {
  const bodies: string[] = [];
  const server = await listen((req, res) =>
    onBody(req, (bytes) => {
      const body = bytes.toString();
      bodies.push(body);
      const isForeign = /"signature":"(?<by>\w+)"/.exec(body)?.groups?.["by"] !== name;
      if (!body.includes("signature") || !isForeign) return answerJson(res, 200, ANSWER);
      res.writeHead(400, { "content-type": "application/json" });
      refuse(res);
    }),
  );
  return {
    url: server.url,
    bodies,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const start = (url: string, options: Partial<TestGatewayOptions> = {}) =>
  startTestGateway({
    upstream: () => {},
    providers: () => [provider("anthropic", "anthropic", url)],
    ...options,
  });

test("a conversation goes on when its provider is moved: without the reasoning that the new place refuses", async () => {
  await using a = await place("a");
  await using b = await place("b");
  await using gateway = await start(a.url);
  const ask = async (body: string) => (await gateway.send(MESSAGES, { body })).status;
  assert.equal(await ask(turn("a")), 200);
  gateway.setProviders([provider("anthropic", "anthropic", b.url)]);
  assert.equal(await ask(turn("a")), 200);
  assert.deepEqual(
    [a.bodies, b.bodies[0]],
    [[turn("a")], turn("a")],
    "first as the client sent it",
  );
  assert.equal(b.bodies.length, 2);
  const [, , third] = JSON.parse(b.bodies[1]!).messages;
  assert.doesNotMatch(b.bodies[1]!, /thinking/);
  assert.deepEqual(third, { role: "user", content: "go on" });
  assert.equal(await ask(turn("b")), 200);
  assert.equal(b.bodies[2], turn("b"), "its own reasoning is left alone");
  const ends = await gateway.ended(3);
  assert.deepEqual(ends.map(({ error }) => error), [null, null, null]); // prettier-ignore
  const repaired = ends.map(({ trail }) => trail?.kind === "told" && trail.attempts.map((each) => each.isRepaired)); // prettier-ignore
  assert.deepEqual(repaired, [false, [true], false]);
  assert.deepEqual(await gateway.metricLines("reasoning_stripped_total"), [
    'atelier_ai_gateway_reasoning_stripped_total{provider="anthropic"} 1',
  ]);
});

test("a stream under way ends at the place where it began, whatever becomes of its provider", async () => {
  const begun = Promise.withResolvers<ServerResponse>();
  const old = await listen((req, res) =>
    onBody(req, () => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(MESSAGE_START, () => begun.resolve(res));
    }),
  );
  await using b = await place("b");
  await using gateway = await start(old.url);
  const answer = gateway.send(MESSAGES, { body: turn("a", `,"stream":true`) });
  const res = await begun.promise;
  gateway.setProviders([provider("anthropic", "anthropic", b.url)]);
  assert.equal((await gateway.send(MESSAGES, { body: turn("b") })).status, 200);
  res.end(MESSAGE_REST);
  assert.equal((await answer).body.toString(), MESSAGE_START + MESSAGE_REST);
  await old.close();
});

test("failover to another key of one place changes no byte of the conversation", async () => {
  const bodies: string[] = [];
  const keys = ["k1", "k2"].map((id) => ({ id, secret: new Secret(`sk-${id}`), hint: id }));
  const server = await listen((req, res) =>
    onBody(req, (bytes) => {
      bodies.push(`${String(req.headers["x-api-key"])} ${bytes.toString()}`);
      if (req.headers["x-api-key"] === "sk-k2") return answerJson(res, 200, ANSWER);
      answerJson(res, 429, { error: { message: "slow down", type: "x" } });
    }),
  );
  await using gateway = await start(server.url, {
    providers: () => [provider("anthropic", "anthropic", server.url, { keys })],
  });
  assert.equal((await gateway.send(MESSAGES, { body: turn("a") })).status, 200);
  assert.deepEqual(bodies, [`sk-k1 ${turn("a")}`, `sk-k2 ${turn("a")}`]);
  await server.close();
});

test("sealed reasoning of another account's key is left out of responses", async () => {
  const bodies: string[] = [];
  const sealed = `{"type":"reasoning","summary":[],"encrypted_content":"gAAA"}`;
  const user = `{"role":"user","content":"hi"}`;
  await using gateway = await startTestGateway({
    upstream: (req, res) =>
      onBody(req, (bytes) => {
        bodies.push(bytes.toString());
        const code = "invalid_encrypted_content";
        const isForeign = bytes.toString().includes("encrypted_content");
        if (isForeign) answerJson(res, 400, { error: { code, message: "no", type: "x" } });
        else answerJson(res, 200, { id: "resp_1", status: "completed", output: [], usage: null });
      }),
  });
  const body = `{"model":"m","input":[${sealed},${user}]}`;
  assert.equal((await gateway.send(RESPONSES, { body })).status, 200);
  assert.deepEqual(bodies, [body, `{"model":"m","input":[${user}]}`]);
});

const OTHER: readonly { readonly name: string; readonly body: string }[] = [
  { name: "another mistake", body: refusal("max_tokens: Field required") },
  { name: "a conversation that its client changed", body: refusal("Invalid `signature` in `thinking` block. The block is bound to a different conversation.") },
  { name: "a page without end", body: "x".repeat(300_000) },
  { name: "nothing", body: "" },
]; // prettier-ignore
for (const { name, body } of OTHER) {
  test(`a 400 about something else is the client's, byte for byte, after one attempt: ${name}`, async () => {
    await using b = await place("b", (res) => res.end(body));
    await using gateway = await start(b.url);
    const got = await gateway.send(MESSAGES, { body: turn("a") });
    assert.deepEqual([got.status, got.body.toString(), got.isComplete], [400, body, true]);
    assert.deepEqual(b.bodies, [turn("a")]);
  });
}

for (const { name, second } of [
  {
    name: "is refused too",
    second: (res: ServerResponse) => answerJson(res, 400, { other: true }),
  },
  { name: "fails", second: (res: ServerResponse) => res.socket?.resetAndDestroy() },
]) {
  // prettier-ignore
  test(`where the second attempt ${name}, the client gets the refusal of its own bytes`, async () => {
    let count = 0;
    await using gateway = await startTestGateway({
      upstream: (req, res) =>
        onBody(req, () => {
          count += 1;
          if (count > 1) return second(res);
          res.writeHead(400, { "content-type": "application/json", "x-first": "yes" });
          res.end(REFUSED);
        }),
    });
    const got = await gateway.send(MESSAGES, { body: turn("a") });
    assert.deepEqual([got.status, got.body.toString()], [400, REFUSED]);
    assert.deepEqual([got.headers["x-first"], got.isComplete], ["yes", true]);
    assert.deepEqual(await gateway.metricLines("reasoning_stripped_total{"), []);
  });
}

test("a caller's own credential is served alike, a switched-off option and another format are not", async () => {
  await using b = await place("b");
  await using gateway = await start(b.url);
  const headers = { "x-coder-ai-governance-token": TOKEN, "x-api-key": "sk-own-credential" };
  const own = await gateway.send(MESSAGES, { body: turn("a"), token: null, headers });
  assert.equal(own.status, 200);
  await using off = await start(b.url, { config: { stripsForeignReasoning: false } });
  const kept = await off.send(MESSAGES, { body: turn("a") });
  assert.deepEqual([kept.status, kept.body.toString()], [400, REFUSED]);

  let asked = 0;
  await using chat = await startTestGateway({
    upstream: (req, res) =>
      onBody(req, () => {
        asked += 1;
        res.writeHead(400, { "content-type": "application/json" });
        res.end(REFUSED);
      }),
  });
  assert.equal((await chat.send(CHAT, { body: CHAT_BODY })).status, 400);
  assert.equal(asked, 1);
});
