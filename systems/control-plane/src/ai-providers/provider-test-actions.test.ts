/** Testing a provider as an administrator asks for it, with the gateway's part played by the test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  GatewayHealth,
  GatewayProvider,
  ProviderCheck,
  ProviderKeyTest,
  ProviderTester,
} from "@atelier/contract/rpc/gateway-ports";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";
import { PROVIDER_TESTS_MAX } from "./provider-test-admission.ts";

const KEY = "sk-canary-0123456789-abcdefghij";
const OTHER_KEY = "sk-second-0123456789-abcdefghij";
const WELL: ProviderCheck = {
  kind: "credential",
  outcome: "ok",
  status: 200,
  latencyMs: 12,
  model: null,
  message: null,
  explanation: "The provider accepts the key.",
  remedy: null,
};
const ILL: ProviderCheck = {
  ...WELL,
  outcome: "unauthorized",
  status: 401,
  remedy: "Add another.",
};
const PATH = "/api/v2/ai/providers/up/test";

type Asked = { readonly provider: GatewayProvider; readonly model: string | null };

async function start({ resting = [] as readonly string[] } = {}) {
  const plane = await startTestControlPlane();
  const owner = await plane.setUp();
  const asked: Asked[] = [];
  const conduct = {
    checkOf: (_keyId: string): readonly ProviderCheck[] => [WELL],
    gate: Promise.resolve(),
  };
  const tester: ProviderTester = {
    test: async (provider, { model }) => {
      asked.push({ provider, model });
      await conduct.gate;
      return provider.keys.map((key): ProviderKeyTest => ({
        keyId: key.id,
        checks: conduct.checkOf(key.id),
        notes: [],
      }));
    },
  };
  const health: GatewayHealth = {
    keysOf: () =>
      resting.map((keyId) => ({
        keyId,
        state: "temporary",
        lastError: null,
        returnsAt: null,
        underWay: null,
        lastCheckedAt: null,
      })),
    breakersOf: () => [],
    waitingOf: () => 0,
    resetKey: () => assert.fail("a test resets nothing"),
  };
  plane.plane.observeGateway(health);
  plane.plane.testProvidersWith(tester);
  const body = {
    type: "openai",
    name: "up",
    base_url: "https://models.example/v1",
    api_keys: [KEY, OTHER_KEY],
  };
  const made = await plane.call("POST", "/api/v2/ai/providers", { token: owner.token, body });
  const [first, second] = made.body.api_keys;
  return {
    ...plane,
    owner,
    asked,
    conduct,
    made: made.body,
    first,
    second,
    ask: (wish: object = {}) => plane.call("POST", PATH, { token: owner.token, body: wish }),
  };
}

test("all keys are tested with what is stored; the answer holds masks, not keys", async () => {
  await using world = await start();
  world.conduct.checkOf = (id) => (id === world.first.id ? [WELL, { ...WELL, kind: "completion", model: "m" }] : [ILL]); // prettier-ignore
  const answer = await world.ask({ model: "m" });
  assert.equal(answer.status, 200);
  assert.deepEqual(
    world.asked.map(({ provider, model }) => [
      provider.baseUrl,
      provider.keys.map((key) => key.secret.reveal()),
      model,
    ]),
    [["https://models.example/v1", [KEY, OTHER_KEY], "m"]],
  );
  const { kind, outcome, status, message, explanation, remedy } = ILL;
  assert.deepEqual(answer.body.results[1], {
    key: { id: world.second.id, masked: "sk-s...ghij", enabled: true },
    passed: false,
    checks: [{ kind, outcome, status, latency_ms: 12, model: null, message, explanation, remedy }],
    notes: [],
  });
  assert.deepEqual(
    [answer.body.passed, answer.body.results.map((each: { passed: boolean }) => each.passed)],
    [false, [true, false]],
  );
  assert.doesNotMatch(answer.text, /0123456789/);
});

test("one key can be tested alone, also when it or the provider is switched off", async () => {
  await using world = await start();
  const { token } = world.owner;
  const keyPath = `/api/v2/ai/providers/up/keys/${world.first.id}`;
  await world.call("PATCH", keyPath, { token, body: { enabled: false } });
  await world.call("PATCH", "/api/v2/ai/providers/up", { token, body: { enabled: false } });
  const answer = await world.ask({ key: world.first.id });
  assert.deepEqual([answer.body.passed, answer.body.results.length], [true, 1]);
  assert.equal(world.asked[0]?.provider.keys[0]?.secret.reveal(), KEY);
  assert.deepEqual(answer.body.notes, ["The provider is disabled: it serves nobody."]);
  assert.deepEqual(answer.body.results[0].notes, ["This key is disabled: it does not serve."]);
  const unknown = await world.ask({ key: world.owner.id });
  assert.deepEqual([unknown.status, unknown.body.code], [404, "resource.not_found"]);
  assert.equal(world.asked.length, 1);
});

test("a key that rests is said to, and a good test does not change that", async () => {
  const resting: string[] = [];
  await using world = await start({ resting });
  resting.push(world.first.id);
  const { body } = await world.ask();
  assert.equal(body.passed, true);
  assert.match(body.results[0].notes[0], /does not use the key at the moment.*reset it/);
  assert.deepEqual(body.results[1].notes, []);
});

test("stored keys that do not open are a result, not a crash", async () => {
  await using world = await start();
  await world.database.pool.query("update ai_provider_keys set sealed_key = '\\x00'");
  const answer = await world.ask();
  assert.deepEqual([answer.status, answer.body.passed, answer.body.results], [200, false, []]);
  assert.match(answer.body.notes[0], /^openai key pool: /);
  assert.equal(world.asked.length, 0);
});

test("a test leaves the provider as it was, and an audit entry from before it began", async () => {
  await using world = await start();
  const { token } = world.owner;
  const opened = Promise.withResolvers<void>();
  world.conduct.gate = opened.promise;
  const testing = world.ask({ model: "m", key: world.first.id });
  await until(() => world.asked.length === 1);
  const { rows } = await world.database.pool.query(
    "select action, resource_target, user_id, additional_fields from audit_events where additional_fields ? 'test'",
  );
  assert.deepEqual(rows, [
    {
      action: "write",
      resource_target: "up",
      user_id: world.owner.id,
      additional_fields: { test: true, model: "m", keys: [world.first.id] },
    },
  ]);
  opened.resolve();
  await testing;
  const after = await world.call("GET", "/api/v2/ai/providers/up", { token });
  assert.equal(after.body.updated_at, world.made.updated_at);
});

test("a few tests run at once, further ones are refused and audited", async () => {
  await using world = await start();
  const opened = Promise.withResolvers<void>();
  world.conduct.gate = opened.promise;
  const running = Array.from({ length: PROVIDER_TESTS_MAX }, () => world.ask());
  await until(() => world.asked.length === PROVIDER_TESTS_MAX);
  const refused = await world.ask();
  assert.deepEqual([refused.status, refused.body.code], [503, "ai_provider.test_unavailable"]);
  assert.match(refused.body.detail, /Other tests are under way/);
  opened.resolve();
  for (const each of await Promise.all(running)) assert.equal(each.status, 200);
  assert.equal((await world.ask()).status, 200, "places are free again");
});

test("without a gateway in this server nothing is tested", async () => {
  await using plane = await startTestControlPlane();
  const { token } = await plane.setUp();
  const answer = await plane.call("POST", PATH, { token, body: {} });
  assert.equal(answer.body.code, "ai_provider.test_unavailable");
  assert.match(answer.body.detail, /gateway of this server is switched off/);
});

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn += 1) {
    assert(turn < 20_000, "it happens soon");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
