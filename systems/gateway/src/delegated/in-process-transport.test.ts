/** Calls of this process through the whole gateway, to an upstream on a real socket. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import {
  delegatedFetch,
  ModelTransportError,
  ProviderAuth,
  type ModelFetch,
} from "@atelier/contract/rpc/model-transport";
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import {
  answerJson,
  CALLER,
  onBody,
  PREFIX,
  provider,
  send,
  startTestGateway,
  TOKEN,
  type TestGateway,
  type TestGatewayOptions,
} from "../relay/gateway-testkit.ts";
import {
  CHAT_ANSWER,
  CHAT_BODY,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "../relay/gateway-traffic-testkit.ts";
import { inProcessTransports } from "./in-process-transport-io.ts";

const OWN_KEY = "sk-own-0123456789abcdef";
const URL_OF = {
  openai: "http://gateway/v1/chat/completions",
  anthropic: "http://gateway/v1/messages",
};
type Name = keyof typeof URL_OF;

type Seen = { readonly req: IncomingMessage; readonly body: string };
type World = TestGateway & {
  readonly seen: Seen[];
  fetchOf(name: Name, auth?: ProviderAuth, apiKeyId?: string): ModelFetch;
};

async function worldOf(
  reply: (res: ServerResponse, seen: Seen) => void,
  options: Partial<TestGatewayOptions> = {},
): Promise<World> {
  const seen: Seen[] = [];
  const gateway = await startTestGateway({
    ...options,
    upstream: (req, res) =>
      onBody(req, (body) => {
        const each = { req, body: body.toString() };
        seen.push(each);
        reply(res, each);
      }),
  });
  const fetchOf: World["fetchOf"] = (
    name,
    auth = ProviderAuth.none,
    apiKeyId = CALLER.apiKeyId,
  ) => {
    const transport = gateway.gateway.transports.transportFor(name, "agents");
    assert.ok(transport.ok);
    return delegatedFetch(transport.value, { apiKeyId, auth });
  };
  return Object.assign(gateway, { seen, fetchOf });
}

const fine = (res: ServerResponse): void => answerJson(res, 200, CHAT_ANSWER);
const CHAT_INIT = {
  method: "POST",
  body: CHAT_BODY,
  headers: { authorization: "Bearer coder-aibridge", "x-trace": "kept" },
};

test("a call goes to the named provider's route with the company's key, and is recorded", async () => {
  await using world = await worldOf(fine);
  const answer = await world.fetchOf("openai")(`${URL_OF.openai}?a=b`, CHAT_INIT);
  assert.deepEqual([answer.status, await answer.json()], [200, CHAT_ANSWER]);
  assert.equal(answer.headers.get("content-type"), "application/json");
  const [{ req, body }] = world.seen as [Seen];
  assert.deepEqual([req.method, req.url, body], ["POST", "/v1/chat/completions?a=b", CHAT_BODY]);
  assert.equal(req.headers.authorization, "Bearer sk-central");
  assert.equal(req.headers["x-trace"], "kept");
  assert.doesNotMatch(JSON.stringify(req.rawHeaders), /coder-aibridge|governance|delegated/i);
  const [end] = await world.ended(1);
  assert.equal(end?.error, null);
  const [start] = world.recorded.starts;
  assert.deepEqual([start?.caller, start?.credentialKind], [CALLER, "centralized"]);
});

test("however a call is written, its provider is sent the same, and one that is too large nothing", async () => {
  await using world = await worldOf(fine);
  const fetch = world.fetchOf("openai");
  const bytes = Buffer.from(CHAT_BODY);
  const headers = { "content-type": "text/plain;charset=UTF-8" };
  const written = { method: "POST", body: bytes, headers };
  await (await fetch(URL_OF.openai, { method: "POST", body: CHAT_BODY })).text();
  await (await fetch(URL_OF.openai, written)).text();
  await (await fetch(new Request(URL_OF.openai, written))).text();
  const sent = world.seen.map(({ req, body }) => [req.method, req.url, req.rawHeaders, body]);
  assert.equal(sent.length, 3);
  for (const other of sent.slice(1)) assert.deepEqual(other, sent[0]);
  const body = " ".repeat(32 * 1024 * 1024 + 1);
  assert.equal((await fetch(URL_OF.openai, { method: "POST", body })).status, 413);
  assert.equal(world.seen.length, 3);
});

for (const { name, header, value, body } of [
  { name: "openai", header: "authorization", value: `Bearer ${OWN_KEY}`, body: CHAT_BODY },
  { name: "anthropic", header: "x-api-key", value: OWN_KEY, body: MESSAGES_BODY },
] as const) {
  test(`${name}: the person's own key replaces the placeholder and the company's key`, async () => {
    await using world = await worldOf(fine);
    const auth = ProviderAuth.ownKey(name, new Secret(OWN_KEY));
    const headers = { authorization: "Bearer coder-aibridge", "x-api-key": "coder-aibridge" };
    const init = { method: "POST", body, headers };
    await (await world.fetchOf(name, auth)(URL_OF[name], init)).text();
    const [{ req }] = world.seen as [Seen];
    assert.equal(req.headers[header], value);
    assert.doesNotMatch(JSON.stringify(req.rawHeaders), /coder-aibridge|sk-central|governance/i);
    const [start] = world.recorded.starts;
    assert.deepEqual([start?.credentialKind, start?.credentialHint], ["byok", "sk-o...cdef"]);
  });
}

test("one's own key is refused where the operator forbids it", async () => {
  await using world = await worldOf(fine, { config: { allowByok: false } });
  const auth = ProviderAuth.ownKey("openai", new Secret(OWN_KEY));
  const answer = await world.fetchOf("openai", auth)(URL_OF.openai, CHAT_INIT);
  assert.deepEqual([answer.status, world.seen.length], [403, 0]);
});

test("without somebody to act for, nothing is sent", async () => {
  await using world = await worldOf(fine);
  const transport = world.gateway.transports.transportFor("openai", "agents");
  assert.ok(transport.ok);
  await assert.rejects(transport.value.fetch(URL_OF.openai, CHAT_INIT), ModelTransportError);
  const nobody = world.fetchOf("openai", ProviderAuth.none, "");
  await assert.rejects(nobody(URL_OF.openai, CHAT_INIT), ModelTransportError);
  const unknown = world.fetchOf("openai", ProviderAuth.none, "revokedkey");
  assert.equal((await unknown(URL_OF.openai, CHAT_INIT)).status, 403);
  assert.deepEqual([world.seen, world.recorded.starts], [[], []]);
});

for (const { kind, url, init, records } of [
  { kind: "a model call", url: URL_OF.openai, init: CHAT_INIT, records: 1 },
  { kind: "a list", url: "http://gateway/v1/models", init: {}, records: 0 },
]) {
  test(`${kind} that is held back has gone as far as its provider, and leaves when it may`, async () => {
    await using world = await worldOf(fine);
    const transport = world.gateway.transports.transportFor("openai", "agents");
    assert.ok(transport.ok);
    const hold = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const held = { until: hold.promise, left: () => left.resolve() };
    const asked = { ...init, delegatedApiKeyId: CALLER.apiKeyId, hold: held };
    const answer = transport.value.fetch(url, asked);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    assert.deepEqual([world.recorded.starts.length, world.seen.length], [records, 0]);
    hold.resolve();
    await left.promise;
    assert.deepEqual([(await answer).status, await (await answer).json()], [200, CHAT_ANSWER]);
    assert.deepEqual([world.recorded.starts.length, world.seen.length], [records, 1]);
  });

  test(`${kind} that is held back and dropped goes nowhere, and its place is free again`, async () => {
    await using world = await worldOf(fine, { config: { maxConcurrency: 1 } });
    const transport = world.gateway.transports.transportFor("openai", "agents");
    assert.ok(transport.ok);
    const hold = Promise.withResolvers<void>();
    const held = { until: hold.promise, left: () => assert.fail("nothing leaves") };
    const asked = { ...init, delegatedApiKeyId: CALLER.apiKeyId, hold: held };
    const answer = transport.value.fetch(url, asked);
    hold.reject(new Error("dropped"));
    await assert.rejects(answer, /broke off/);
    for (const { error, trail } of await world.ended(records)) {
      assert.match(error?.message ?? "", /client went away/);
      assert.deepEqual(trail?.kind === "told" && trail.attempts, []);
    }
    assert.equal((await world.fetchOf("openai")(URL_OF.openai, CHAT_INIT)).status, 200);
    assert.equal(world.seen.length, 1);
  });
}

test("a token in place of the marker is refused: it would say who calls", async () => {
  await using world = await worldOf(fine);
  const transport = world.gateway.transports.transportFor("openai", "agents");
  assert.ok(transport.ok);
  const headers = { "X-Coder-AI-Governance-Token": TOKEN };
  const init = { ...CHAT_INIT, headers, delegatedApiKeyId: CALLER.apiKeyId };
  await assert.rejects(transport.value.fetch(URL_OF.openai, init), ModelTransportError);
});

test("the marker lets nobody in from the network, with a key id or without", async () => {
  await using world = await worldOf(fine);
  const marker = { "x-coder-ai-governance-token": "delegated" };
  for (const headers of [
    marker,
    { ...marker, authorization: `Bearer ${OWN_KEY}` },
    { ...marker, "x-api-key": CALLER.apiKeyId, delegatedApiKeyId: CALLER.apiKeyId },
    { "x-api-key": CALLER.apiKeyId },
    { "x-api-key": `id:${CALLER.apiKeyId}` },
  ]) {
    const path = `${PREFIX}/openai/v1/chat/completions`;
    const got = await send(world.port, path, { body: CHAT_BODY, token: null, headers });
    assert.equal(got.status, 403);
  }
  assert.deepEqual(world.seen, []);
});

test("an empty name and a gateway that is gone are told apart from answers", async () => {
  const world = await worldOf(fine);
  const { transports } = world.gateway;
  for (const name of ["", "open ai", "openai/../anthropic"]) {
    const failure = { ok: false, failure: "provider_name_missing" };
    assert.deepEqual(transports.transportFor(name, "agents"), failure);
  }
  const fetchBefore = world.fetchOf("openai");
  await world[Symbol.asyncDispose]();
  const failure = { ok: false, failure: "gateway_not_mounted" };
  assert.deepEqual(transports.transportFor("openai", "agents"), failure);
  assert.equal((await fetchBefore(URL_OF.openai, CHAT_INIT)).status, 503);
});

test("an unknown provider, and limits, answer as they do on the network", async () => {
  await using world = await worldOf(fine, { config: { rateLimit: 1 } });
  const transport = world.gateway.transports.transportFor("unknown", "agents");
  assert.ok(transport.ok);
  const init = { ...CHAT_INIT, delegatedApiKeyId: CALLER.apiKeyId };
  const answers = [
    await transport.value.fetch(URL_OF.openai, init),
    await world.fetchOf("openai")(URL_OF.openai, CHAT_INIT),
  ];
  assert.deepEqual(answers.map(({ status }) => status), [404, 429]); // prettier-ignore
  assert.match(await answers[0]!.text(), /route not supported: POST \/unknown\/v1/);
});

test("a stream's head is there before its end, and its pieces as they come", async () => {
  const rest = Promise.withResolvers<void>();
  await using world = await worldOf((res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(MESSAGE_START);
    rest.promise.then(() => res.end(MESSAGE_REST), assert.fail);
  });
  const answer = await world.fetchOf("anthropic")(URL_OF.anthropic, {
    method: "POST",
    body: MESSAGES_BODY,
  });
  assert.equal(answer.headers.get("content-length"), null);
  const reader = answer.body!.getReader();
  const first = await reader.read();
  assert.equal(Buffer.from(first.value).toString(), MESSAGE_START);
  rest.resolve();
  let text = MESSAGE_START;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += Buffer.from(piece.value).toString();
  }
  assert.equal(text, MESSAGE_START + MESSAGE_REST);
  assert.equal((await world.ended(1))[0]?.error, null);
});

test("a reader that does not read holds the provider up, and then gets everything", async () => {
  const total = 64 * 1024 * 1024;
  let written = 0;
  const stalled = Promise.withResolvers<void>();
  await using world = await worldOf((res) => {
    res.writeHead(200, { "content-type": "application/octet-stream" });
    const piece = Buffer.alloc(64 * 1024, "x");
    const write = (): void => {
      while (written < total) {
        written += piece.length;
        if (!res.write(piece)) {
          // Long enough for the kernel's buffers to fill; whatever is slow only makes it truer.
          const timer = setTimeout(() => stalled.resolve(), 500);
          res.once("drain", () => {
            clearTimeout(timer);
            write();
          });
          return;
        }
      }
      res.end();
    };
    write();
  });
  const answer = await world.fetchOf("openai")("http://gateway/v1/models");
  await stalled.promise;
  assert.ok(written < total / 2, `${written} bytes were taken from the provider`);
  let bytes = 0;
  for await (const piece of answer.body!) bytes += piece.byteLength;
  assert.equal(bytes, total);
});

const hangs = (left: PromiseWithResolvers<void>) => (res: ServerResponse) => {
  res.on("close", () => left.resolve());
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.write(MESSAGE_START);
};

test("the caller's abort ends the exchange with the provider and breaks the body", async () => {
  const left = Promise.withResolvers<void>();
  await using world = await worldOf(hangs(left));
  const turn = new AbortController();
  const init = { method: "POST", body: MESSAGES_BODY, signal: turn.signal };
  const answer = await world.fetchOf("anthropic")(URL_OF.anthropic, init);
  const reason = new Error("the turn was interrupted");
  turn.abort(reason);
  await assert.rejects(answer.text(), reason);
  await left.promise;
  assert.match((await world.ended(1))[0]?.error?.message ?? "", /client went away/);
});

test("an abort before the head rejects, and one before the call sends nothing", async () => {
  const reached = Promise.withResolvers<ServerResponse>();
  await using world = await worldOf((res) => reached.resolve(res));
  const turn = new AbortController();
  const init = { ...CHAT_INIT, signal: turn.signal };
  const answer = world.fetchOf("openai")(URL_OF.openai, init);
  const upstream = await reached.promise;
  turn.abort();
  await assert.rejects(answer, { name: "AbortError" });
  if (!upstream.destroyed) await once(upstream, "close");
  await assert.rejects(world.fetchOf("openai")(URL_OF.openai, init), { name: "AbortError" });
  assert.equal(world.seen.length, 1);
});

test("a body that its reader cancels ends the exchange with the provider", async () => {
  const left = Promise.withResolvers<void>();
  await using world = await worldOf(hangs(left));
  const init = { method: "POST", body: MESSAGES_BODY };
  const answer = await world.fetchOf("anthropic")(URL_OF.anthropic, init);
  await answer.body!.cancel();
  await left.promise;
  await world.ended(1);
});

test("a crash before the head is a 500, one after it breaks the body", async () => {
  await using broken = await worldOf(fine, {
    authorizeDelegated: () => {
      throw new Error("a bug");
    },
  });
  const answer = await broken.fetchOf("openai")(URL_OF.openai, CHAT_INIT);
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /a bug/);

  await using cut = await worldOf((res) => {
    res.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    res.write("{", () => res.destroy());
  });
  const half = await cut.fetchOf("openai")(URL_OF.openai, CHAT_INIT);
  assert.equal(half.status, 200);
  await assert.rejects(half.text(), /broke off/);
});

test("an answer that a provider compressed unasked is read in plain, as fetch does it", async () => {
  await using world = await worldOf((res) => {
    res.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
    res.end(gzipSync(JSON.stringify(CHAT_ANSWER)));
  });
  const answer = await world.fetchOf("openai")(URL_OF.openai, CHAT_INIT);
  assert.equal(answer.headers.get("content-encoding"), null);
  assert.deepEqual(await answer.json(), CHAT_ANSWER);
  assert.equal((await world.ended(1))[0]?.tokens[0]?.output, 2);
});

test("statuses without a body, HEAD, and numbers that fetch does not know", async () => {
  const statuses = [204, 200, 999];
  await using world = await worldOf((res) => res.writeHead(statuses.shift() ?? 500).end());
  const fetchModels = (method: string) =>
    world.fetchOf("openai")("http://gateway/v1/models", { method });
  const empty = await fetchModels("GET");
  assert.deepEqual([empty.status, empty.body], [204, null]);
  const head = await fetchModels("HEAD");
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal((await fetchModels("GET")).status, 502);
});

test("bodies of every kind arrive, and one that its maker breaks off is no request", async () => {
  await using world = await worldOf(fine);
  const piece = new TextEncoder().encode(CHAT_BODY);
  const bodies: RequestInit["body"][] = [
    CHAT_BODY,
    piece,
    new Blob([piece]),
    ReadableStream.from([piece.subarray(0, 9), piece.subarray(9)]),
  ];
  for (const body of bodies) {
    const answer = await world.fetchOf("openai")(URL_OF.openai, { method: "POST", body: body! });
    assert.equal(answer.status, 200);
  }
  const request = new Request(URL_OF.openai, CHAT_INIT);
  assert.equal((await world.fetchOf("openai")(request)).status, 200);
  assert.deepEqual(world.seen.map(({ body }) => body), Array(5).fill(CHAT_BODY)); // prettier-ignore
  const breaks = new ReadableStream({
    pull: (controller) => controller.error(new Error("no more of it")),
  });
  await assert.rejects(world.fetchOf("openai")(URL_OF.openai, { method: "POST", body: breaks }));
  assert.equal(world.seen.length, 5);
});

test("the failover and the providers' own state are those of the network's calls", async () => {
  const keys = [1, 2].map((n) => ({
    id: `k${n}`,
    secret: new Secret(`sk-key-${n}`),
    hint: `h${n}`,
  }));
  await using world = await worldOf(
    (res, { req }) =>
      req.headers.authorization === "Bearer sk-key-1" ? answerJson(res, 429, {}) : fine(res),
    { providers: (url) => [provider("openai", "openai", `${url}/v1`, { keys })] },
  );
  assert.equal((await world.fetchOf("openai")(URL_OF.openai, CHAT_INIT)).status, 200);
  const states = world.gateway.health.keysOf("id-openai").map(({ state }) => state);
  assert.deepEqual(states, ["temporary", "valid"]);
});

test("whatever is thrown at the door is a 500 too", async () => {
  const handleDelegated = (): never => {
    throw new Error("a bug");
  };
  const transports = inProcessTransports({ server: { handleDelegated }, log: silentLogger });
  const transport = transports.transportFor("openai", "agents");
  assert.ok(transport.ok);
  const init = { ...CHAT_INIT, delegatedApiKeyId: CALLER.apiKeyId };
  const answer = await transport.value.fetch(URL_OF.openai, init);
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /a bug/);
});
