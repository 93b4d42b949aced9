/**
 * The server's own model calls for a person, with both systems, a real database and the official SDKs:
 * whose key serves, when the person is let in, and streams that are read, aborted and refused.
 */
import Anthropic from "@anthropic-ai/sdk";
import { silentLogger } from "@atelier/base/logger";
import { systemRandom } from "@atelier/base/system-random";
import { delegatedFetch, type ModelFetch } from "@atelier/contract/rpc/model-transport";
import {
  startTestControlPlane,
  testDeps,
  type Person,
  type TestControlPlane,
} from "@atelier/control-plane/control-plane-on-postgres-testkit";
import { startGateway } from "@atelier/gateway/start";
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import { json, sse } from "@atelier/testkit/scripted-model-reply";
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const CENTRAL_KEY = "sk-central-0123456789abcdef";
const OWN_KEY = "sk-own-0123456789abcdef";
/** What SDKs insist on, and what must never reach a provider. */
const PLACEHOLDER = "coder-aibridge";
const NAMES = ["openai", "anthropic"] as const;
type Name = (typeof NAMES)[number];

type World = AsyncDisposable & {
  readonly api: TestControlPlane;
  readonly model: ScriptedModel;
  readonly owner: Person;
  readonly ann: Person;
  /** As one turn of a conversation gets it, for a token of Ann's. */
  fetchOf(name: Name, token?: string): Promise<ModelFetch>;
};

