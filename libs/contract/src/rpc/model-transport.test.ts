import { Secret } from "@atelier/base/secret";
import { systemRandom } from "@atelier/base/system-random";
import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import type { ModelProviderType } from "../http/ai-providers.ts";
import {
  delegatedFetch,
  ModelTransportSlot,
  ProviderAuth,
  type DelegatedInit,
  type ModelTransport,
  type ModelTransports,
} from "./model-transport.ts";

const KEY = new Secret(`canary-${systemRandom.alphanumeric(20)}`);

/** A transport that keeps what it was asked. */
function keeping(): ModelTransport & { readonly inits: DelegatedInit[] } {
  const inits: DelegatedInit[] = [];
  return {
    inits,
    fetch: async (_input, init) => {
      inits.push(init ?? {});
      return new Response("");
    },
  };
}

const PLACEHOLDERS = { authorization: "Bearer coder-aibridge", "x-api-key": "coder-aibridge" };

for (const [type, header] of [
  ["anthropic", "x-api-key"],
  ["bedrock", "x-api-key"],
  ["openai", "authorization"],
  ["azure", "authorization"],
  ["openai-compat", "authorization"],
] as const satisfies readonly (readonly [ModelProviderType, string])[]) {
  test(`${type}: one's own key stands in ${header}, with the marker beside it`, async () => {
    const transport = keeping();
    const auth = ProviderAuth.ownKey(type, KEY);
    const fetch = delegatedFetch(transport, { apiKeyId: "key-1", auth });
    await fetch("http://gateway/v1", { headers: PLACEHOLDERS });
    const [init] = transport.inits;
    const headers = new Headers(init?.headers);
    const value = header === "authorization" ? `Bearer ${KEY.reveal()}` : KEY.reveal();
    assert.equal(headers.get(header), value);
    assert.equal(headers.get("x-coder-ai-governance-token"), "delegated");
    assert.equal(init?.delegatedApiKeyId, "key-1");
  });
}

test("without one's own key there is no marker, whatever the caller's headers say", async () => {
  const transport = keeping();
  const fetch = delegatedFetch(transport, { apiKeyId: "key-1", auth: ProviderAuth.none });
  const marked = { ...PLACEHOLDERS, "X-Coder-AI-Governance-Token": "delegated", "x-kept": "1" };
  await fetch("http://gateway/v1", { headers: marked });
  await fetch(new Request("http://gateway/v1", { headers: marked }));
  for (const { headers } of transport.inits) {
    const given = new Headers(headers);
    assert.deepEqual([given.get("x-coder-ai-governance-token"), given.get("x-kept")], [null, "1"]);
  }
});

test("the delegation's API key wins over one that the caller put in", async () => {
  const transport = keeping();
  const fetch = delegatedFetch(transport, { apiKeyId: "key-1", auth: ProviderAuth.none });
  await fetch("http://gateway/v1", { delegatedApiKeyId: "somebody-else" } as DelegatedInit);
  assert.equal(transport.inits[0]?.delegatedApiKeyId, "key-1");
});

test("what holds a call back is told with it, and nothing where nothing does", async () => {
  const transport = keeping();
  const hold = { until: Promise.resolve(), left: () => {} };
  const delegation = { apiKeyId: "key-1", auth: ProviderAuth.none };
  await delegatedFetch(transport, { ...delegation, hold })("http://gateway/v1");
  await delegatedFetch(transport, delegation)("http://gateway/v1");
  assert.deepEqual(
    transport.inits.map((init) => init.hold),
    [hold, null],
  );
});

test("the headers do not show, however they are printed, also inside a route", () => {
  const auth = ProviderAuth.ownKey("openai", KEY);
  const route = { kind: "ai_gateway", delegation: { apiKeyId: "key-1", auth } };
  const texts = [
    String(auth),
    JSON.stringify({ auth, route }),
    inspect(route, { showHidden: true, depth: null }),
    inspect(route, { customInspect: false, depth: null }),
    format("%s %o %O %j", auth, route, route, route),
    inspect(structuredClone({ auth })),
    inspect(new Error("failed", { cause: route })),
  ];
  for (const text of texts) assert.ok(!text.includes(KEY.reveal()), text);
  assert.equal(inspect({ auth }), "{ auth: ProviderAuth{headers: <redacted>} }");
});

test("a slot answers for what is mounted in it, and for nothing after that left", () => {
  const slot = new ModelTransportSlot();
  const absent = { ok: false, failure: "gateway_not_mounted" } as const;
  assert.deepEqual(slot.transportFor("openai", "agents"), absent);
  const transport = keeping();
  const transports: ModelTransports = { transportFor: () => ({ ok: true, value: transport }) };
  const first = slot.mount(transports);
  assert.deepEqual(slot.transportFor("openai", "agents"), { ok: true, value: transport });
  slot.mount({ transportFor: () => ({ ok: false, failure: "provider_name_missing" }) });
  // The first one leaves late: the second stays.
  first[Symbol.dispose]();
  const { ok } = slot.transportFor("", "agents");
  assert.equal(ok, false);
  assert.notDeepEqual(slot.transportFor("", "agents"), absent);
});
