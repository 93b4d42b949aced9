/** Single keys over the real API, on two servers whose gateways are played by the test. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import type {
  BreakerHealth,
  GatewayHealth,
  ProviderKeyHealth,
} from "@atelier/contract/rpc/gateway-ports";
import {
  startTestControlPlane,
  type TestControlPlane,
  type TestOptions,
} from "../control-plane-on-postgres-testkit.ts";
import { loadProviderRows } from "./model-provider-store.ts";

const AT = new Date("2026-03-01T12:00:00.000Z");
const LATER = new Date("2026-03-01T12:01:00.000Z");

class PlayedGateway implements GatewayHealth {
  waiting = 0;
  readonly events = new EventEmitter();
  readonly resets: string[] = [];
  keys: readonly ProviderKeyHealth[] = [];
  breakers: readonly BreakerHealth[] = [];

  keysOf(): readonly ProviderKeyHealth[] {
    return this.keys;
  }

  waitingOf(): number {
    return this.waiting;
  }

  breakersOf(): readonly BreakerHealth[] {
    return this.breakers;
  }

  resetKey(providerId: string, keyId: string): void {
    this.resets.push(`${providerId} ${keyId}`);
    this.events.emit("reset");
  }
}

async function startServer(options: TestOptions = {}) {
  const api = await startTestControlPlane(options);
  const gateway = new PlayedGateway();
  return { ...api, gateway };
}

/** A provider `openai` with two keys, and an owner who asks. */
async function makeProvider(api: TestControlPlane) {
  const { token } = await api.setUp();
  const path = "/api/v2/ai/providers";
  const body = {
    type: "openai",
    name: "openai",
    base_url: "https://models.example/v1",
    api_keys: ["sk-first-0123456789abcdef", "sk-second-0123456789abcde"],
  };
  const made = await api.call("POST", path, { token, body });
  assert.equal(made.status, 201, made.text);
  const [first, second] = made.body.api_keys as { id: string; masked: string }[];
  assert(first !== undefined && second !== undefined);
  return {
    id: made.body.id as string,
    first,
    second,
    get: async () => (await api.call("GET", `${path}/openai`, { token })).body,
    switchKey: (key: string, enabled: boolean, provider = "openai") =>
      api.call("PATCH", `${path}/${provider}/keys/${key}`, { token, body: { enabled } }),
    reset: (key: string, provider = "openai") =>
      api.call("POST", `${path}/${provider}/keys/${key}/reset`, { token }),
    order: (key_ids: readonly string[]) =>
      api.call("PUT", `${path}/openai/keys/order`, { token, body: { key_ids } }),
    patch: (changes: object) => api.call("PATCH", `${path}/openai`, { token, body: changes }),
    async audited() {
      const { rows } = await api.database.pool.query(
        `select action, resource_id, resource_target, diff, status_code, additional_fields
         from audit_events where resource_type = 'ai_provider_key' and action = 'write'
         order by time, id`,
      );
      return rows;
    },
  };
}

function servedKeys({ plane }: TestControlPlane): string[] | undefined {
  return plane.providers
    .current()
    .providers.get("openai")
    ?.keys.map(({ id }) => id);
}

test("keys are tried in the order that somebody gives them, and one that came meanwhile stops it", async () => {
  await using api = await startServer();
  const provider = await makeProvider(api);
  const { first, second } = provider;
  const ordered = await provider.order([second.id, first.id]);
  assert.equal(ordered.status, 200, ordered.text);
  const idsIn = (body: { api_keys: { id: string }[] }) => body.api_keys.map(({ id }) => id);
  assert.deepEqual(idsIn(ordered.body), [second.id, first.id]);
  assert.deepEqual(servedKeys(api), [second.id, first.id]);
  // A key that is added comes last, and what is listed of the others changes nothing.
  const keys = [{ id: first.id }, { api_key: "sk-third-0123456789abcdef" }, { id: second.id }];
  const { body: three } = await provider.patch({ api_keys: keys });
  assert.deepEqual(idsIn(three).slice(0, 2), [second.id, first.id]);
  assert.deepEqual(servedKeys(api), idsIn(three));
  const codes = [];
  for (const ids of [[first.id, second.id], [first.id, second.id, provider.id], []]) {
    const refused = await provider.order(ids);
    codes.push(`${refused.status} ${String(refused.body.code)}`);
  }
  assert.deepEqual(codes, Array(3).fill("409 ai_provider.changed_meanwhile"));
  assert.equal((await provider.order([first.id, first.id, second.id])).status, 400);
  assert.deepEqual(servedKeys(api), idsIn(three));
  const { rows } = await api.database.pool.query(
    "select diff from audit_events where resource_type = 'ai_provider' and diff ? 'key_order'",
  );
  assert.deepEqual(rows, [
    { diff: { key_order: { old: [first.id, second.id], new: [second.id, first.id] } } },
  ]);
});

