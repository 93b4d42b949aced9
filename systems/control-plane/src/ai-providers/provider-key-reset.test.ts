import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  GatewayHealth,
  GatewayProvider,
  ProviderKeyHealth,
  ProviderKeyState,
} from "@atelier/contract/rpc/gateway-ports";
import type { Subscriber } from "@atelier/database/pub-sub";
import { LateGatewayHealth } from "./late-gateway-health.ts";
import {
  formatProviderKeyReset,
  obeyProviderKeyResets,
  parseProviderKeyReset,
  PROVIDER_KEY_RESET,
} from "./provider-key-reset.ts";

const ID_A = "0000000a-0000-4000-8000-000000000000";
const ID_B = "0000000b-0000-4000-8000-000000000000";

/** A gateway with one key in each state, which says what was reset. */
function start() {
  const key = (state: ProviderKeyState): ProviderKeyHealth => ({
    keyId: `k-${state}`,
    state,
    lastError: null,
    returnsAt: null,
    underWay: null,
    lastCheckedAt: null,
  });
  const reset: string[] = [];
  const health: GatewayHealth = {
    keysOf: (id) => (id === "p1" ? [key("valid"), key("temporary"), key("permanent")] : []),
    breakersOf: () => [],
    waitingOf: () => 0,
    resetKey: (providerId, keyId) => reset.push(`${providerId} ${keyId}`),
  };
  const provider: GatewayProvider = {
    id: "p1",
    name: "openai",
    type: "openai",
    baseUrl: "https://models.example",
    keys: [],
    apiVersion: null,
    bedrock: null,
    keyConcurrencyMax: null,
    enabled: true,
  };
  const subscribers = new Map<string, Subscriber>();
  const pubSub = {
    subscribe: (channel: string, on: Subscriber) => {
      subscribers.set(channel, on);
      return { [Symbol.dispose]: () => subscribers.delete(channel) };
    },
  };
  const providers = {
    current: () => ({ version: 1, providers: new Map([["openai", provider]]) }),
  };
  const subscription = obeyProviderKeyResets(pubSub, { health, providers });
  const on = subscribers.get(PROVIDER_KEY_RESET);
  assert(on !== undefined);
  return { on, reset, subscribers, subscription };
}

test("a reset survives its text form, and another version's text is not taken for one", () => {
  const reset = { providerId: ID_A, keyId: ID_B };
  assert.deepEqual(parseProviderKeyReset(formatProviderKeyReset(reset)), reset);
  for (const text of ["", "one two", ID_A, `${ID_A} `, ` ${ID_B}`, `${ID_A} ${ID_B} x`]) {
    assert.equal(parseProviderKeyReset(text), null, text);
  }
});

test("a message resets its key, whatever state it is in", () => {
  const { on, reset } = start();
  on.message(`${ID_A} ${ID_B}`);
  assert.deepEqual(reset, [`${ID_A} ${ID_B}`]);
});

for (const [name, happen] of [
  ["a regained connection", (on: Subscriber) => on.resync()],
  ["a message that cannot be read", (on: Subscriber) => on.message("another version")],
] as const) {
  test(`after ${name} only the keys that would never return are tried again`, () => {
    const { on, reset } = start();
    happen(on);
    assert.deepEqual(reset, ["p1 k-permanent"]);
  });
}

test("disposed, it hears nothing more", () => {
  const { subscribers, subscription } = start();
  subscription[Symbol.dispose]();
  assert.equal(subscribers.size, 0);
});

test("without a gateway nothing is known and a reset is nobody's", () => {
  const late = new LateGatewayHealth();
  assert.deepEqual([late.keysOf("p1"), late.breakersOf("p1")], [[], []]);
  assert.doesNotThrow(() => late.resetKey("p1", "k"));
});