async function makeWorld(): Promise<World> {
  await using resources = new AsyncDisposableStack();
  const model = resources.use(await startScriptedModel());
  const api = resources.use(await startTestControlPlane());
  const { plane, clock } = api;
  const gateway = resources.use(
    startGateway({
      ...plane,
      clock,
      random: systemRandom,
      log: silentLogger,
      metrics: testDeps().metrics,
      peers: null,
      tracer: null,
      config: {
        allowByok: true,
        sendActorHeaders: false,
        upstreamTimeouts: {
          connectMs: 10_000,
          headerMs: 60_000,
          streamHeaderMs: 60_000,
          idleMs: 60_000,
        },
        upstreamClient: "auto",
        failover: "keys",
        failoverWithinMs: 0,
        bodyTimeoutMs: 60_000,
        keyAuthFailurePolicy: "cooldown",
        keyWaitMs: 0,
        stripsForeignReasoning: true,
        keyRecheckMs: 0,
        keyQueue: { lengthMax: 100, msMax: 30_000 },
        circuitBreaker: null,
        rateLimit: 0,
        maxConcurrency: 0,
        maxConcurrencyPerUser: 0,
        metricsByUser: false,
        sendTraceHeaders: false,
        dumpDir: null,
      },
    }),
  );
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  const ids = new Map<Name, string>();
  for (const name of NAMES) {
    const base_url = name === "openai" ? `${model.url}/v1` : model.url;
    const body = { type: name, name, base_url, api_keys: [CENTRAL_KEY] };
    const made = await api.call("POST", "/api/v2/ai/providers", { token: owner.token, body });
    assert.equal(made.status, 201, made.text);
    ids.set(name, made.body.id);
  }
  const owned = resources.move();
  return {
    api,
    model,
    owner,
    ann,
    fetchOf: async (name, token = ann.token) => {
      const transport = gateway.transports.transportFor(name, "agents");
      assert.ok(transport.ok);
      const provider = { id: ids.get(name) ?? "", type: name };
      const auth = await plane.providerAuth.authOf(ann.id, provider);
      const [apiKeyId = ""] = token.split("-");
      return delegatedFetch(transport.value, { apiKeyId, auth });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const openai = (fetch: ModelFetch): OpenAI =>
  new OpenAI({ baseURL: `http://${PLACEHOLDER}/v1`, apiKey: PLACEHOLDER, maxRetries: 0, fetch });
const anthropic = (fetch: ModelFetch): Anthropic =>
  new Anthropic({ baseURL: `http://${PLACEHOLDER}`, apiKey: PLACEHOLDER, maxRetries: 0, fetch });

const ASK = { messages: [{ role: "user" as const, content: "hello" }] };
const CHAT = { model: "gpt-x", ...ASK };
const MESSAGE = { model: "claude-x", max_tokens: 100, ...ASK };

/** The credentials that the provider got with its latest request. */
function credentialsAtProvider({ model }: World): (string | undefined)[] {
  const request = model.requests.at(-1);
  assert.ok(request !== undefined);
  const all = JSON.stringify(request.headers);
  assert.ok(!all.includes(PLACEHOLDER) && !/governance|coder-session/i.test(all), all);
  return [request.header("authorization"), request.header("x-api-key")];
}

test("OpenAI's SDK: blocking, streaming, responses, models and errors, with the company's key", async () => {
  await using world = await makeWorld();
  const client = openai(await world.fetchOf("openai"));
  const answer = await client.chat.completions.create(CHAT);
  assert.equal(answer.choices[0]?.message.content, "You said: hello");
  assert.deepEqual(credentialsAtProvider(world), [`Bearer ${CENTRAL_KEY}`, undefined]);
  let text = "";
  for await (const chunk of await client.chat.completions.create({ ...CHAT, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? "";
  }
  assert.equal(text, "You said: hello");
  const types: string[] = [];
  const events = await client.responses.create({ model: "gpt-x", input: "hi", stream: true });
  for await (const event of events) types.push(event.type);
  assert.equal(types.at(-1), "response.completed");
  assert.ok((await client.models.list()).data.length > 0);
  world.model.enqueue(json(400, { error: { message: "no such model", type: "invalid" } }));
  await assert.rejects(client.chat.completions.create(CHAT), OpenAI.BadRequestError);
});

test("Anthropic's SDK: blocking and streaming, with the company's key", async () => {
  await using world = await makeWorld();
  const client = anthropic(await world.fetchOf("anthropic"));
  assert.equal((await client.messages.create(MESSAGE)).stop_reason, "end_turn");
  assert.deepEqual(credentialsAtProvider(world), [undefined, CENTRAL_KEY]);
  const streamed = await client.messages.stream(MESSAGE).finalMessage();
  assert.deepEqual(
    streamed.content.map((block) => block.type === "text" && block.text),
    ["You said: hello"],
  );
});

test("one's own key serves instead, where the provider takes it, and is recorded as such", async () => {
  await using world = await makeWorld();
  const { api, ann } = world;
  for (const name of NAMES) {
    const path = `/api/v2/users/me/ai/provider-keys/${name}`;
    const body = { api_key: OWN_KEY };
    assert.equal((await api.call("PUT", path, { token: ann.token, body })).status, 200);
  }
  await openai(await world.fetchOf("openai")).chat.completions.create(CHAT);
  assert.deepEqual(credentialsAtProvider(world), [`Bearer ${OWN_KEY}`, undefined]);
  await anthropic(await world.fetchOf("anthropic")).messages.create(MESSAGE);
  assert.deepEqual(credentialsAtProvider(world), [undefined, OWN_KEY]);
  await api.plane.recorder.drain(AbortSignal.timeout(60_000));
  const { rows } = await api.database.pool.query(
    "select initiator_id, credential_kind, credential_hint from ai_interceptions",
  );
  const own = { initiator_id: ann.id, credential_kind: "byok", credential_hint: "sk-o...cdef" };
  assert.deepEqual(rows, [own, own]);
});

test("a turn ends with the credential that it came with: revoked, expired, suspended", async () => {
  await using world = await makeWorld();
  const { api, ann, owner } = world;
  const asked = async (token: string): Promise<number> => {
    const fetch = await world.fetchOf("openai", token);
    const init = { method: "POST", body: JSON.stringify(CHAT) };
    return (await fetch("http://gateway/v1/chat/completions", init)).status;
  };
  const makeToken = async (body: object): Promise<string> => {
    const path = "/api/v2/users/me/keys/tokens";
    return (await api.call("POST", path, { token: ann.token, body })).body.key;
  };
  const token = await makeToken({ token_name: "laptop" });
  assert.equal(await asked(token), 200);
  const revoke = "/api/v2/users/me/keys/tokens/laptop";
  assert.equal((await api.call("DELETE", revoke, { token: ann.token })).status, 204);
  await until(async () => (await asked(token)) === 403, "the revoked token is known everywhere");

  const brief = await makeToken({ lifetime: "1h" });
  assert.equal(await asked(brief), 200);
  await api.clock.leap(3_600_000);
  assert.equal(await asked(brief), 403);

  assert.equal(await asked(await makeToken({ scopes: ["user:read"] })), 403);
  assert.equal(await asked(ann.token), 200);
  const suspend = "/api/v2/users/ann/status/suspend";
  assert.equal((await api.call("PUT", suspend, { token: owner.token })).status, 200);
  await until(async () => (await asked(ann.token)) === 403, "the suspension is known");
});

test("work in the background wakes nobody who is dormant, and keeps no session alive", async () => {
  await using world = await makeWorld();
  const { api, ann } = world;
  const session = async () => {
    const id = ann.token.split("-")[0];
    const query = "select expires_at, last_used_at from api_keys where id = $1";
    return (await api.database.pool.query(query, [id])).rows[0];
  };
  const before = await session();
  await api.clock.leap(80_000_000);
  await openai(await world.fetchOf("openai")).chat.completions.create(CHAT);
  assert.deepEqual(await session(), before);
  await api.database.pool.query("update users set status = 'dormant' where id = $1", [ann.id]);
  await api.clock.leap(60_000);
  const refused = openai(await world.fetchOf("openai")).chat.completions.create(CHAT);
  await assert.rejects(refused, OpenAI.PermissionDeniedError);
});

test("an SDK's abort ends the provider's stream, and a cut one is an error to the SDK", async () => {
  await using world = await makeWorld();
  const client = anthropic(await world.fetchOf("anthropic"));
  const message = {
    id: "msg_a",
    type: "message",
    role: "assistant",
    content: [],
    model: "claude-x",
    usage: { input_tokens: 3, output_tokens: 1 },
  };
  const start = [{ name: "message_start", data: { type: "message_start", message } }];
  world.model.enqueue(sse(start, { thenHang: true }));
  const stream = client.messages.stream(MESSAGE);
  stream.on("error", () => {}); // Of the abort.
  for await (const event of stream) if (event.type === "message_start") break;
  stream.abort();
  const request = await world.model.nextRequest();
  await request.over;
  assert.notEqual(request.closedAtMs, null);
  world.model.enqueue(sse(start));
  await assert.rejects(client.messages.stream(MESSAGE).finalMessage(), Anthropic.APIError);
});

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