/** Waits for what a real notification brings about; the clock stands still meanwhile. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn += 1) {
    assert(turn < 20_000, "it happens soon");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("what the gateway knows of keys and breakers is reported, once there is a gateway", async () => {
  await using api = await startServer();
  const provider = await makeProvider(api);
  const { first, second } = provider;
  const { gateway } = api;
  gateway.keys = [
    {
      keyId: second.id,
      state: "valid",
      lastError: null,
      returnsAt: null,
      underWay: null,
      lastCheckedAt: null,
    },
    {
      keyId: first.id,
      state: "temporary",
      lastError: { status: 429, message: "slow down", at: AT },
      returnsAt: LATER,
      underWay: 3,
      lastCheckedAt: AT,
    },
  ];
  gateway.waiting = 2;
  gateway.breakers = [
    { endpoint: "/v1/responses", model: "m", state: "half_open", retriesAt: LATER },
  ];
  const created = (await provider.get()).created_at as string;
  const unknown = {
    state: "unknown",
    last_error: null,
    returns_at: null,
    under_way: null,
    last_checked_at: null,
  };
  const stored = { enabled: true, created_at: created };
  const before = await provider.get();
  assert.deepEqual(before.api_keys, [
    { ...first, ...stored, ...unknown },
    { ...second, ...stored, ...unknown },
  ]);
  assert.deepEqual(before.status, { state: "enabled", warnings: [], breakers: [], waiting: 0 });
  api.plane.observeGateway(gateway);
  const after = await provider.get();
  assert.deepEqual(after.api_keys, [
    {
      ...first,
      ...stored,
      state: "temporary",
      last_error: { status: 429, message: "slow down", at: AT.toISOString() },
      returns_at: LATER.toISOString(),
      under_way: 3,
      last_checked_at: AT.toISOString(),
    },
    { ...second, ...stored, ...unknown, state: "valid" },
  ]);
  assert.deepEqual(after.status, {
    state: "enabled",
    warnings: [],
    breakers: [
      {
        endpoint: "/v1/responses",
        model: "m",
        state: "half_open",
        retries_at: LATER.toISOString(),
      },
    ],
    waiting: 2,
  });
});

test("a disabled key serves on no server, stays stored, and returns to its place", async () => {
  await using api = await startServer();
  await using other = await startServer({ database: api.database, clock: api.clock });
  const provider = await makeProvider(api);
  const { first, second } = provider;
  api.gateway.keys = [
    {
      keyId: first.id,
      state: "valid",
      lastError: null,
      returnsAt: null,
      underWay: null,
      lastCheckedAt: null,
    },
  ];
  api.plane.observeGateway(api.gateway);
  const { version } = api.plane.providers.current();

  const disabled = await provider.switchKey(first.id.toUpperCase(), false);
  assert.equal(disabled.status, 200, disabled.text);
  const shown = (disabled.body.api_keys as { id: string; enabled: boolean; state: string }[]).map(
    ({ id, enabled, state }) => ({ id, enabled, state }),
  );
  assert.deepEqual(shown, [
    { id: first.id, enabled: false, state: "unknown" },
    { id: second.id, enabled: true, state: "unknown" },
  ]);
  assert.deepEqual(servedKeys(api), [second.id]);
  assert(api.plane.providers.current().version > version);
  await until(() => servedKeys(other)?.length === 1);
  const [row] = await loadProviderRows(api.database.sql);
  assert.deepEqual(row?.keys.map(({ id }) => id), [second.id], "its secret is not even read"); // prettier-ignore

  const enabled = await provider.switchKey(first.id, true);
  assert.equal(enabled.body.api_keys[0].enabled, true);
  assert.deepEqual(servedKeys(api), [first.id, second.id]);
  await until(() => servedKeys(other)?.length === 2);
  assert.deepEqual(servedKeys(other), [first.id, second.id]);
});

test("a key that is enabled again starts anew on all servers; one that was not disabled does not", async () => {
  await using api = await startServer();
  await using other = await startServer({ database: api.database, clock: api.clock });
  const { id, first, ...provider } = await makeProvider(api);
  api.plane.observeGateway(api.gateway);
  other.plane.observeGateway(other.gateway);
  await provider.switchKey(first.id, true);
  await provider.switchKey(first.id, false);
  assert.deepEqual(api.gateway.resets, []);
  const heard = once(other.gateway.events, "reset", { signal: AbortSignal.timeout(60_000) });
  await provider.switchKey(first.id, true);
  assert.equal(api.gateway.resets[0], `${id} ${first.id}`);
  await heard;
  assert.deepEqual(other.gateway.resets, [`${id} ${first.id}`]);
});

test("a change of the list of keys leaves a disabled one disabled, and knows it", async () => {
  await using api = await startServer();
  const provider = await makeProvider(api);
  const { first, second } = provider;
  await provider.switchKey(first.id, false);
  const kept = [{ id: first.id }, { id: second.id }];
  const twice = await provider.patch({
    api_keys: [...kept, { api_key: "sk-first-0123456789abcdef" }],
  });
  assert.equal(twice.status, 400);
  const added = await provider.patch({ api_keys: [...kept, { api_key: "sk-third" }] });
  const states = (added.body.api_keys as { enabled: boolean }[]).map(({ enabled }) => enabled);
  assert.deepEqual(states, [false, true, true]);
  assert.equal(servedKeys(api)?.length, 2);
});

test("with its last key disabled, and callers without their own, a provider is in error", async () => {
  await using api = await startServer({ config: { allowByok: false } });
  const provider = await makeProvider(api);
  await provider.switchKey(provider.first.id, false);
  const last = await provider.switchKey(provider.second.id, false);
  assert.equal(last.body.status.state, "error");
  assert.equal(servedKeys(api), undefined);
});

test("switching is audited with what changed, also when nothing did", async () => {
  await using api = await startServer();
  const { id, first, ...provider } = await makeProvider(api);
  await provider.switchKey(first.id, false);
  await api.clock.advance(1);
  await provider.switchKey(first.id, false);
  await api.clock.advance(1);
  await provider.switchKey(first.id, true);
  const entry = {
    action: "write",
    resource_id: first.id,
    resource_target: first.masked,
    status_code: 200,
    additional_fields: { provider_id: id, provider_name: "openai" },
  };
  assert.deepEqual(await provider.audited(), [
    { ...entry, diff: { enabled: { old: true, new: false } } },
    { ...entry, diff: {} },
    { ...entry, diff: { enabled: { old: false, new: true } } },
  ]);
});

test("a reset reaches the gateways of all servers, and is audited", async () => {
  await using api = await startServer();
  await using other = await startServer({ database: api.database, clock: api.clock });
  const { id, first, ...provider } = await makeProvider(api);
  api.plane.observeGateway(api.gateway);
  other.plane.observeGateway(other.gateway);
  const heard = once(other.gateway.events, "reset", { signal: AbortSignal.timeout(60_000) });
  const answer = await provider.reset(first.id);
  assert.equal(answer.status, 204, answer.text);
  assert.equal(api.gateway.resets[0], `${id} ${first.id}`, "its own gateway before the answer");
  await heard;
  // Once by the request and once by its own message.
  await until(() => api.gateway.resets.length === 2);
  assert.deepEqual(other.gateway.resets, [`${id} ${first.id}`]);
  assert.deepEqual(await provider.audited(), [
    {
      action: "write",
      resource_id: first.id,
      resource_target: first.masked,
      diff: {},
      status_code: 204,
      additional_fields: { provider_id: id, provider_name: "openai", reset: true },
    },
  ]);
});

test("a key that is unknown, or another provider's, is not found and changes nothing", async () => {
  await using api = await startServer();
  const provider = await makeProvider(api);
  const token = await api.logIn("owner");
  const body = { type: "openai", name: "other", base_url: "https://models.example/v1" };
  await api.call("POST", "/api/v2/ai/providers", { token, body });
  api.plane.observeGateway(api.gateway);
  for (const [key, name] of [
    ["6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c", "openai"],
    ["not-an-id", "openai"],
    [provider.first.id, "other"],
    [provider.first.id, "nowhere"],
  ] as const) {
    assert.equal((await provider.switchKey(key, false, name)).status, 404, key);
    assert.equal((await provider.reset(key, name)).status, 404, key);
  }
  assert.deepEqual(api.gateway.resets, []);
  assert.equal(servedKeys(api)?.length, 2);
  const refused = (await provider.audited()).map(({ status_code: status }) => status);
  assert.deepEqual(
    refused,
    Array.from({ length: 8 }, () => 404),
  );
});
